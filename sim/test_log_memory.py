"""log_memory: the engine writes, the host reads, also at the same time."""

import random

import cocotb
from cocotb.triggers import RisingEdge

from host_port import HostPort, start
from riffle.isa.spec import DESCRIPTORS, LOG_WORDS
from runner import simulate

WORDS = DESCRIPTORS * LOG_WORDS


async def write(dut, words: dict[int, int]):
    """One word a cycle."""
    dut.we_i.value = 1
    for addr, data in words.items():
        dut.addr_i.value, dut.wdata_i.value = addr, data
        await RisingEdge(dut.clk_i)
    dut.we_i.value = 0
    dut.addr_i.value, dut.wdata_i.value = random.randrange(WORDS), random.getrandbits(32)  # must not be taken


@cocotb.test()
async def host_reads_while_the_engine_writes(dut):
    await start(dut, we_i=0, addr_i=0, wdata_i=0)
    host = HostPort(dut)
    first = {word: random.getrandbits(32) for word in [0, WORDS - 1, *random.sample(range(1, WORDS - 1), 100)]}
    await write(dut, first)
    others = [word for word in range(WORDS) if word not in first]
    second = {word: random.getrandbits(32) for word in random.sample(others, 200)}
    writing = cocotb.start_soon(write(dut, second))
    for word, expected in first.items():
        assert await host.read(4 * word) == (expected, 0), f"word {word}"
    assert host.latency == 2
    await writing
    for word, expected in (first | second).items():
        assert await host.read(4 * word) == (expected, 0), f"word {word}"


def test_log_memory():
    simulate("log_memory", __file__)
