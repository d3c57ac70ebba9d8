"""A memory as a read master sees it: bursts are answered in order, each after a delay, with pauses between beats."""

import random
from collections import defaultdict, deque
from dataclasses import dataclass

BEAT = 8  # bytes


@dataclass(frozen=True)
class Beat:
    """What the memory has to say about one address, and for whom."""

    address: int
    last: bool
    owner: object
    data: int


class BurstMemory:
    """Random contents, drawn where they are first read.

    Parameters
    ----------
    delay
        longest time from a burst's address to its first beat, cycles
    pause
        part of the cycles without a beat though one could come
    """

    def __init__(self, delay: int = 0, pause: float = 0.0):
        self.delay, self.pause = delay, pause
        self.contents = defaultdict(lambda: random.getrandbits(64))
        self._beats = deque()  # cycle from which it may come, beat

    def ask(self, cycle: int, address: int, beats: int, owner: object = None):
        """Takes the address of a burst.

        Raises
        ------
        AssertionError
            if it is not allowed: no address of a beat, or across a 4 KB boundary
        """
        end = address + BEAT * beats
        assert address % BEAT == 0, f"{address:#x} is not the address of a beat"
        assert address // 4096 == (end - 1) // 4096, f"{beats} beats from {address:#x} on cross a 4 KB boundary"
        due = cycle + 1 + random.randint(0, self.delay)
        for beat in range(address, end, BEAT):
            self._beats.append((due, Beat(beat, beat + BEAT == end, owner, self.contents[beat])))

    def answer(self, cycle: int) -> Beat | None:
        """The beat of this cycle, None: no beat."""
        if not self._beats or cycle < self._beats[0][0] or random.random() < self.pause:
            return None
        return self._beats.popleft()[1]

    def forget(self):
        """Drops all beats that have not come."""
        self._beats.clear()
