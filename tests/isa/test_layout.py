"""The polyphase layout, against the sentence that defines it, pixel by pixel."""

import numpy as np
import pytest

from riffle.isa import layout as lattice


@pytest.mark.parametrize("rows, columns, log2s", [(7, 7, 2), (2, 3, 0), (2, 3, 3), (1, 1, 1), (1, 4, 2)])
@pytest.mark.parametrize("channels", [1, 2, 5, 8])
def test_every_pixel_lies_where_it_should(rng, rows, columns, log2s, channels):
    s = 1 << log2s
    maps = rng.integers(-128, 128, (channels, rows * s, columns * s), np.int8)
    plain, double = lattice.to_words(maps, rows, columns), lattice.to_words(maps, rows, columns, "duplicated")
    for c, y, x in np.ndindex(maps.shape):
        phase, lane = y % s * s + x % s, y // s * columns + x // s
        assert plain[c % 4, c // 4 * s * s + phase, lane] == maps[c, y, x]
        assert double[c % 2, c // 2 * s * s + phase, lane] == maps[c, y, x]
        assert double[c % 2 + 2, c // 2 * s * s + phase, lane] == maps[c, y, x]
    assert plain.shape[1] == lattice.words_of(channels, log2s) == -(-channels // 4) * s * s
    assert double.shape[1] == lattice.words_of(channels, log2s, "duplicated") == -(-channels // 2) * s * s


@pytest.mark.parametrize("layout", ["plain", "duplicated"])
def test_words_turn_back_into_maps(rng, layout):
    maps = rng.integers(-128, 128, (6, 28, 28), np.int8)
    words = lattice.to_words(maps, 7, 7, layout)
    assert (lattice.from_words(words, 6, 2, 7, 7, layout) == maps).all()
    chosen = lattice.read_channels(np.pad(words, ((0, 0), (9, 0), (0, 0))), 9, [4, 1, 5], 2, 7, 7, layout)
    assert (chosen == maps[[4, 1, 5]]).all()


def test_raw_words_are_32_bit_values(rng):
    values = rng.integers(-(2**31), 2**31, (5, 2, 3), np.int32)
    words = values.reshape(5, 6).astype("<i4").view(np.int8).reshape(5, 6, 4).transpose(2, 0, 1)
    assert (lattice.from_words(words, 5, 0, 2, 3, "raw") == values).all()


def test_size_that_does_not_fit_is_refused():
    assert [lattice.log2_phases(7 << n, 7 << n, 7, 7) for n in range(6)] == list(range(6))
    for height, width in ((30, 30), (28, 14), (448, 448)):
        with pytest.raises(ValueError, match=f"{height}x{width} pixels does not fit a lattice of 7x7; it takes 7x7"):
            lattice.log2_phases(height, width, 7, 7)
