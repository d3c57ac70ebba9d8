"""The accelerator through PYNQ: MMIO for registers and windows, `allocate` for shared memory, its interrupt."""

from __future__ import annotations

import asyncio
import warnings

import numpy as np
import pynq

from riffle.backends.mapped import MappedWords
from riffle.backends.polling import CYCLES, ISR, poll
from riffle.backends.shared_memory import Buffer
from riffle.board.interrupt_loop import interrupt_loop
from riffle.board.simulated.device import board_lock
from riffle.errors import SharedMemoryError

SHORT = 1000  # cycles; shorter waits are over before Linux brings an interrupt
STANDSTILL = 1000  # part of the cycles to wait for; hardware that counts less meanwhile does not run
HEARD_WITHIN, LATE = 0.2, 0.02  # seconds; Linux brings an interrupt in far less; it may be just on its way


class BoardBackend(MappedWords):
    """The accelerator of an overlay that is loaded.

    Parameters
    ----------
    words
        its segment, as `MMIO.array` has it
    pin
        its interrupt; None where the overlay has none: then ISR is polled
    device
        the board; a simulated one has `model`, the backend that simulates

    Attributes
    ----------
    model
        of a simulated board, None of a real one
    """

    shares_memory = True

    def __init__(self, words: np.ndarray, pin: pynq.Interrupt | None, device: pynq.Device):
        super().__init__(words, board_lock())
        self.pin, self.model = pin, getattr(device, "model", None)
        through = f"{device.name} through PYNQ {pynq.__version__}"
        self.what = f"the simulated {through}" if self.model else through
        self.fetches_from = self.model.fetches_from if self.model else "the board's DDR"
        self.clock_hz = pynq.Clocks.fclk0_mhz * 1e6
        self._loop, self._told, self._bitstream = interrupt_loop(), False, _bitstream()

    def there(self) -> bool:
        """Whether PYNQ says that the FPGA holds what it held in the beginning; of other processes it says nothing."""
        return self._bitstream == _bitstream()

    @property
    def cycles(self) -> int | None:
        """Clock cycles simulated so far; None on a board."""
        return self.model.cycles if self.model else None

    def allocate(self, size: int) -> Buffer:
        """Contiguous memory.

        Raises
        ------
        SharedMemoryError
            if PYNQ has not that much left
        """
        try:
            buffer = pynq.allocate(size, np.uint8)
        except (MemoryError, RuntimeError) as error:
            raise SharedMemoryError(f"PYNQ cannot allocate {size} bytes of contiguous memory ({error}). Remedy: free "
                                    "other buffers, or end the processes that hold them") from error
        return Buffer(np.asarray(buffer), buffer.physical_address, buffer.flush, buffer.freebuffer)

    def wait_interrupt(self, cycles: int) -> bool:
        """Wait for the interrupt, or until CYCLES shows that there is nothing to wait for."""
        if cycles < SHORT or self.pin is None:
            return poll(self, cycles)
        return self._loop.wait_for(self._wait(self.pin, cycles))

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


def _bitstream() -> str | None:
    """When PYNQ has loaded what the FPGA holds; it names a bitstream before it loads it."""
    return getattr(pynq.Device.active_device, "timestamp", None)


async def _heard(pin: pynq.Interrupt, seconds: float) -> bool:
    """Whether the interrupt comes in this time."""
    try:
        await asyncio.wait_for(pin.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True
