"""Processes with real PYNQ, as two Jupyter kernels are, on one simulated board with one interrupt line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from riffle.backends.process import spawn

ROOT = Path(__file__).resolve().parents[3]
CLIENT = """
import sys, warnings
import numpy as np
from riffle.board import load_overlay
from cases import Case
warnings.filterwarnings("ignore", "another handle or process has loaded")
ip = load_overlay()
assert ip.device.intc.read(0x1C) == 3, "an interrupt before the first wait would be lost"
case = Case(ip.accelerator, np.random.default_rng(int(sys.argv[1])))
warnings.simplefilter("error", RuntimeWarning)  # an interrupt that is lost
warnings.filterwarnings("ignore", "another handle or process has loaded")
for _ in range(5):
    case.check()
print("right", flush=True)
if sys.argv[2] == "endless":
    case.never_end()
    case.accelerator.launch(0, len(case.program.records), watchdog=0xFFFFFFFF, image=case.image)
    print("runs", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def start():
    """Start a process with PYNQ; the board ends with the tests."""
    with spawn("small") as board:
        variables = os.environ | {"RIFFLE_BOARD_PROCESS": str(board.path),
                                  "PYTHONPATH": os.pathsep.join([str(ROOT / "host"), str(ROOT / "tests/support")])}

        def start(rng, deed=""):
            return subprocess.Popen([sys.executable, "-c", CLIENT, str(rng.integers(1 << 30)), deed], text=True,
                                    env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        yield start


def test_two_kernels_share_a_board(start, rng):
    clients = [start(rng), start(rng)]
    for client in clients:
        assert client.stdout.readline() == "right\n", client.communicate("")
    for client in clients:
        _, complaints = client.communicate("")
        assert client.returncode == 0 and "Exception" not in complaints, complaints


def test_kernel_that_is_killed_in_a_run(start, rng):
    first = start(rng, "endless")
    assert [first.stdout.readline() for _ in range(2)] == ["right\n", "runs\n"]
    first.kill()
    first.communicate()
    second = start(rng)
    out, complaints = second.communicate("")
    assert (second.returncode, out) == (0, "right\n"), complaints
