"""Slices of fused layers, and the order in which an average pool may overwrite its own input."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from riffle.compiler.fusion import Step
from riffle.graph.integer_graph import Convolution, MaxPool
from riffle.isa import layout as lattice
from riffle.isa.spec import BANKS

MAX_POOL_SLICES = 4


@dataclass(frozen=True)
class Slice:
    """Output channels `first` to `first + count - 1` of a convolution, before its shuffle."""

    first: int
    count: int


@dataclass(frozen=True)
class Cut:
    """A way to cut the convolution of a fused step; the temporary takes `words` addresses."""

    words: int
    slices: tuple[Slice, ...]


def cuts(step: Step, log2s: int) -> list[Cut]:
    """Ways to cut a fused step, the one with the fewest slices first; log2s of the tensor between its two layers."""
    convolution = step.before
    assert isinstance(convolution, Convolution)
    outputs = len(convolution.weight)
    if isinstance(step.layer, MaxPool):
        sizes, layout, whole = range(BANKS * -(-outputs // BANKS), 0, -BANKS), "plain", outputs
    else:
        whole = outputs // convolution.groups
        groups = range(convolution.groups, 0, -1)
        sizes = [n * whole for n in groups] + list(range((whole - 1) // 2 * 2, 0, -2))
        layout = "duplicated"
    best: dict[int, Cut] = {}  # by number of slices; of cuts with as many, the last one needs least memory
    for size in sizes:
        slices = _slices(outputs, whole, size)
        words = lattice.words_of(max(s.count for s in slices), log2s, layout)
        best[len(slices)] = Cut(words, slices)
    return [best[n] for n in sorted(best)]


def _slices(outputs: int, group: int, size: int) -> tuple[Slice, ...]:
    """Slices of at most `size` channels that are whole groups, or else parts of one group."""
    if size >= group:
        firsts = list(range(0, outputs, size))
    else:
        firsts = [g + part for g in range(0, outputs, group) for part in range(0, group, size)]
    return tuple(Slice(first, end - first) for first, end in zip(firsts, [*firsts[1:], outputs], strict=True))


@lru_cache(maxsize=65536)
def pool_slices(distance: int, channels: int, out_channel: int, log2s: int) -> tuple[Slice, ...] | None:
    """How an average pool (stride 2) runs so that it overwrites nothing of its input that it still reads.

    Its output may lie on input that has been used. Blocks of a slice run upwards; slices are given in their order,
    which is downwards.

    Parameters
    ----------
    distance
        address of the output tensor minus that of the input tensor
    channels, out_channel
        how many channels, and where in the output tensor they begin
    log2s
        of the input

    Returns
    -------
    The slices, or None where there is no order in at most four of them.
    """
    phases_in, phases_out = 1 << 2 * log2s, 1 << 2 * log2s - 2
    block = np.arange(-(-channels // BANKS))
    low = distance + (out_channel + BANKS * block) // BANKS * phases_out
    last = out_channel + np.minimum(BANKS * block + BANKS - 1, channels - 1)
    high = distance + (last // BANKS + 1) * phases_out
    slices, end = [], len(block)
    # What a slice writes lies above the input of the slices to come: `low` rises, and theirs must be above, too.
    while end:
        used = (low >= end * phases_in) | (high <= block * phases_in)
        wrong = np.flatnonzero(~used[:end])
        first = int(wrong[-1]) + 1 if len(wrong) else 0
        if first == end or len(slices) == MAX_POOL_SLICES:
            return None
        slices.append(Slice(BANKS * first, min(BANKS * end, channels) - BANKS * first))
        end = first
    return tuple(slices)


@lru_cache(maxsize=64)
def pool_edges(channels: int, out_channel: int, log2s: int) -> tuple[int, ...]:
    """Distances next to which an overlap of a pool's input and output begins or ceases to be possible."""
    phases_in, phases_out = 1 << 2 * log2s, 1 << 2 * log2s - 2
    lowest, highest = -(out_channel + channels) // BANKS * phases_out, -(-channels // BANKS) * phases_in
    distances = range(lowest - 2 * phases_out, highest + 2 * phases_out, phases_out)
    possible = [pool_slices(distance, channels, out_channel, log2s) is not None for distance in distances]
    return tuple(d for i, d in enumerate(distances) if possible[i] and not all(possible[max(0, i - 1):i + 2]))
