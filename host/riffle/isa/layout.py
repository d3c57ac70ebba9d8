"""The polyphase layout: feature maps as words of the activation memory.

A map of rows*S x columns*S pixels (S a power of two) is kept as S*S *phases*. Pixel (y, x) lies in phase
(y mod S)*S + (x mod S), in lane (y div S)*columns + (x div S). A memory word holds one phase of one channel.

* plain: channel c in bank c mod 4, address (c div 4)*S*S + phase
* duplicated: channel c in banks c mod 2 and c mod 2 + 2, address (c div 2)*S*S + phase
"""

from __future__ import annotations

import numpy as np

from riffle.errors import InputError
from riffle.isa.spec import BANKS, CONFIGURATIONS, LOG2S_MAX

CHANNELS_PER_BLOCK = {"plain": BANKS, "duplicated": BANKS // 2, "raw": 1}


def configuration(name: str) -> dict[str, int]:
    """Rows, columns and depths of a build of the hardware.

    Raises
    ------
    InputError
        if there is no such build
    """
    if name not in CONFIGURATIONS:
        raise InputError(f"there is no configuration {name!r}: choose {', '.join(CONFIGURATIONS)}")
    return CONFIGURATIONS[name]


def log2_phases(height: int, width: int, rows: int, columns: int) -> int:
    """log2 of S for a map of this size.

    Raises
    ------
    ValueError
        if the map is no power of two times the lattice
    """
    for log2s in range(LOG2S_MAX + 1):
        if (height, width) == (rows << log2s, columns << log2s):
            return log2s
    sizes = ", ".join(f"{rows << n}x{columns << n}" for n in range(LOG2S_MAX + 1))
    raise InputError(f"a map of {height}x{width} pixels does not fit a lattice of {rows}x{columns}; it takes {sizes}")


def words_of(channels: int, log2s: int, layout: str = "plain") -> int:
    """Addresses that a tensor takes."""
    return -(-channels // CHANNELS_PER_BLOCK[layout]) << 2 * log2s


def to_phases(maps: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """[C][H][W] -> [C][phases][lanes]."""
    channels, height, width = maps.shape
    sy, sx = height // rows, width // columns
    return maps.reshape(channels, rows, sy, columns, sx).transpose(0, 2, 4, 1, 3).reshape(channels, sy * sx, -1)


def from_phases(words: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """[C][phases][lanes] -> [C][H][W]."""
    channels, phases, _ = words.shape
    s = int(phases**0.5)
    maps = words.reshape(channels, s, s, rows, columns).transpose(0, 3, 1, 4, 2)
    return maps.reshape(channels, rows * s, columns * s)


def locate(positions: np.ndarray, log2s: int, layout: str = "plain") -> tuple[np.ndarray, np.ndarray]:
    """Bank and first address (from the tensor's base) of each channel position, two arrays like `positions`."""
    per_block = CHANNELS_PER_BLOCK[layout]
    return positions % per_block, positions // per_block << 2 * log2s


def read_channels(memory: np.ndarray, base: int, positions: np.ndarray, log2s: int, rows: int, columns: int,
                  layout: str = "plain") -> np.ndarray:
    """Channels of a tensor in memory.

    Parameters
    ----------
    memory
        int8 [4][depth][lanes]
    base
        address of the tensor
    positions
        int [n]: which channel positions to read

    Returns
    -------
    int8 [n][H][W] (of a duplicated tensor the first copy), or with layout "raw" int32 [n][H][W]
    """
    positions = np.asarray(positions)
    bank, address = locate(positions, log2s, layout)
    address = base + address[:, None] + np.arange(1 << 2 * log2s)
    if layout == "raw":
        parts = memory[:, address].astype(np.uint8).astype(np.uint32)  # [4][n][phases][lanes]
        words = (parts << np.arange(0, 32, 8, dtype=np.uint32).reshape(4, 1, 1, 1)).sum(0, np.uint32).view(np.int32)
    else:
        words = memory[bank[:, None], address]
    return from_phases(words, rows, columns)


def write_channels(memory: np.ndarray, base: int, maps: np.ndarray, rows: int, columns: int,
                   layout: str = "plain") -> None:
    """Put int8 [C][H][W] into memory, int8 [4][depth][lanes], at an address: channel c at position c.

    A vector, H = W = 1, goes into every lane, so that any image of a batch finds it.
    """
    words = to_phases(in_all_lanes(maps, rows, columns), rows, columns)
    log2s = (words.shape[1].bit_length() - 1) // 2
    bank, address = locate(np.arange(len(maps)), log2s, layout)
    address = base + address[:, None] + np.arange(words.shape[1])
    memory[bank[:, None], address] = words
    if layout == "duplicated":
        memory[bank[:, None] + 2, address] = words


def to_words(maps: np.ndarray, rows: int, columns: int, layout: str = "plain") -> np.ndarray:
    """Memory image of a tensor: int8 [C][H][W] -> int8 [4][addresses][lanes]; unused channels are 0.

    Of a vector, H = W = 1, every lane has all of it.
    """
    maps = in_all_lanes(maps, rows, columns)
    _, height, width = maps.shape
    log2s = log2_phases(height, width, rows, columns)
    memory = np.zeros((BANKS, words_of(len(maps), log2s, layout), rows * columns), np.int8)
    write_channels(memory, 0, maps, rows, columns, layout)
    return memory


def in_all_lanes(maps: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A vector, [C][1][1], as a map with its values in each lane; other maps as they are."""
    return np.broadcast_to(maps, (len(maps), rows, columns)) if maps.shape[1:] == (1, 1) else maps


def from_words(words: np.ndarray, channels: int, log2s: int, rows: int, columns: int,
               layout: str = "plain") -> np.ndarray:
    """The inverse: int8 [4][addresses][lanes] -> int8 [C][H][W] (raw: int32 [C][H][W])."""
    return read_channels(words, 0, np.arange(channels), log2s, rows, columns, layout)
