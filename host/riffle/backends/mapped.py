"""The segment as an array of words, each access to which is one of the bus.

The hardware answers what it refuses with OKAY, as long as BUS.SLVERR is 0, and ERROR keeps it. With SLVERR the kernel
would end the process with SIGBUS, for a write at some later time: nothing here could catch it, so BUS stays as it is.
"""

from __future__ import annotations

import numpy as np

from riffle.backends.hardware_lock import HardwareLock
from riffle.errors import HardwareError, InputError
from riffle.isa import spec

FPGA = "fpga"  # name of the one FPGA of a board, for its lock


class MappedWords:
    """Accesses of a `Backend`, and of whole rows at once, without Python for each word.

    Parameters
    ----------
    words
        uint32 [segment's words]: an array of mapped device memory, or what behaves like one
    lock
        of the hardware
    """

    def __init__(self, words: np.ndarray, lock: HardwareLock):
        self._mapped: np.ndarray | None = words
        self.lock = lock

    def close(self) -> None:
        """Forget the mapping."""
        self._mapped = None

    @property
    def _words(self) -> np.ndarray:
        if self._mapped is None:
            raise HardwareError("the backend is closed: open the accelerator again, with riffle.open()")
        return self._mapped

    def read(self, offset: int) -> int:
        return int(self._words[_index(offset)])

    def write(self, offset: int, value: int) -> None:
        self._words[_index(offset)] = np.uint32(value)

    def read_block(self, offset: int, words: int) -> np.ndarray:
        first = _index(offset)
        return np.array(self._words[first:first + words], np.uint32)

    def write_block(self, offset: int, values: np.ndarray) -> None:
        first = _index(offset)
        self._words[first:first + values.size] = values

    def read_rows(self, offset: int, rows: int, words: int, pitch: int) -> np.ndarray:
        """uint32 [rows][words], each row `pitch` words behind the one before."""
        first = _index(offset)
        return np.array(self._words[first:first + rows * pitch].reshape(rows, pitch)[:, :words], np.uint32)

    def write_rows(self, offset: int, rows: np.ndarray, pitch: int) -> None:
        """Write uint32 [n][words], each row `pitch` words behind the one before."""
        first = _index(offset)
        self._words[first:first + len(rows) * pitch].reshape(len(rows), pitch)[:, :rows.shape[1]] = rows


def _index(offset: int) -> int:
    if offset % 4 or not 0 <= offset < spec.SEGMENT_SIZE:
        raise InputError(f"offset {offset:#x} is misaligned or outside the segment: accesses are 32-bit words at "
                         "multiples of 4")
    return offset // 4
