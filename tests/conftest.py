"""Random numbers for tests, a fresh seed on every run, printed with the command that repeats it; simulated hardware."""

import os
import secrets

import numpy as np
import pytest

from riffle.backends.rtl import RtlBackend, build
from riffle.driver import Accelerator


@pytest.fixture
def rng(request):
    """A NumPy generator; RIFFLE_SEED repeats a run. pytest shows what is printed where a test fails."""
    seed = int(os.environ.get("RIFFLE_SEED") or secrets.randbits(32))
    print(f"seed {seed}; repeat with: RIFFLE_SEED={seed} pytest '{request.node.nodeid}'")
    return np.random.default_rng(seed)


@pytest.fixture(scope="session")
def full_hardware():
    """The Verilated accelerator as the board gets it; tests share it, what one leaves behind the next must bear."""
    with RtlBackend(build("full")) as backend:
        yield Accelerator(backend)


@pytest.fixture(scope="session")
def small_hardware():
    """The same with a lattice of 2x3 and small memories."""
    with RtlBackend(build("small")) as backend:
        yield Accelerator(backend)
