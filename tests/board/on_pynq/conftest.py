"""The simulated board with its overlay; tests share it, what one leaves behind the next must bear."""

import pynq
import pytest

from cases import Case
from riffle.board import load_overlay


@pytest.fixture(scope="session")
def ip():
    return load_overlay()


@pytest.fixture
def board(ip):
    return pynq.Device.active_device


@pytest.fixture
def case(ip, rng):
    return Case(ip.accelerator, rng)
