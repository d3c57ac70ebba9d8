"""Where the vectors of a batch lie: what the global averages leave, until the classifier reads those of all images.

A word has one lane for each image, if there is room for as many words as a vector has blocks. Otherwise an image has a
window of 2x2 lanes, each with a quarter of its vector: a quarter of the words, and up to nine images instead of 49. The
classifier then reads the window (descriptor flag taps4), in as many slots.
"""

from __future__ import annotations

from dataclasses import dataclass

from riffle.isa.spec import BANKS


@dataclass(frozen=True)
class Lanes:
    """`images`: the lane of each image; `parts`: how many lanes further each part of its vector lies."""

    images: tuple[int, ...]
    parts: tuple[int, ...] = (0,)

    def blocks(self, channels: int) -> int:
        """Blocks of four channels in a part of a vector; the last part may have fewer."""
        return -(-channels // (BANKS * len(self.parts)))


def alone(rows: int, columns: int) -> Lanes:
    """Any lane for one image after the other, a whole vector in each."""
    return Lanes(tuple(range(rows * columns)))


def windows(rows: int, columns: int) -> Lanes:
    """Windows of 2x2 lanes."""
    firsts = tuple(y * columns + x for y in range(0, rows - 1, 2) for x in range(0, columns - 1, 2))
    return Lanes(firsts, (0, 1, columns, columns + 1))
