"""What a run gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riffle.driver.registers import Segment
from riffle.isa import layout, spec
from riffle.isa.program import Place


@dataclass(frozen=True, repr=False)
class Result:
    """What a run gave.

    Attributes
    ----------
    output
        the network's output, [channels][H][W]; int32 [classes][1][1] for scores
    label
        name of the class with the highest score, or its number where classes have no names; empty where the output is
        a map, not scores
    cycles, busy, starved
        of the run; in which the array was fed; in which it waited for weights
    milliseconds
        the cycles at the clock of the hardware
    waited
        cycles before them, in which the run waited for the image that it fetches; in a batch they are part of `cycles`
    """

    output: np.ndarray
    label: str
    cycles: int
    busy: int
    starved: int
    milliseconds: float
    waited: int = 0

    def __repr__(self) -> str:
        gave = f"label {self.label!r}" if self.label else f"map {'x'.join(map(str, self.output.shape))}"
        waited = f", {self.waited:,} cycles for the image before" * bool(self.waited)
        return f"<Result: {gave}, {self.cycles:,} cycles ({self.milliseconds:.3f} ms){waited}>"

    @property
    def logits(self) -> np.ndarray:
        """Raw scores, int32 [classes]."""
        return self.output.reshape(-1)


def read_memory(segment: Segment, configuration: dict[str, int], place: Place, positions: np.ndarray,
                lane: int = 0) -> np.ndarray:
    """Activation memory as `Program.read` takes it, int8 [4][depth][lanes].

    Parameters
    ----------
    place, positions
        what is wanted: channel positions, int [n]; everything else is 0 and not read from the hardware
    lane
        of vectors only the one of this image is wanted
    """
    lanes = configuration["rows"] * configuration["columns"]
    memory = np.zeros((spec.BANKS, configuration["activation_depth"], lanes), np.int8)
    first, end = (lane + place.lane, lane + place.lane + 1) if place.vector else (0, lanes)
    bank, address = layout.locate(positions, place.log2s, place.layout)
    rows = (place.base + address[:, None] + np.arange(1 << 2 * place.log2s)) * spec.BANKS + bank[:, None]
    if place.layout == "raw":
        rows = rows[..., None] + np.arange(spec.BANKS)
    rows = np.unique(rows)
    for run in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
        if run.size:
            read = segment.read_lanes(int(run[0]), run.size, first, end)
            memory[run % spec.BANKS, run // spec.BANKS, first:end] = read
    return memory
