"""How many cycles a descriptor takes when the weights come in time."""

from __future__ import annotations

from .. import spec
from ..descriptor import Descriptor

DESCRIPTOR_OVERHEAD = 35  # cycles from one descriptor to the next in which nothing new is fed: fetch, fill and drain
MAXPOOL_SLOTS = 9  # cycles of a block and phase: one per tap


def predict(d: Descriptor) -> int:
    """Cycles of a descriptor, by the model of docs/architecture.md: every pair and phase costs its slots."""
    pairs = d.groups * -(-d.group_outputs // 2)
    phases = (1 << 2 * d.log2s) >> 2 * d.stride2
    if d.opcode == spec.OPCODES["MAXPOOL"]:
        slots = MAXPOOL_SLOTS
    elif d.opcode == spec.OPCODES["GLOBAL_AVERAGE"]:
        slots = spec.AVERAGE_SLOTS * d.blocks
    else:
        taps = (5 if d.paired else 9) if d.taps9 else 1
        slots = max(spec.RAW_SLOTS if d.raw else spec.DRAIN_SLOTS, taps * d.blocks + d.residual)
    return pairs * phases * slots + DESCRIPTOR_OVERHEAD
