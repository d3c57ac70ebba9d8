"""act_bank: whole words in and out, two cycles behind the address."""

import cocotb

from cycles import begin, generator, play
from runner import simulate

DEPTH, WIDTH, LATENCY = 20, 48, 2


@cocotb.test()
async def words_are_kept(dut):
    rng, length = generator(), 2000
    address, reads = rng.integers(0, DEPTH, (2, length))
    data, write = rng.integers(0, 1 << WIDTH, length), rng.random(length) < 0.5
    write[:DEPTH], address[:DEPTH] = True, range(DEPTH)
    inputs = {"we_i": write, "waddr_i": address, "wdata_i": data, "raddr_i": reads}
    await begin(dut, **dict.fromkeys(inputs, 0))
    seen = (await play(dut, inputs, ["rdata_o"]))["rdata_o"]
    memory: dict[int, int] = {}
    compared = 0
    for cycle in range(length - LATENCY):
        collides = write[cycle] and address[cycle] == reads[cycle]  # then either word may come
        if cycle >= DEPTH and not collides:
            assert seen[cycle + LATENCY] == memory[int(reads[cycle])], f"address {reads[cycle]} in cycle {cycle}"
            compared += 1
        if write[cycle]:
            memory[int(address[cycle])] = int(data[cycle])
    assert compared > 1000


def test_act_bank():
    simulate("act_bank", __file__, Width=WIDTH, Depth=DEPTH)
