"""What an image takes, from the host's call to its result: the one account of time that everything prints.

    print(timing.measure(accelerator, image))
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from riffle.analysis.bus_traffic import Count, counting
from riffle.analysis.profile import PIXEL_BYTES, PORT_BYTES
from riffle.driver.accelerator import Accelerator
from riffle.driver.result import Result

ACCESS_US = 30.0  # assumed of the board: an access from Python to a register
WORD_US = 0.2  # assumed of the board: a further word over the bus, which NumPy copies
INTERRUPT_ACCESSES = 6  # of PYNQ to its interrupt controller, for each run


@dataclass(frozen=True)
class Times:
    """Of one image; of a batch the share of one image.

    Attributes
    ----------
    cycles
        of the engine
    waited
        cycles before them, in which the run waits for its image
    clock_hz
        of the hardware: what turns cycles into time
    host_ms
        milliseconds that the host takes besides
    how
        where `host_ms` comes from, for people
    what
        has run it, for people
    """

    cycles: int
    waited: int
    clock_hz: float
    host_ms: float
    how: str
    what: str

    @property
    def engine_ms(self) -> float:
        return self.cycles / self.clock_hz * 1e3

    @property
    def image_ms(self) -> float:
        return self.waited / self.clock_hz * 1e3

    @property
    def total_ms(self) -> float:
        """What a user gets."""
        return self.engine_ms + self.image_ms + self.host_ms

    @property
    def rate(self) -> float:
        """Images a second, one after the other."""
        return 1e3 / self.total_ms

    @property
    def about(self) -> str:
        """The rate with two digits, as more are not known."""
        return f"about {float(f'{self.rate:.2g}'):,.0f} images/s"

    def lines(self) -> dict[str, str]:
        """The account for people, what a user gets first."""
        return {"you get": f"{self.about}: {self.total_ms:.2f} ms an image at {self.clock:.5g} MHz",
                "engine": f"{self.cycles:,} cycles = {self.engine_ms:.3f} ms",
                "image": f"{self.waited:,} cycles = {self.image_ms:.3f} ms until it has come from memory",
                "host": f"{self.host_ms:.3f} ms: {self.how}"}

    @property
    def clock(self) -> float:
        """In MHz."""
        return self.clock_hz / 1e6

    def as_json(self) -> dict[str, float]:
        """For `--json`: milliseconds."""
        return {"ms_per_image": round(self.total_ms, 4), "engine_ms": round(self.engine_ms, 4),
                "image_ms": round(self.image_ms, 4), "host_ms": round(self.host_ms, 4), "clock_mhz": self.clock}

    def __str__(self) -> str:
        return "\n".join(f"{name:8} {text}" for name, text in self.lines().items())


def times(accelerator: Accelerator, results: list[Result], count: Count, seconds: float) -> Times:
    """The account of runs that have been done.

    Parameters
    ----------
    results
        of all images
    count
        the host's accesses for all of them
    seconds
        that passed: on a board they tell what the host took, beside simulated hardware they tell nothing
    """
    backend, images = accelerator.backend, len(results)
    cycles, waited = (round(sum(getattr(result, name) for result in results) / images) for name in ("cycles", "waited"))
    if not waited and accelerator.images.name == "ddr" and not accelerator.program.batch:
        _, height, width = accelerator.program.image_size  # NumPy and HLS do not count it
        waited = height * width * PIXEL_BYTES // PORT_BYTES
    if backend.cycles is None:
        host = 1e3 * (seconds / images - (cycles + waited) / backend.clock_hz)
        return Times(cycles, waited, backend.clock_hz, max(host, 0.0), "measured", backend.what)
    accesses, words = (round(number / images) for number in (count.accesses, count.copied))
    accesses += INTERRUPT_ACCESSES
    host = (accesses * ACCESS_US + words * WORD_US) / 1e3
    how = f"{accesses} accesses, {words:,} words; {ACCESS_US:g} and {WORD_US:g} us each assumed"
    return Times(cycles, waited, backend.clock_hz, host, how, backend.what)


def measure(accelerator: Accelerator, image: np.ndarray) -> Times:
    """Run the loaded program once more; its first run writes more registers than the others.

    Errors as `Accelerator.run`.
    """
    with counting(accelerator) as count:
        start = time.perf_counter()
        result = accelerator.run(image)
        return times(accelerator, [result], count, time.perf_counter() - start)
