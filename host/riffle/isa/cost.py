"""How many cycles a descriptor takes when the weights come in time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from riffle.isa import spec
from riffle.isa.descriptor import Descriptor
from riffle.isa.emulator import taps
from riffle.isa.spec import CONV, GLOBAL_AVERAGE, MAXPOOL

MAXPOOL_SLOTS = 9  # cycles of a block and phase: one per tap
LAUNCH = 7  # cycles from a descriptor's launch to its first slot
WRITES = {"convolution": 22, "raw": 37, "maximum": 4, "average": 10}  # cycles that the last writes take beyond a launch
OVERLAPPED = 1  # the same where the next descriptor overlaps
RUN = 31  # cycles at the beginning and end of a run


def predict(descriptors: Sequence[Descriptor]) -> list[int]:
    """Cycles of each descriptor of a program, by the model of docs/architecture.md, as the cycle log counts them.

    The first bears the beginning and the end of the run, which the log leaves out.
    """
    cycles = []
    for i, d in enumerate(descriptors):
        pairs, reread = d.groups * d.pairs, pairs_that_reread(d)
        phases = (1 << 2 * d.log2s) >> 2 * d.stride2
        overlapped = i + 1 < len(descriptors) and descriptors[i + 1].overlap
        slots = phases * (reread * pair_slots(d, 1) + (pairs - reread) * pair_slots(d))
        cycles.append(slots + LAUNCH + (OVERLAPPED if overlapped else WRITES[kind(d)]))
    if cycles:
        cycles[0] += RUN
    return cycles


def pair_slots(d: Descriptor, reread: int = 0) -> int:
    """Cycles from one pair and phase to the next; `reread` of them to read what it adds to."""
    if d.opcode == MAXPOOL:
        return MAXPOOL_SLOTS
    if d.opcode == GLOBAL_AVERAGE:
        return spec.AVERAGE_SLOTS * d.blocks
    return max(spec.RAW_SLOTS if d.raw else spec.DRAIN_SLOTS, len(taps(d)) * d.blocks + reread)


def pairs_that_reread(d: Descriptor) -> int:
    """How many pairs of a descriptor read what they add to; the second pair of a block finds it read by the first."""
    pairs = d.groups * d.pairs
    if not d.residual or (1 << 2 * d.log2s) >> 2 * d.stride2 > spec.KEPT_PHASES:
        return pairs * d.residual
    first = [d.position + g * d.group_outputs + i for g in range(d.groups) for i in range(0, d.group_outputs, 2)]
    return pairs - sum(a % spec.BANKS == 0 and b - a == 2 for a, b in itertools.pairwise(first))


def kind(d: Descriptor) -> str:
    if d.opcode == CONV:
        return "raw" if d.raw else "convolution"
    return "maximum" if d.opcode == MAXPOOL else "average"
