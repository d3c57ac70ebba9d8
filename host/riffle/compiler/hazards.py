"""What descriptors read and write: when one may begin early, and when a place in memory is free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riffle.isa import spec
from riffle.isa.cost import LAUNCH, OVERLAPPED, pair_slots
from riffle.isa.descriptor import Descriptor
from riffle.isa.emulator import Positions, taps
from riffle.isa.spec import CONV

BETWEEN = LAUNCH + OVERLAPPED  # cycles without a slot between a descriptor and one that overlaps it


def may_overlap(earlier: Sequence[Descriptor], after: Descriptor) -> bool:
    """Whether `after` may have the flag `overlap` when it runs behind `earlier`, of which it overlaps the last.

    It may where no read of its slot j meets a write of t slots before its first one, for j + t below
    `spec.OVERLAP_SLOTS`, whichever descriptor writes; both it and the last are convolutions that write int8.
    """
    before = earlier[-1]
    if before.opcode != CONV or after.opcode != CONV or before.raw or after.raw:
        return False
    written = last_writes(earlier)
    return not any(t + j < spec.OVERLAP_SLOTS and address in addresses
                   for j, address in first_reads(after) for t, addresses in written)


def last_writes(descriptors: Sequence[Descriptor]) -> list[tuple[int, set[int]]]:
    """For the last pairs and phases: how many slots before the last one each ended, and the addresses it writes.

    A short descriptor that overlaps may end before the writes of the one before it: then these count, too.
    """
    result: list[tuple[int, set[int]]] = []
    ended = 0  # slots from the end of a descriptor to the end of all
    for d in reversed(descriptors):
        t = ended
        for addresses in reversed(writes(d)):
            for phase in reversed(range(d.out_phases)):
                if t >= spec.OVERLAP_SLOTS:
                    return result
                result.append((t, {address + phase for address in addresses}))
                t += pair_slots(d)
        if not d.overlap:
            break  # it began when everything before had been written
        ended = t + BETWEEN
    return result


def touches(d: Descriptor, first: int, end: int) -> bool:
    """Whether a descriptor may read or write one of the addresses `first` to `end` - 1."""
    return any(base < end and first < base + words
               for base, words in ((d.in_base, words_read(d)), (d.out_base, words_written(d))))


def words_read(d: Descriptor) -> int:
    """Words of a bank from in_base to the end of what may be read."""
    channel = d.in_channel + (d.groups - 1) * d.group_step + (d.pairs - 1) * d.pair_step
    return (channel // spec.BANKS + d.blocks) << 2 * d.log2s


def words_written(d: Descriptor) -> int:
    """Words of a bank from out_base to the end of what is written."""
    return max(max(pair) for pair in writes(d)) - d.out_base + d.out_phases


def writes(d: Descriptor) -> list[list[int]]:
    """Addresses, at phase 0, that each pair writes."""
    positions, phases = Positions(d), d.out_phases
    per_block = 1 if d.raw else 2 if d.duplicate else spec.BANKS
    result = []
    for _ in range(d.groups):
        blocks = [positions.next() // per_block for _ in range(d.group_outputs)]
        result += [[d.out_base + block * phases for block in blocks[i:i + 2]] for i in range(0, len(blocks), 2)]
    return result


def first_reads(d: Descriptor) -> list[tuple[int, int]]:
    """Slot (or an earlier one) and address of the first reads, whatever the bank."""
    s, stride = 1 << d.log2s, 1 + d.stride2
    pairs = d.pairs
    outputs, result = writes(d), []
    for number, (pair, py, px) in enumerate(np.ndindex(d.groups * pairs, s // stride, s // stride)):
        slot = number * pair_slots(d)
        if slot >= spec.OVERLAP_SLOTS:
            break
        if d.residual:
            # where the first pair of a block has read for the second one, that has read the same address before
            result += [(slot + pair_slots(d), address + py * s // stride + px) for address in outputs[pair]]
        block = (d.in_channel + pair // pairs * d.group_step + pair % pairs * d.pair_step) // spec.BANKS
        for tap in taps(d):
            phases = {(stride * py + t // 3 - 1) % s * s + (stride * px + t % 3 - 1) % s for t in map(int, tap)}
            for b in range(d.blocks):
                result += [(slot, d.in_base + (block + b) * s * s + phase) for phase in phases]
                slot += 1
    return result
