"""What batches and coroutines need of an accelerator: they do not import its class."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from riffle.backends.backend import Backend
from riffle.backends.hardware_lock import HardwareLock
from riffle.driver.image_delivery import WrittenImages
from riffle.driver.registers import Segment
from riffle.driver.result import Result
from riffle.driver.run_control import RunControl
from riffle.isa.program import Program


class Handle(Protocol):
    """See `accelerator.Accelerator`."""

    backend: Backend
    segment: Segment
    control: RunControl
    exclusive: HardwareLock
    images: WrittenImages | None

    def loaded(self) -> Program:
        """The program."""

    def run(self, image: np.ndarray, lane: int = 0) -> Result:
        """Run the loaded program on one image."""

    def launch(self, first: int, count: int, *, lane: int = 0) -> int:
        """Start a part of the program; how many cycles `finish` should wait at most."""

    def finish(self, cycles: int) -> None:
        """Wait for the end of a run."""

    def stop(self) -> None:
        """Stop the run that somebody waits for."""

    def run_descriptors(self, first: int, count: int) -> None:
        """Run a part of the program to the end."""

    def write_image(self, image: np.ndarray) -> None:
        """Put an image where the program reads it."""

    def counters(self) -> dict[str, int]:
        """Of the last run."""

    def result(self, lane: int, counters: dict[str, int]) -> Result:
        """What the last run has left in a lane."""
