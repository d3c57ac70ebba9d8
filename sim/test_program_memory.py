"""program_memory: host words with strobes, and the engine's port with its two cycles."""

import random

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge

from host_port import HostPort, merge, start
from riffle.isa.spec import DESCRIPTOR_WORDS, DESCRIPTORS
from runner import simulate

WORDS = DESCRIPTORS * DESCRIPTOR_WORDS


async def fill(host: HostPort) -> dict[int, int]:
    """Some words, written whole and then partly again; returns what the memory must hold."""
    words = {}
    for word in [0, WORDS - 1, *random.sample(range(1, WORDS - 1), 60)]:
        words[word] = random.getrandbits(32)
        await host.write(4 * word, words[word])
        strb, data = random.getrandbits(4), random.getrandbits(32)
        await host.write(4 * word, data, strb)
        words[word] = merge(words[word], data, strb)
    return words


@cocotb.test()
async def host_reads_what_it_wrote(dut):
    await start(dut, busy_i=0, addr_i=0)
    host = HostPort(dut)
    words = await fill(host)
    assert host.latency == 1
    for word, expected in words.items():
        assert await host.read(4 * word) == (expected, 0), f"word {word}"
    assert host.latency == 2


@cocotb.test()
async def engine_reads_one_word_a_cycle(dut):
    await start(dut, busy_i=0, addr_i=0)
    words = await fill(HostPort(dut))
    dut.busy_i.value = 1
    order = random.choices(list(words), k=200)
    got = []
    for word in [*order, 0, 0]:
        dut.addr_i.value = word
        await ReadOnly()
        got.append(int(dut.rdata_o.value))
        await RisingEdge(dut.clk_i)
    assert got[2:] == [words[word] for word in order]


def test_program_memory():
    simulate("program_memory", __file__)
