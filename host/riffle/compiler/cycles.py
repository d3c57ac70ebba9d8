"""How many cycles a descriptor takes when the weights come in time."""

from __future__ import annotations

from collections.abc import Sequence

from .. import spec
from ..descriptor import Descriptor

CONV, MAXPOOL, GLOBAL_AVERAGE = (spec.OPCODES[name] for name in ("CONV", "MAXPOOL", "GLOBAL_AVERAGE"))
MAXPOOL_SLOTS = 9  # cycles of a block and phase: one per tap
LAUNCH = 7  # cycles from a descriptor's launch to its first slot
WRITES = {"convolution": 22, "raw": 37, "maximum": 4, "average": 7}  # cycles that the last writes take beyond a launch
OVERLAPPED = 1  # the same where the next descriptor overlaps
RUN = 31  # cycles at the beginning and end of a run


def predict(descriptors: Sequence[Descriptor]) -> list[int]:
    """Cycles of each descriptor of a program, by the model of docs/architecture.md, as the cycle log counts them.

    The first bears the beginning and the end of the run, which the log leaves out.
    """
    cycles = []
    for i, d in enumerate(descriptors):
        pairs = d.groups * -(-d.group_outputs // 2)
        phases = (1 << 2 * d.log2s) >> 2 * d.stride2
        overlapped = i + 1 < len(descriptors) and descriptors[i + 1].overlap
        cycles.append(pairs * phases * pair_slots(d) + LAUNCH + (OVERLAPPED if overlapped else WRITES[kind(d)]))
    if cycles:
        cycles[0] += RUN
    return cycles


def pair_slots(d: Descriptor) -> int:
    """Cycles from one pair and phase to the next."""
    if d.opcode == MAXPOOL:
        return MAXPOOL_SLOTS
    if d.opcode == GLOBAL_AVERAGE:
        return spec.AVERAGE_SLOTS * d.blocks
    taps = (5 if d.paired else 9) if d.taps9 else 1
    return max(spec.RAW_SLOTS if d.raw else spec.DRAIN_SLOTS, taps * d.blocks + d.residual)


def kind(d: Descriptor) -> str:
    if d.opcode == CONV:
        return "raw" if d.raw else "convolution"
    return "maximum" if d.opcode == MAXPOOL else "average"
