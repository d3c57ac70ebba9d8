"""Random numbers for tests: a fresh seed on every run, printed with the command that repeats it."""

import os
import secrets

import numpy as np
import pytest


@pytest.fixture
def rng(request):
    """A NumPy generator; RIFFLE_SEED repeats a run. pytest shows what is printed where a test fails."""
    seed = int(os.environ.get("RIFFLE_SEED") or secrets.randbits(32))
    print(f"seed {seed}; repeat with: RIFFLE_SEED={seed} pytest '{request.node.nodeid}'")
    return np.random.default_rng(seed)
