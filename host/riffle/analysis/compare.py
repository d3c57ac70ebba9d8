"""Where hardware and reference part: a program run descriptor by descriptor, every result compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from riffle.driver.accelerator import Accelerator
from riffle.graph import reference
from riffle.graph.integer_graph import IntegerNetwork
from riffle.isa.program import Record


@dataclass(frozen=True)
class Difference:
    """The first value of a descriptor's result that is not the reference's; `count` values differ in all."""

    layer: str
    descriptor: int
    tensor: str
    channel: int
    y: int
    x: int
    expected: int
    got: int
    count: int

    def __str__(self) -> str:
        return (f"layer {self.layer} (descriptor {self.descriptor}), tensor {self.tensor}, channel {self.channel}, "
                f"pixel ({self.y}, {self.x}): expected {self.expected}, got {self.got}; {self.count} values differ")


def compare(accelerator: Accelerator, network: IntegerNetwork, image: np.ndarray) -> Difference | None:
    """The first difference to the reference, None where all is equal; arguments as `steps`."""
    return next((difference for _, difference in steps(accelerator, network, image) if difference), None)


def steps(accelerator: Accelerator, network: IntegerNetwork,
          image: np.ndarray) -> Iterator[tuple[str, Difference | None]]:
    """Run the loaded program, which must be `network` compiled, one descriptor after the other.

    Parameters
    ----------
    image
        as `Accelerator.run` takes it

    Yields
    ------
    for each descriptor its layer and the first difference, None where it has none
    """
    program = accelerator.program
    expected = reference.run(network, image)
    accelerator.write_image(image)
    for index, record in enumerate(program.records):
        accelerator.run_descriptors(index, 1)
        got = program.read(accelerator.memory(record.place, record.positions), index)
        yield record.layer, first_difference(record, index, expected[record.place.tensor][record.channels], got)


def first_difference(record: Record, index: int, expected: np.ndarray, got: np.ndarray) -> Difference | None:
    """Compare [n][H][W] of a descriptor's `Record`; None where all is equal."""
    wrong = np.argwhere(expected != got)
    if not len(wrong):
        return None
    i, y, x = map(int, wrong[0])
    return Difference(record.layer, index, record.place.tensor, int(record.channels[i]), y, x,
                      int(expected[i, y, x]), int(got[i, y, x]), len(wrong))
