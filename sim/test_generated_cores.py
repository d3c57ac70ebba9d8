"""The Verilog of the stand-alone HLS cores against NumPy: ENGINE=cores HLS=bambu or HLS=vitis, where the tool is there.

Without a tool two modules take its place that were written by hand with the ports that Bambu and Vitis make: they test
the test bench.
"""

import os
import random
from pathlib import Path

import cocotb
import numpy as np
import pytest

import synthesise
from hls_core import Core, vitis_registers
from hls_cores import BAD_ARGUMENTS, CASES, random_case
from runner import simulate

TOOL = os.environ.get("HLS") or "vitis"
STAND_INS = {tool: [Path(__file__).parent / "stand_ins" / name for name in names] for tool, names in {
    "bambu": ["channel_shuffle_core.sv", "bambu/channel_shuffle.sv"],
    "vitis": ["channel_shuffle_core.sv", "vitis/channel_shuffle_control_s_axi.sv", "vitis/channel_shuffle.sv"]}.items()}


async def check(core, memories, rng, kernel):
    case = random_case(kernel, rng, small=True)
    memories["source"][:], memories["target"][:] = case.memory, case.before
    assert await core.run(case.arguments) == 0
    case.check(memories["target"])


@cocotb.test()
async def a_core_gives_what_numpy_gives_again_and_again(dut):
    rng, kernel = np.random.default_rng(random.getrandbits(32)), os.environ["RIFFLE_CORE"]
    memories = {name: np.zeros(65536, np.uint32) for name in ("source", "target")}
    files = os.environ["RIFFLE_CORE_FILES"].split(os.pathsep)
    core = await Core(dut, memories, vitis_registers(files)).start()
    for _ in range(6):
        await check(core, memories, rng, kernel)
    for change in BAD_ARGUMENTS[kernel]:
        case = random_case(kernel, rng, small=True)
        memories["source"][:], memories["target"][:] = case.memory, case.before
        assert await core.run(case.arguments | change) == 1, change
        assert (memories["target"] == case.before).all(), change
    await check(core, memories, rng, kernel)


def run(kernel, files, monkeypatch):
    monkeypatch.setenv("RIFFLE_CORE", kernel)
    monkeypatch.setenv("RIFFLE_CORE_FILES", os.pathsep.join(map(str, files)))
    simulate(kernel, __file__, generated=files)


@pytest.mark.parametrize("tool", STAND_INS)
def test_stand_in(tool, monkeypatch):
    run("channel_shuffle", STAND_INS[tool], monkeypatch)


if os.environ.get("ENGINE") == "cores":
    @pytest.mark.parametrize("kernel", CASES)
    def test_generated_core(kernel, monkeypatch):
        if not synthesise.up_to_date(kernel, TOOL):
            if synthesise.command(TOOL) is None:
                pytest.skip(synthesise.INSTALL[TOOL])
            synthesise.synthesise(kernel, TOOL)
        run(kernel, synthesise.verilog(kernel, TOOL), monkeypatch)
