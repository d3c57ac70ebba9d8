"""The engine that Vitis HLS makes, against riffle.isa.emulator: `make sim ENGINE=hls`, where Vitis is there.

Its memories, programs and checks are those of the hand-written engine's tests; what those say about cycles does not
hold here.
"""

import os
import random

import cocotb
import numpy as np
import pytest

import synthesise
from random_programs import random_program
from riffle.errors import EngineError
from riffle.isa.emulator import execute
from rtl_sources import RTL
from runner import simulate
from test_engine import COLUMNS, DEPTH, NAMES, ROWS, begin, check, generator, spoil
from verilator_root import ROOT


@cocotb.test()
async def random_programs(dut):
    rng = generator()
    for stall in (0.0, 0.5):
        memories = await begin(dut, stall)
        for _ in range(20):
            descriptors, streams = random_program(rng, DEPTH, int(rng.integers(1, 4)))
            await check(memories, descriptors, np.concatenate(streams), first=int(rng.integers(0, 250)))


@cocotb.test()
async def errors_and_the_next_run(dut):
    rng = generator()
    memories = await begin(dut)
    for _ in range(40):
        descriptors, streams = random_program(rng, DEPTH, 3)
        victim = int(rng.integers(3))
        descriptors[victim], streams[victim], extra = spoil(rng, descriptors[victim], streams[victim])
        stream = np.concatenate([*streams, extra])
        try:
            execute(memories.activations.copy(), descriptors, stream, ROWS, COLUMNS)
        except EngineError as expected:
            code, index, _ = await memories.run(descriptors, stream)
            assert (NAMES[code], index) == (expected.name, expected.index)
        descriptors, streams = random_program(rng, DEPTH, 1)
        await check(memories, descriptors, np.concatenate(streams))


@cocotb.test()
async def abort_and_watchdog(dut):
    rng = generator()
    memories = await begin(dut)
    for option, name in (("stop_after", "ABORTED"), ("watchdog", "WATCHDOG")):
        for _ in range(5):
            descriptors, streams = random_program(rng, DEPTH, 4)
            code, *_ = await memories.run(descriptors, np.concatenate(streams), **{option: random.randrange(20, 400)})
            assert NAMES[code] in (name, "NONE")
            descriptors, streams = random_program(rng, DEPTH, 1)
            await check(memories, descriptors, np.concatenate(streams))


if os.environ.get("ENGINE") == "hls":
    def test_generated_engine():
        if not synthesise.up_to_date(synthesise.SMALL, "vitis"):
            if synthesise.command("vitis") is None:
                pytest.skip(synthesise.INSTALL["vitis"])
            synthesise.synthesise(synthesise.SMALL, "vitis")
        sizes = {"ROWS": ROWS, "COLUMNS": COLUMNS, "DEPTH": DEPTH}
        assert sizes == synthesise.SMALL_SIZES, "hls/synthesise.py must make the engine of this size"
        made = synthesise.verilog(synthesise.SMALL, "vitis")
        files = [RTL / "riffle_pkg.sv", *made, ROOT / "hls" / "rtl" / "engine.sv"]
        simulate("engine", __file__, generated=files, Rows=ROWS, Columns=COLUMNS, ActivationDepth=DEPTH)
