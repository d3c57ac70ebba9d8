"""weight_memory: the host's window, and the stream that the engine takes its weights from."""

import random

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge

from host_port import HostPort, merge, start
from riffle.isa.spec import ERRORS
from runner import simulate

DEPTH, BANK = 20, 8  # stream words; not a power of two
UNMAPPED = next(code for code, (name, *_) in ERRORS.items() if name == "BUS_UNMAPPED")


async def fill(dut) -> list[int]:
    """Random contents, each 32-bit word written whole and then partly again; returns the stream words."""
    await start(dut, start_i=0, busy_i=0, resident_i=1, fill_valid_i=0, fill_data_i=0, base_i=0, length_i=0,
                stream_ready_i=0)
    host = HostPort(dut)
    words = []
    for word in range(4 * DEPTH):
        data, again, strb = random.getrandbits(32), random.getrandbits(32), random.getrandbits(4)
        assert await host.write(4 * word, data) == 0
        assert await host.write(4 * word, again, strb) == 0
        words.append(merge(data, again, strb))
    assert host.latency == 1
    return [sum(words[4 * i + k] << 32 * k for k in range(4)) for i in range(DEPTH)]


async def run(dut, base: int, length: int, stall: float, cycles: int) -> tuple[list[int], list[int]]:
    """One run of `cycles`; returns the words taken and the cycle after start_i in which each was."""
    dut.base_i.value, dut.length_i.value = base, length
    dut.start_i.value = 1
    await RisingEdge(dut.clk_i)
    dut.start_i.value, dut.busy_i.value = 0, 1
    words, times, ended = [], [], False
    for cycle in range(1, cycles):
        dut.stream_ready_i.value = random.random() >= stall
        await ReadOnly()
        valid, end = bool(dut.stream_valid_o.value), bool(dut.stream_end_o.value)
        assert not (valid and end), "end while a word is offered"
        assert not ended or end, "end has fallen"
        ended = end
        if valid and dut.stream_ready_i.value:
            words.append(int(dut.stream_data_o.value))
            times.append(cycle)
        await RisingEdge(dut.clk_i)
    all_taken = len(words) == max(0, min(length, DEPTH - base))
    assert ended == all_taken, "end is high when, and only when, no word is left"
    dut.busy_i.value, dut.stream_ready_i.value = 0, 0
    await RisingEdge(dut.clk_i)
    return words, times


@cocotb.test()
async def host_reads_what_it_wrote(dut):
    words = await fill(dut)
    host = HostPort(dut)
    for word in random.sample(range(4 * DEPTH), 4 * DEPTH):
        expected = words[word // 4] >> 32 * (word % 4) & 0xFFFFFFFF
        assert await host.read(4 * word) == (expected, 0), f"word {word}"
    assert host.latency == 4


@cocotb.test()
async def accesses_beyond_the_depth_are_refused(dut):
    words = await fill(dut)
    host = HostPort(dut)
    for addr in (16 * DEPTH, 16 * 32, 16 * 32 + 16, 0x3FFFC):  # next word; aliases of words 0 and 1; last of the window
        assert await host.write(addr, 0x55AA55AA) == UNMAPPED
        assert (await host.read(addr))[1] == UNMAPPED
    assert await host.read(0) == (words[0] & 0xFFFFFFFF, 0)
    assert (await run(dut, 0, DEPTH, 0.0, 60))[0] == words


@cocotb.test()
@cocotb.parametrize(stall=[0.0, 0.5, 0.9])
async def stream_is_the_part_that_was_asked_for(dut, stall):
    words = await fill(dut)
    cases = [(0, 0), (0, 1), (3, DEPTH - 3), (DEPTH - 1, 1), (5, 2**32 - 1), (DEPTH, 4), (2**32 - 1, 4), (32, 4)]
    cases += [(random.randrange(DEPTH), random.randrange(DEPTH + 5)) for _ in range(10)]
    for base, length in cases:
        got, times = await run(dut, base, length, stall, cycles=20 + int(2 * DEPTH / (1 - stall)) + 100 * (stall > 0))
        assert got == words[base:base + length], f"base {base}, length {length}"
        if stall == 0.0:
            assert times == list(range(6, 6 + len(got))), "one word a cycle, the first in the sixth"


@cocotb.test()
@cocotb.parametrize(stall=[0.0, 0.5, 0.9])
async def ring_gives_what_is_filled_in(dut, stall):
    """Twice round the ring, filled whenever there is room, while words leave it at another place."""
    await fill(dut)
    dut.resident_i.value = 0
    for length in (1, DEPTH, 3 * DEPTH + 7):
        words, got, room = [random.getrandbits(128) for _ in range(length)], [], DEPTH
        waiting = list(words)
        dut.length_i.value, dut.start_i.value = length, 1
        await RisingEdge(dut.clk_i)
        dut.start_i.value, dut.busy_i.value = 0, 1
        for _ in range(20 + int(4 * length / (1 - stall)) + 200 * (stall > 0)):
            filled = bool(waiting) and room > 0 and random.random() < 0.7
            dut.fill_valid_i.value = filled
            dut.fill_data_i.value = waiting.pop(0) if filled else random.getrandbits(128)
            dut.stream_ready_i.value = random.random() >= stall
            await ReadOnly()
            if dut.stream_valid_o.value and dut.stream_ready_i.value:
                got.append(int(dut.stream_data_o.value))
            room += int(dut.taken_o.value) - filled
            await RisingEdge(dut.clk_i)
        assert got == words and dut.stream_end_o.value
        dut.busy_i.value, dut.stream_ready_i.value, dut.fill_valid_i.value = 0, 0, 0
        await RisingEdge(dut.clk_i)
        await RisingEdge(dut.clk_i)


@cocotb.test()
async def stream_that_is_cut_off_leaves_nothing_behind(dut):
    words = await fill(dut)
    for cycles in (2, 3, 4, 5, 6, 9, 14):
        dut.base_i.value, dut.length_i.value = 0, DEPTH
        dut.start_i.value = 1
        await RisingEdge(dut.clk_i)
        dut.start_i.value, dut.busy_i.value = 0, 1
        for _ in range(cycles):
            dut.stream_ready_i.value = random.getrandbits(1)
            await RisingEdge(dut.clk_i)
        dut.busy_i.value, dut.stream_ready_i.value = 0, 0
        for _ in range(2):
            await RisingEdge(dut.clk_i)
        assert (await run(dut, 4, 6, 0.3, 100))[0] == words[4:10], f"after a run of {cycles} cycles"


def test_weight_memory():
    simulate("weight_memory", __file__, Depth=DEPTH, BankDepth=BANK)
