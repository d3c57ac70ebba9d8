"""What the driver needs of a way to the hardware."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from riffle.backends.hardware_lock import HardwareLock
from riffle.backends.shared_memory import Buffer
from riffle.bitstream.hwh import CLOCK_MHZ

SIMULATED_HZ = CLOCK_MHZ * 1e6  # what simulated hardware counts as: the clock that a build has by default


class Backend(Protocol):
    """Accesses to the accelerator's segment; offsets are bytes, multiples of 4.

    A refused access raises `errors.BusError` where the platform can tell. On the board it cannot: the access is
    answered with OKAY, and ERROR keeps what happened; the driver looks there after a load and after every run.
    """

    what: str  # for people: what computes
    fetches_from: str  # for people: where weights and images lie that the accelerator fetches
    cycles: int | None  # simulated so far; None of real hardware
    clock_hz: float  # of the hardware: what turns cycles into time
    shares_memory: bool  # whether `allocate` can give any
    lock: HardwareLock  # of the hardware: held by every operation that other handles or processes must not disturb

    def read(self, offset: int) -> int:
        """A 32-bit word."""

    def write(self, offset: int, value: int) -> None:
        """Write a 32-bit word."""

    def read_block(self, offset: int, words: int) -> np.ndarray:
        """Consecutive words, uint32 [words]."""

    def write_block(self, offset: int, values: np.ndarray) -> None:
        """Write uint32 [n] to consecutive words."""

    def wait_interrupt(self, cycles: int) -> bool:
        """Wait until the interrupt is high, at most as long as the hardware takes for `cycles`; whether it is."""

    def close(self) -> None:
        """Give back what the backend holds; further accesses raise HardwareError. A second time has no effect."""

    def allocate(self, size: int) -> Buffer | None:
        """Bytes of memory that the accelerator reads by itself, at a multiple of 4096; None where there is none."""
