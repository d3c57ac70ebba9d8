"""Random numbers for tests, a fresh seed on every run, printed with the command that repeats it; simulated hardware.

The simulated hardware has a seed of its own, for what its registers and memories hold in the beginning and for the
times of its DDR: one for all tests of a process, since they share it.
"""

import os
import secrets

import numpy as np
import pytest

from riffle.backends.verilated import RtlBackend, build
from riffle.driver.accelerator import Accelerator
from verilator_root import OF_MAKE

for _name in OF_MAKE:  # a make that a test runs is no part of the one that runs the tests
    os.environ.pop(_name, None)


@pytest.fixture
def rng(request):
    """A NumPy generator; RIFFLE_SEED repeats a run. pytest shows what is printed where a test fails."""
    seed = int(os.environ.get("RIFFLE_SEED") or secrets.randbits(32))
    print(f"seed {seed}; repeat with: RIFFLE_SEED={seed} pytest '{request.node.nodeid}'")
    return np.random.default_rng(seed)


MODEL_SEED = int(os.environ.get("RIFFLE_MODEL_SEED") or secrets.randbits(31))


@pytest.fixture(scope="session")
def full_hardware():
    """The Verilated accelerator as the board gets it; tests share it, what one leaves behind the next must bear."""
    with RtlBackend(build("full"), seed=MODEL_SEED) as backend:
        yield Accelerator(backend)


@pytest.fixture(scope="session")
def small_hardware():
    """The same with a lattice of 2x3 and small memories."""
    with RtlBackend(build("small"), seed=MODEL_SEED) as backend:
        yield Accelerator(backend)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that fails on simulated hardware says with which seed."""
    report = (yield).get_result()
    if report.failed and {"full_hardware", "small_hardware"} & set(item.fixturenames):
        report.sections.append(("Seed of the simulated hardware",
                                f"{MODEL_SEED}; repeat with: RIFFLE_MODEL_SEED={MODEL_SEED} pytest '{item.nodeid}'"))
