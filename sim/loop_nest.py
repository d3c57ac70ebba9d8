"""The sequencer's loops in Python: which slot comes in which cycle, and what its outputs then show."""

from itertools import count

import numpy as np

from riffle.isa import spec
from riffle.isa.emulator import CONV, GLOBAL_AVERAGE, MAXPOOL, Positions, taps
from riffle.isa.spec import ERROR_CODES

RING = 1024  # weight words
STEP = {-1: 0b10, 0: 0b00, 1: 0b01}


def pair_weights(d):
    """Weight words of a pair, as its header must give them."""
    return len(taps(d)) * d.blocks if d.opcode == CONV else 0


def pairs(d):
    """For each pair a list of its output phases: reads, ((address, step) of banks 0 and 1, the same of 2 and 3) each,
    and writes, (address, bank mask) of each channel."""
    side, positions = (1 << d.log2s) >> d.stride2, Positions(d)
    for group, pair in np.ndindex(d.groups, d.pairs):
        channel = d.in_channel + group * d.group_step + pair * d.pair_step
        places = [positions.next() for _ in range(min(2, d.group_outputs - 2 * pair))]
        yield [([tuple(read(d, int(tap[bank]), channel, b, py, px) for bank in (0, 2))
                 for tap in taps(d) for b in range(d.blocks)],
                [write(d, position, py * side + px) for position in places])
               for py, px in np.ndindex(side, side)]


def read(d, tap, channel, b, py, px):
    s, stride = 1 << d.log2s, 1 + d.stride2
    y, x = stride * py + tap // 3 - 1, stride * px + tap % 3 - 1
    address = d.in_base + (channel // spec.BANKS + b) * s * s + y % s * s + x % s
    return address + beyond(channel), STEP[y // s] << 2 | STEP[x // s]


def write(d, position, phase):
    block = position if d.raw else position // 2 if d.duplicate else position // 4
    mask = 0b0101 << position % 2 if d.duplicate else 1 << position % 4
    return d.out_base + block * d.out_phases + phase + beyond(position), mask


def beyond(number):
    """A channel or position that 16 bits do not hold puts its addresses beyond the memory."""
    return number >> 16 << 16


def timetable(d, depth, ready, base, weights):
    """What the outputs show in the cycles after start_i.

    Parameters
    ----------
    d
        Descriptor
    depth
        words of a memory bank
    ready
        for each cycle, whether weights are; used again from its beginning on
    base
        of the ring, weight words
    weights
        the count that the pairs' headers give, which need not be the right one

    Returns
    -------
    events (cycle, name, values ...) in order, the cycle of done_o, and the ring's next base
    """
    average, stream, events, errors = d.opcode == GLOBAL_AVERAGE, d.opcode != MAXPOOL, [], {}
    pace = spec.AVERAGE_SLOTS if average else 1
    least = spec.RAW_SLOTS if d.raw else spec.DRAIN_SLOTS
    earliest, waits, hole = 3, 3, None
    kept, nest = False, list(pairs(d))
    for number, phases in enumerate(nest):
        take = next(cycle for cycle in count(earliest)
                    if (cycle - 3) % pace == 0 and (ready[cycle % len(ready)] or not stream))
        if stream:
            events += [(cycle, "starved") for cycle in range(waits, take) if not ready[cycle % len(ready)]]
            events.append((take, "take"))
        begin = take + 1
        if stream and weights != pair_weights(d):
            errors[begin + 4] = "STREAM_HEADER", weights  # with the pair's first slot, before what that reads
        for reads, writes in phases:
            events.append((begin + 3, "first", base // 2))
            now = begin
            for i, banks in enumerate(reads):
                now += now == hole  # the memory ports are needed for the output's old words
                events.append((now + 3, "feed", i == len(reads) - 1, held(banks), (base + i) % RING))
                note(errors, now + 4, "READ_RANGE", banks, depth)
                now += pace
            end = max(begin + least, now) - 1
            reread = average or (d.residual and not kept)
            events.append((end + 3, "last", held(writes), bool(reread), keeps(d, nest, number), kept))
            note(errors, end + 4, "WRITE_RANGE", writes, depth)
            hole = end + 5 if reread else None
            begin = end + 1
        kept = keeps(d, nest, number)
        base = (base + weights + weights % 2) % RING if stream else base
        earliest, waits = end, end + 1
    events.append((end + 1, "done"))
    events += [(cycle, "error", ERROR_CODES[name], detail) for cycle, (name, detail) in errors.items()]
    return sorted(events, key=lambda event: event[:2]), end + 1, base


def keeps(d, nest, number):
    """Whether a pair is the first of a block, and the old words of the second one are kept."""
    first, second = ([mask for _, mask in nest[i][0][1]] if i < len(nest) else [] for i in (number, number + 1))
    return bool(d.residual and len(nest[number]) <= spec.KEPT_PHASES and first == [1, 2] and second[:1] == [4])


def held(accesses):
    """Addresses as the ports hold them."""
    return [(address % 2048, rest) for address, rest in accesses]


def note(errors, cycle, name, accesses, depth):
    """The first address beyond the memory; beyond 16 bits only that it is so."""
    for address, _ in accesses:
        if address >= depth:
            errors.setdefault(cycle, (name, min(address, 1 << 16)))
