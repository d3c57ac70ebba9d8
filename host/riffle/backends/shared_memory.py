"""Memory that processor and accelerator share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riffle.errors import SharedMemoryError

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
    """Hands out parts of a simulated memory, uint8 [n], whose first byte has physical address `base`.

    `pages`, uint8 [n / 4096], says which of its pages are allocated: who simulates the memory refuses to read others.
    """

    def __init__(self, memory: np.ndarray, base: int, pages: np.ndarray | None = None):
        self.memory, self.base = memory, base
        self.pages = np.zeros(len(memory) // ALIGNMENT, np.uint8) if pages is None else pages
        self._used: dict[int, int] = {}  # offset: end

    def allocate(self, size: int) -> Buffer:
        """A buffer of `size` bytes at a multiple of 4096.

        Raises
        ------
        SharedMemoryError
            if there is no gap of this size
        """
        offset = 0
        for begin, end in sorted(self._used.items()):
            if begin - offset >= size:
                break
            offset = -(-end // ALIGNMENT) * ALIGNMENT
        if offset + size > len(self.memory):
            raise SharedMemoryError(f"{size} bytes of shared memory are wanted, {len(self.memory) - offset} of "
                                    f"{len(self.memory)} are left: free other buffers")
        self._used[offset] = offset + size
        pages = self.pages[offset // ALIGNMENT:-(-(offset + size) // ALIGNMENT)]
        pages[:] = 1

        def free() -> None:
            if self._used.pop(offset, None):  # again has no effect
                pages[:] = 0
        return Buffer(self.memory[offset:offset + size], self.base + offset, flush=lambda: None, free=free)

    def holds(self, address: int, size: int) -> bool:
        """Whether all bytes from a physical address on are allocated."""
        first, end = (address - self.base) // ALIGNMENT, -(-(address - self.base + size) // ALIGNMENT)
        return 0 <= first and end <= len(self.pages) and bool(self.pages[first:end].all())
