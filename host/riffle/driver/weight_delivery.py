"""Where the weight stream of a run comes from: one class for each value of STREAM_SOURCE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from riffle.backends.backend import Backend
from riffle.backends.shared_memory import Buffer
from riffle.driver.registers import Segment
from riffle.errors import HardwareError, ProgramError
from riffle.isa import spec
from riffle.isa.program import Program

Until = Callable[[int], bool]
REFILL_CYCLES = 500  # that the host lets pass between two looks at the ring
WORD_CYCLES = 100  # that the host may take to write a stream word: four accesses, and its looks at the ring
PAUSE_CYCLES = 10_000_000  # that Linux may leave this process alone, in which the ring runs dry: 0.1 s at 100 MHz


class Source(Protocol):
    """A loaded weight stream."""

    name: str

    def settings(self, first: int, words: int) -> dict[str, int]:
        """Registers for a run that takes `words` stream words from `first` on."""

    def install(self) -> None:
        """Write what the hardware keeps of the stream."""

    def slowness(self, words: int) -> int:
        """Cycles that a run may take longer than predicted, because the stream words come slowly."""

    def wait(self, cycles: int, until: Until) -> bool:
        """Wait for the end of a run as `until`, which is `Backend.wait_interrupt` or polls, and see to the stream."""

    def release(self) -> None:
        """Give back what the stream occupies."""


class Resident:
    """All weights lie in the weight memory."""

    name = "resident"

    def __init__(self, segment: Segment, stream: np.ndarray):
        self.segment, self.stream = segment, stream

    def install(self) -> None:
        self.segment.write_window("WEIGHTS", 0, self.stream)

    def settings(self, first: int, words: int) -> dict[str, int]:
        return {"STREAM_SOURCE": spec.StreamSource.RESIDENT, "STREAM_BASE": first, "STREAM_LENGTH": words}

    def slowness(self, words: int) -> int:
        return 0

    def wait(self, cycles: int, until: Until) -> bool:
        return until(cycles)

    def release(self) -> None:
        pass


class Ddr(Resident):
    """The accelerator reads the weights from memory by itself.

    Raises
    ------
    MemoryError, HardwareError
        if there is not enough shared memory, or none
    """

    name = "ddr"

    def __init__(self, segment: Segment, stream: np.ndarray):
        self.segment, self.buffer = segment, shared(segment.backend, stream)

    def install(self) -> None:
        """The buffer holds the stream as long as it is allocated."""

    def settings(self, first: int, words: int) -> dict[str, int]:
        address = self.buffer.physical_address + first * spec.STREAM_BYTES
        return {"STREAM_SOURCE": spec.StreamSource.DDR, "STREAM_ADDRESS": address, "STREAM_LENGTH": words}

    def release(self) -> None:
        self.buffer.free()


class HostRing:
    """The host writes the weights into the weight memory while the engine uses them up; no memory is shared."""

    name = "host"

    def __init__(self, segment: Segment, stream: np.ndarray, depth: int):
        self.segment, self.stream, self.depth = segment, stream, depth
        self.written = self.last = self.first = 0

    def install(self) -> None:
        """Every run writes the stream anew."""

    def settings(self, first: int, words: int) -> dict[str, int]:
        self.first, self.written, self.last = first, 0, words
        return {"STREAM_SOURCE": spec.StreamSource.HOST, "STREAM_LENGTH": words}

    def slowness(self, words: int) -> int:
        return WORD_CYCLES * words + PAUSE_CYCLES

    def wait(self, cycles: int, until: Until) -> bool:
        for _ in range(0, cycles, REFILL_CYCLES):
            if self.segment.fields("CTRL")["IDLE"]:
                break  # stopped early: what is written now would change the memory
            self.refill()
            if until(REFILL_CYCLES):
                return True
        return until(REFILL_CYCLES)

    def refill(self) -> None:
        """Write as many words as there is room for; the ring's end is met half way."""
        room = self.segment.read("STREAM_TAKEN") + self.depth - self.written
        while room and self.written < self.last:
            place = self.written % self.depth
            count = min(room, self.last - self.written, self.depth - place)
            begin = self.first + self.written
            self.segment.write_window("WEIGHTS", place * spec.STREAM_BYTES, self.stream[begin:begin + count])
            self.written += count
            room -= count

    def release(self) -> None:
        pass


def way_of_weights(name: str, segment: Segment, program: Program, configuration: dict[str, int]) -> Source:
    """The way that is asked for: "resident", "ddr", "host", or with "auto" the first of these that works.

    Raises
    ------
    ProgramError
        if the weights are to be resident and do not fit
    HardwareError, SharedMemoryError
        if there is no shared memory, or not enough
    """
    reason = program.why_not_resident(configuration)
    if name == "resident" or (name == "auto" and not reason):
        if reason:
            raise ProgramError(reason)
        return Resident(segment, program.stream)
    if name == "host" or (name == "auto" and not segment.backend.shares_memory):
        return HostRing(segment, program.stream, configuration["weight_depth"])
    return Ddr(segment, program.stream)


def room(backend: Backend, size: int) -> Buffer:
    """A buffer that the accelerator can read; errors as `Ddr`."""
    buffer = backend.allocate(size)
    if buffer is None:
        raise HardwareError(f"{type(backend).__name__} shares no memory with the accelerator. Remedy: load the program "
                            "with weights='host' (or 'resident') and images='window'")
    return buffer


def shared(backend: Backend, data: np.ndarray) -> Buffer:
    """The same with the bytes of an array in it."""
    buffer = room(backend, data.nbytes)
    buffer.array[:] = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
    buffer.flush()
    return buffer
