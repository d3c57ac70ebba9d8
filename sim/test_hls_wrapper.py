"""hls/rtl/engine.sv: start, stop, latencies, writes and results, around a stand-in of what Vitis HLS makes.

The stand-in is no engine: it copies one word of each bank, changed by a stream word (sim/stand_ins/vitis).
"""

import random
import subprocess

import cocotb
import numpy as np

from engine_memories import QUIET_START, Memories
from riffle.isa import spec
from riffle.isa.spec import ERROR_CODES
from rtl_sources import RTL
from runner import simulate
from verilator_root import ROOT, environment

ROWS, COLUMNS, DEPTH = 2, 3, 256
STAND_IN_CYCLES = 17  # one of them the wrapper's
SOURCES = [RTL / "riffle_pkg.sv", ROOT / "sim/stand_ins/vitis/riffle_engine.sv", ROOT / "hls/rtl/engine.sv"]


async def begin(dut, stall=0.0):
    memories = await Memories(dut, ROWS, COLUMNS, DEPTH, stall).start()
    noise = np.frombuffer(random.randbytes(memories.activations.size), np.int8)
    memories.activations[:] = noise.reshape(memories.activations.shape)
    return memories


async def copy(memories, **options):
    """One run of the stand-in; what it says, and what must be in the memory then."""
    first, at = random.randrange(spec.DESCRIPTORS), random.randrange(DEPTH - 1)
    memories.program[first, 0] = at
    stream = np.frombuffer(random.randbytes(spec.STREAM_BYTES), np.uint8).reshape(1, -1)
    expected = memories.activations.copy()
    expected[:, at + 1] = expected[:, at] ^ stream.view(np.int8)[0, :memories.lanes]
    return await memories.run([], stream, first=first, length=1, **options), expected, first, at


@cocotb.test()
async def data_arrives_when_the_latencies_say(dut):
    for stall in (0.0, 0.9):
        memories = await begin(dut, stall)
        for _ in range(20):
            (code, index, detail), expected, first, at = await copy(memories)
            assert (code, index, detail) == (0, first, 0) and int(dut.current_o.value) == first
            assert (memories.activations == expected).all()
            assert memories.log[first, 0] == at and memories.counters["fed"] == 7
            own = memories.counters["cycles"] - memories.counters["starved"]
            assert own == QUIET_START + STAND_IN_CYCLES, own


@cocotb.test()
async def abort_and_watchdog_end_a_run_that_waits_for_weights(dut):
    memories = await begin(dut, 1.0)
    for option, name in (({"stop_after": 40}, "ABORTED"), ({"watchdog": 50}, "WATCHDOG")):
        before = memories.activations.copy()
        (code, index, detail), _, first, _ = await copy(memories, **option)
        assert (code, index, detail) == (ERROR_CODES[name], first, 0) and memories.counters["cycles"] < 70
        assert (memories.activations == before).all() and memories.counters["starved"] > 10
    memories.stall = 0.0
    (code, *_), expected, _, _ = await copy(memories)
    assert code == 0 and (memories.activations == expected).all(), "the next run is right"


@cocotb.test()
async def an_error_of_the_stream_ends_a_run_with_its_detail(dut):
    memories = await begin(dut, 1.0)
    dut.stream_error_i.value, dut.stream_detail_i.value = 77, 0x123456
    (code, _, detail), *_ = await copy(memories)
    assert (code, detail) == (77, 0x123456)


@cocotb.test()
async def a_run_waits_for_its_image(dut):
    memories = await begin(dut)
    for error in (0, 66):
        hold = random.randint(1, 200)
        (code, *_), expected, _, _ = await copy(memories, hold=hold, hold_error=error)
        assert code == error and memories.counters["cycles"] > hold + QUIET_START
        assert error or (memories.activations == expected).all()
    (code, *_), expected, _, _ = await copy(memories, next_error=66)
    assert code == 0 and (memories.activations == expected).all(), "the next image is no matter of this run"


def test_wrapper():
    simulate("engine", __file__, generated=SOURCES, Rows=ROWS, Columns=COLUMNS, ActivationDepth=DEPTH)


def test_wrapper_lints():
    command = ["verilator", "--lint-only", "--quiet", "-Wall", "--top-module", "engine", "-GRows=2", "-GColumns=3",
               "-GActivationDepth=256", "-Wno-UNUSEDSIGNAL", *map(str, SOURCES)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_wrapper_has_the_ports_of_the_hand_written_engine():
    ports = [(folder / "engine.sv").read_text().partition("\nmodule engine")[2].partition("\n);")[0]
             for folder in (RTL, ROOT / "hls" / "rtl")]
    assert ports[0] == ports[1] and "act_wdata_o" in ports[0]
