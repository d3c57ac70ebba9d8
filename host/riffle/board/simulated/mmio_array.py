"""What `pynq.MMIO.array` is on the simulated board: it looks like a NumPy view of device memory, and is the bus."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Bus(Protocol):
    """Accesses at physical addresses, in 32-bit words."""

    def bus_read(self, address: int, words: int) -> np.ndarray: ...

    def bus_write(self, address: int, values: np.ndarray) -> None: ...


class Window(np.lib.mixins.NDArrayOperatorsMixin):
    """uint32 words from a physical address on.

    An index is one bus access; a slice is a lazy view, as in NumPy; assigning to a slice and `np.asarray` are bursts.
    """

    dtype, itemsize, ndim = np.dtype(np.uint32), 4, 1

    def __init__(self, bus: Bus, address: int, words: int):
        self.bus, self.address, self.size, self.shape = bus, address, words, (words,)

    def __len__(self) -> int:
        return self.size

    def reshape(self, rows: int, pitch: int) -> Rows:
        return Rows(self, rows, pitch)

    def view(self, dtype: object = np.uint32) -> Window:
        if np.dtype(dtype) != self.dtype:
            raise TypeError(f"the bus of the simulated board has 32-bit words, not {np.dtype(dtype)}: use uint32")
        return self

    def __getitem__(self, key: int | slice) -> Window | np.uint32:
        if isinstance(key, slice):
            begin, words = self._range(key)
            return Window(self.bus, self.address + 4 * begin, words)
        return self.bus.bus_read(self._place(key), 1)[0]

    def __setitem__(self, key: int | slice, value: object) -> None:
        if isinstance(key, slice):
            begin, words = self._range(key)
            data = np.broadcast_to(np.asarray(value).astype(np.uint32, copy=False), (words,))
            self.bus.bus_write(self.address + 4 * begin, np.ascontiguousarray(data))
        else:
            self.bus.bus_write(self._place(key), np.array([int(value) & 0xFFFFFFFF], np.uint32))

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        words = self.bus.bus_read(self.address, self.size)
        return words if dtype is None else words.astype(dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: object, **options: object) -> object:
        return getattr(ufunc, method)(*(np.asarray(x) if isinstance(x, Window) else x for x in inputs), **options)

    def _range(self, key: slice) -> tuple[int, int]:
        begin, end, step = key.indices(self.size)
        if step != 1:
            raise IndexError("the simulated board takes slices without a step only")
        return begin, max(end - begin, 0)

    def _place(self, key: int) -> int:
        index = int(key) + (self.size if key < 0 else 0)
        if not 0 <= index < self.size:
            raise IndexError(f"word {key} of a window of {self.size}")
        return self.address + 4 * index


class Rows:
    """A window as rows, of which the beginnings may be read and written: `rows[:, :width] = values`."""

    def __init__(self, window: Window, rows: int, pitch: int):
        if rows * pitch != window.size:
            raise ValueError(f"{window.size} words are not {rows} rows of {pitch}")
        self.window, self.shape = window, (rows, pitch)

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        rows, width = key
        return np.stack([np.asarray(self._row(y)[width]) for y in range(self.shape[0])[rows]])

    def __setitem__(self, key: tuple[slice, slice], values: np.ndarray) -> None:
        rows, width = key
        for y, row in zip(range(self.shape[0])[rows], values, strict=True):
            self._row(y)[width] = row

    def _row(self, y: int) -> Window:
        return self.window[y * self.shape[1]:(y + 1) * self.shape[1]]
