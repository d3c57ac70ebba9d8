"""Where each buffer lies: a search for addresses, so that nothing that is needed at the same time overlaps."""

from __future__ import annotations

from dataclasses import dataclass

from riffle.compiler.check import SMALLER
from riffle.compiler.fusion import Step
from riffle.compiler.liveness import Buffer, Needs, Part, Pool
from riffle.compiler.tiling import MAX_POOL_SLICES, Cut, Slice, pool_edges, pool_slices
from riffle.errors import CompileError

SEARCH_LIMIT = 2000  # placements tried in each search
FEW = 64  # words that a temporary should rather take as a whole


@dataclass
class Plan:
    """Base address by tensor; of each fused step its cut and the address of its temporary."""

    bases: dict[str, int]
    cuts: dict[int, tuple[Cut, int]]

    def pool_slices(self, pool: Pool) -> tuple[Slice, ...]:
        """The slices of an average pool that may overlap its input."""
        return pool_slices(self.bases[pool.output.name] - self.bases[pool.input.name], *pool.shape)

    def slices(self, needs: Needs) -> int:
        """How many slices all fused steps and pools have together."""
        fused = sum(len(cut.slices) for cut, _ in self.cuts.values())
        return fused + sum(len(self.pool_slices(pool)) for pool in needs.pools)


def make_plan(needs: Needs, steps: list[Step], depth: int) -> Plan:
    """Find a place for every buffer and temporary in a memory of `depth` words, with as few slices as can be had.

    Raises
    ------
    CompileError
        if the network does not fit; names the layer, the need and the limit
    """
    least = {time: min(cut.words for cut in cuts) for time, cuts in needs.cuts.items()}
    load = {time: _load(needs, time) for time in range(len(steps))}
    worst = max(load, key=lambda time: load[time] + least.get(time, 0))
    need = load[worst] + least.get(worst, 0)
    if need > depth:
        raise CompileError(f"layer {steps[worst].name} needs {need} words of activation memory, the limit is {depth}: "
                           f"{SMALLER}")
    room = [{time: _largest(cuts, depth - load[time], part) for time, cuts in needs.cuts.items()} for part in (1, 2, 4)]
    plans = [plan for wanted in (*room, least) for pool_limit in (1, MAX_POOL_SLICES) for order in orders(needs)
             if (plan := _Search(needs, depth, wanted, pool_limit).run(order))]
    if not plans:
        raise CompileError(f"no arrangement was found in which everything fits: layer {steps[worst].name} alone needs "
                           f"{need} words of activation memory, the limit is {depth}: {SMALLER}")
    return min(plans, key=lambda plan: plan.slices(needs))


def orders(needs: Needs) -> list[list[Buffer]]:
    """Orders in which buffers may be placed; which of them leads to a plan, and to a good one, shows."""
    buffers, pooled = needs.unique(), [pool.output for pool in needs.pools]
    # tensors that average pools make of each other lie at distances of their own: the last one first, then by birth
    chain = [pool.output for pool in reversed(needs.pools) if pool.input in pooled]
    keys = (lambda b: (b.words, b.death), lambda b: (b.death, b.words), lambda b: (b.birth, b.words),
            lambda b: (-b.birth, b.words))
    return [*(sorted(buffers, key=key, reverse=True) for key in keys),
            chain + sorted((b for b in buffers if b not in chain), key=lambda b: b.birth)]


def _load(needs: Needs, time: int) -> int:
    """Words that are certainly taken during a step; what an average pool may write over its input does not count."""
    pooled = {pool.output for pool in needs.pools if pool.step == time}
    total = 0
    for buffer in needs.unique():
        alive = [p for p in buffer.parts if p.birth <= time <= buffer.until(p)]
        if buffer in pooled:
            alive = [p for p in alive if p.birth < time]
        covered = set()
        for part in alive:
            covered |= set(range(part.first, part.end))
        total += len(covered)
    return total


def _largest(cuts: list[Cut], free: int, part: int) -> int:
    """Words of the largest temporary in a part of the free words, but in all of them where they are few."""
    room = min(free, max(FEW, free // part))
    return max(cut.words for cut in cuts if cut.words <= max(room, min(c.words for c in cuts)))


def largest_gap(taken: list[tuple[int, int]], depth: int) -> tuple[int, int]:
    """First address and size of the largest free interval between taken ones, [first, end) each."""
    best, free = (0, 0), 0
    for first, end in [*sorted(taken), (depth, depth)]:
        if first - free > best[1]:
            best = free, first - free
        free = max(free, end)
    return best


class _Search:
    """Depth first: place one buffer after the other at the addresses where it touches something, go back if stuck."""

    def __init__(self, needs: Needs, depth: int, wanted: dict[int, int], pool_limit: int):
        self.needs, self.depth, self.wanted, self.pool_limit = needs, depth, wanted, pool_limit
        self.bases: dict[Buffer, int] = {}
        self.left = SEARCH_LIMIT

    def run(self, order: list[Buffer]) -> Plan | None:
        if not self.place(order):
            return None
        cuts = {}
        for time, options in self.needs.cuts.items():
            base, size = self.gap(time)
            cuts[time] = next(cut for cut in options if cut.words <= size), base
        return Plan({name: self.bases[buffer] for name, buffer in self.needs.buffers.items()}, cuts)

    def place(self, order: list[Buffer]) -> bool:
        if not order:
            return True
        buffer, rest = order[0], order[1:]
        for base in self.candidates(buffer):
            self.left -= 1
            if self.left < 0:
                return False
            if self.fits(buffer, base):
                self.bases[buffer] = base
                if self.gaps_remain(buffer) and self.place(rest):
                    return True
                del self.bases[buffer]
        return False

    def candidates(self, buffer: Buffer) -> list[int]:
        top = self.depth - max(buffer.words, buffer.reach)
        result = {0, top}
        for other, base in self.bases.items():
            for mine, its in _meetings(buffer, other):
                result |= {base + its.end - mine.first, base + its.first - mine.end}
            for pool in self.needs.pools:
                if (pool.input, pool.output) == (other, buffer):
                    result |= {base + distance for distance in pool_edges(*pool.shape)}
                elif (pool.output, pool.input) == (other, buffer):
                    result |= {base - distance for distance in pool_edges(*pool.shape)}
        return sorted(base for base in result if 0 <= base <= top)

    def fits(self, buffer: Buffer, base: int) -> bool:
        for other, at in self.bases.items():
            for mine, its in _meetings(buffer, other):
                apart = base + mine.end <= at + its.first or at + its.end <= base + mine.first
                if not apart and not self.pooled(buffer, base, mine, other, at, its):
                    return False
        return True

    def pooled(self, one: Buffer, base: int, part: Part, two: Buffer, at: int, its: Part) -> bool:
        """Whether the parts overlap only as the input and output of an average pool may."""
        for pool in self.needs.pools:
            if (pool.input, pool.output) == (one, two) and its.birth == pool.step:
                distance = at - base
            elif (pool.input, pool.output) == (two, one) and part.birth == pool.step:
                distance = base - at
            else:
                continue
            order = pool_slices(distance, *pool.shape)
            return order is not None and len(order) <= self.pool_limit
        return False

    def gap(self, time: int) -> tuple[int, int]:
        taken = [(base + p.first, base + p.end) for buffer, base in self.bases.items() for p in buffer.parts
                 if p.birth <= time <= buffer.until(p)]
        return largest_gap(taken, self.depth)

    def gaps_remain(self, buffer: Buffer) -> bool:
        times = [time for time in self.wanted if buffer.birth <= time <= buffer.death]
        return all(self.gap(time)[1] >= self.wanted[time] for time in times)


def _meetings(one: Buffer, two: Buffer) -> list[tuple[Part, Part]]:
    """Pairs of parts that are there at the same time."""
    return [(p, q) for p in one.parts for q in two.parts if p.birth <= two.until(q) and q.birth <= one.until(p)]
