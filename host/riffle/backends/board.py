"""The accelerator through PYNQ: MMIO for registers and windows, `allocate` for shared memory, its interrupt."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pynq

from .. import spec
from ..board.loop import interrupt_loop
from .buffers import Buffer
from .waiting import CYCLES, ISR, poll

if TYPE_CHECKING:
    from ..board.ip import RiffleIP

SHORT = 1000  # cycles; shorter waits are over before Linux brings an interrupt
STANDSTILL = 1000  # part of the cycles to wait for; hardware that counts less meanwhile does not run
HEARD_WITHIN, LATE = 0.2, 0.02  # seconds; Linux brings an interrupt in far less; it may be just on its way


class BoardBackend:
    """What an overlay's IP gives.

    Parameters
    ----------
    ip
        of an overlay that is loaded
    """

    shares_memory = True

    def __init__(self, ip: RiffleIP):
        self.ip, self._words = ip, ip.mmio.array
        self.clock_hz = pynq.Clocks.fclk0_mhz * 1e6
        self._loop, self._told = interrupt_loop(), False

    def read(self, offset: int) -> int:
        return int(self._words[_index(offset)])

    def write(self, offset: int, value: int) -> None:
        self._words[_index(offset)] = np.uint32(value)

    def read_block(self, offset: int, words: int) -> np.ndarray:
        first = _index(offset)
        return np.array(self._words[first:first + words], np.uint32)

    def write_block(self, offset: int, values: np.ndarray) -> None:
        first = _index(offset)
        self._words[first:first + values.size] = values

    def write_rows(self, offset: int, rows: np.ndarray, pitch: int) -> None:
        """Write uint32 [n][words], each row `pitch` words behind the one before: one assignment for a whole image."""
        first = _index(offset)
        self._words[first:first + len(rows) * pitch].reshape(len(rows), pitch)[:, :rows.shape[1]] = rows

    def allocate(self, size: int) -> Buffer:
        """Contiguous memory; errors are PYNQ's."""
        buffer = pynq.allocate(size, np.uint8)
        return Buffer(np.asarray(buffer), buffer.physical_address, buffer.flush, buffer.freebuffer)

    def wait_interrupt(self, cycles: int) -> bool:
        """Wait for the interrupt, or until CYCLES shows that there is nothing to wait for."""
        pin = getattr(self.ip, "interrupt", None)
        if cycles < SHORT or pin is None:
            return poll(self, cycles)
        return self._loop.wait_for(self._wait(pin, cycles))

    async def _wait(self, pin: pynq.Interrupt, cycles: int) -> bool:
        if self.read(ISR):
            return True
        seconds = max(cycles / self.clock_hz, HEARD_WITHIN)
        begin = last = None
        while True:
            if await _heard(pin, seconds):
                return True
            if self.read(ISR):
                if not await _heard(pin, LATE):
                    self._tell(seconds)
                return True
            now = self.read(CYCLES)  # simulated hardware needs more seconds
            if last is not None and (now - begin >= cycles or now - last <= cycles // STANDSTILL):
                return False
            begin, last = now if begin is None else begin, now

    def _tell(self, seconds: float) -> None:
        """Once: every run is as slow as this."""
        if not self._told:
            warnings.warn(f"the accelerator finished, but no interrupt came within {seconds:g} s. Results are right, "
                          "but late. Remedy: `riffle doctor`; or open the accelerator with wait='poll'", RuntimeWarning,
                          stacklevel=2)
        self._told = True


async def _heard(pin: pynq.Interrupt, seconds: float) -> bool:
    """Whether the interrupt comes in this time."""
    try:
        await asyncio.wait_for(pin.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


def _index(offset: int) -> int:
    if offset % 4 or not 0 <= offset < spec.SEGMENT_SIZE:
        raise ValueError(f"offset {offset:#x} is misaligned or outside the segment: accesses are 32-bit words at "
                         "multiples of 4")
    return offset // 4
