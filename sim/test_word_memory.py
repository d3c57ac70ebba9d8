"""word_memory: words with byte enables, two cycles behind the address."""

import cocotb

from cycles import begin, generator, play
from host_port import merge
from runner import simulate

DEPTH, LATENCY = 24, 2


@cocotb.test()
async def bytes_are_kept(dut):
    rng, length = generator(), 2000
    address, reads = rng.integers(0, DEPTH, (2, length))
    data, enable = rng.integers(0, 1 << 32, length), rng.integers(0, 16, length)
    enable[:DEPTH], address[:DEPTH] = 15, range(DEPTH)
    inputs = {"we_i": enable, "waddr_i": address, "wdata_i": data, "raddr_i": reads}
    await begin(dut, **dict.fromkeys(inputs, 0))
    seen = (await play(dut, inputs, ["rdata_o"]))["rdata_o"]
    memory = [0] * DEPTH
    compared = 0
    for cycle in range(length - LATENCY):
        at, collides = int(address[cycle]), enable[cycle] and address[cycle] == reads[cycle]
        if cycle >= DEPTH and not collides:  # otherwise either word may come
            assert seen[cycle + LATENCY] == memory[int(reads[cycle])], f"address {reads[cycle]} in cycle {cycle}"
            compared += 1
        memory[at] = merge(memory[at], int(data[cycle]), int(enable[cycle]))
    assert compared > 1000


def test_word_memory():
    simulate("word_memory", __file__, Depth=DEPTH)
