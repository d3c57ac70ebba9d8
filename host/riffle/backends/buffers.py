"""Memory that processor and accelerator share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ALIGNMENT = 4096  # bytes; a page, as the board's allocator has it


@dataclass
class Buffer:
    """Bytes at a physical address.

    Attributes
    ----------
    array
        uint8 [n], what the processor sees
    physical_address
        what the accelerator reads
    flush
        makes what the processor wrote visible to the accelerator
    free
        gives the memory back; the buffer must not be used any more
    """

    array: np.ndarray
    physical_address: int
    flush: Callable[[], None]
    free: Callable[[], None]


class Heap:
    """Hands out parts of a simulated memory, uint8 [n], whose first byte has physical address `base`."""

    def __init__(self, memory: np.ndarray, base: int):
        self.memory, self.base = memory, base
        self._used: dict[int, int] = {}  # offset: end

    def allocate(self, size: int) -> Buffer:
        """A buffer of `size` bytes at a multiple of 4096.

        Raises
        ------
        MemoryError
            if there is no gap of this size
        """
        offset = 0
        for begin, end in sorted(self._used.items()):
            if begin - offset >= size:
                break
            offset = -(-end // ALIGNMENT) * ALIGNMENT
        if offset + size > len(self.memory):
            raise MemoryError(f"{size} bytes of shared memory are wanted, {len(self.memory) - offset} of "
                              f"{len(self.memory)} are left: free other buffers")
        self._used[offset] = offset + size
        return Buffer(self.memory[offset:offset + size], self.base + offset, flush=lambda: None,
                      free=lambda: self._used.pop(offset, None))
