"""What an image costs the host: words over the bus, and time in Python besides the engine's."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from riffle.backends.verilated import RtlBackend
from riffle.driver.accelerator import Accelerator
from riffle.errors import HardwareError
from riffle.isa import spec

REPEAT = 20


@dataclass
class Count:
    """Accesses to the segment.

    Attributes
    ----------
    words
        read and written, by window: REGISTERS, IMAGE, ACTIVATIONS (the result), ...
    accesses
        calls from Python, each of one word or of many that NumPy copies
    """

    words: Counter[str] = field(default_factory=Counter)
    accesses: int = 0

    @property
    def copied(self) -> int:
        """Words that are no access of their own."""
        return sum(self.words.values()) - self.accesses


@dataclass(frozen=True)
class HostWork:
    """Of one image.

    Attributes
    ----------
    words
        that the driver reads and writes, by window: REGISTERS, IMAGE, ACTIVATIONS (the result), ...
    accesses
        calls from Python for them
    python_ms, simulated_ms
        time in Python, and in the model (on a board: in the engine, by its counters), of the run with the least in
        Python: others use this computer, too
    """

    words: dict[str, int]
    accesses: int
    python_ms: float
    simulated_ms: float


class TimedLibrary:
    """The model's functions, and the seconds spent in them."""

    def __init__(self, library: object):
        self.library, self.seconds = library, 0.0

    def __getattr__(self, name: str) -> object:
        function = getattr(self.library, name)

        def timed(*arguments: object) -> object:
            start = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds += time.perf_counter() - start
        return timed


def measure(accelerator: Accelerator, image: np.ndarray, repeat: int = REPEAT) -> HostWork:
    """Run the loaded program on an image again and again.

    Raises
    ------
    HardwareError
        if the backend computes in Python, so that the two cannot be told apart
    """
    model = _model(accelerator)
    accelerator.run(image)
    with counting(accelerator) as count:
        accelerator.run(image)
    one = _timed if model is None else partial(_timed_with_model, model=model)
    python, engine = min(one(accelerator, image) for _ in range(repeat))
    return HostWork(dict(count.words), count.accesses, python * 1e3, engine * 1e3)


def _timed(accelerator: Accelerator, image: np.ndarray) -> tuple[float, float]:
    """Seconds of one run in Python and in the engine, which counts its cycles."""
    start = time.perf_counter()
    result = accelerator.run(image)
    whole, engine = time.perf_counter() - start, (result.cycles + result.waited) / accelerator.backend.clock_hz
    return whole - engine, engine


def _timed_with_model(accelerator: Accelerator, image: np.ndarray, model: RtlBackend) -> tuple[float, float]:
    """The same where a model stands for the engine: calls of its library are timed."""
    library, model._library = model._library, TimedLibrary(model._library)
    try:
        start = time.perf_counter()
        accelerator.run(image)
        return time.perf_counter() - start - model._library.seconds, model._library.seconds
    finally:
        model._library = library


@contextmanager
def counting(accelerator: Accelerator) -> Iterator[Count]:
    """Count what the driver does meanwhile."""
    count, backend = Count(), accelerator.backend
    counted = _Counted(backend, count)
    accelerator.segment.backend = accelerator.backend = counted
    try:
        yield count
    finally:
        accelerator.segment.backend = accelerator.backend = backend


class _Counted:
    """A backend whose accesses are counted.

    Rows are one access, as on the board, where NumPy copies them at once. A register that is read again and again is
    one, too: that is waiting, and how often depends on the speed of the host.
    """

    def __init__(self, backend: object, count: Count):
        self._backend, self._count = backend, count
        self._polled: int | None = None  # offset of the last access, if it was a read

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)

    def _add(self, offset: int, words: int) -> None:
        window = next(name for name, (base, size) in spec.WINDOWS.items() if base <= offset < base + size)
        self._count.words[window] += words
        self._count.accesses += 1
        self._polled = None

    def read(self, offset: int) -> int:
        if offset != self._polled:
            self._add(offset, 1)
        self._polled = offset
        return self._backend.read(offset)

    def write(self, offset: int, value: int) -> None:
        self._add(offset, 1)
        self._backend.write(offset, value)

    def read_block(self, offset: int, words: int) -> np.ndarray:
        self._add(offset, words)
        return self._backend.read_block(offset, words)

    def write_block(self, offset: int, values: np.ndarray) -> None:
        self._add(offset, values.size)
        self._backend.write_block(offset, values)

    def read_rows(self, offset: int, rows: int, words: int, pitch: int) -> np.ndarray:
        self._add(offset, rows * words)
        if at_once := getattr(self._backend, "read_rows", None):
            return at_once(offset, rows, words, pitch)
        return np.stack([self._backend.read_block(offset + 4 * y * pitch, words) for y in range(rows)])

    def write_rows(self, offset: int, rows: np.ndarray, pitch: int) -> None:
        self._add(offset, rows.size)
        if at_once := getattr(self._backend, "write_rows", None):
            return at_once(offset, rows, pitch)
        for y, row in enumerate(rows):
            self._backend.write_block(offset + 4 * y * pitch, row)
        return None


def _model(accelerator: Accelerator) -> RtlBackend | None:
    """The model behind an accelerator, on the simulated board the device's; None of real hardware."""
    backend = accelerator.backend
    if backend.cycles is None:
        return None
    model = getattr(backend, "model", backend)
    if not isinstance(model, RtlBackend):
        raise HardwareError(f"{type(model).__name__} computes in the host, or in another process: time is told apart "
                            "on a board and on simulated hardware only. Remedy: open the backend 'rtl', or 'board'")
    return model
