"""The handwritten digits: the committed network, its held-out images, and pictures of one's own as its input.

The images are scikit-learn's `load_digits` (UCI, "Optical Recognition of Handwritten Digits"), 8x8 pixels of 0 to 16,
white on black, enlarged to 28x28 in integers, so that every machine sees the same pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from riffle.errors import InputError
from riffle.graph.float_graph import FloatNetwork
from riffle.graph.integer_graph import IntegerNetwork

DATA = Path(__file__).parent / "data"
NETWORK, FLOAT, HELD_OUT = DATA / "digits.npz", DATA / "digits_float.npz", DATA / "digits_held_out.npz"
SMALL, SIZE = 8, 28
LEVELS = 16  # of a small image
FAINTEST = 32  # least difference between ink and paper that counts as a picture
INK = 0.31  # mean of the data set's images, whatever the digit: 0.25 to 0.38
GRID, STEP, WIDEST = 64, 0.5, 12.0  # pixels, where strokes are thickened: side, steps and end of the radius


def network() -> IntegerNetwork:
    """The trained and quantised network."""
    return IntegerNetwork.load(NETWORK)


def float_network() -> FloatNetwork:
    """The same before quantisation."""
    return FloatNetwork.load(FLOAT)


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """The images that training never saw, uint8 [N][28][28], and their labels, uint8 [N]."""
    with np.load(HELD_OUT, allow_pickle=False) as file:
        return enlarge(file["images"]), file["labels"]


def enlarge(small: np.ndarray) -> np.ndarray:
    """Bilinear, exact in integers: [...][8][8] of 0 to 16 -> uint8 [...][28][28] of 0 to 255.

    Raises
    ------
    InputError
        if the image has another size or other values
    """
    small = np.asarray(small)
    if small.shape[-2:] != (SMALL, SMALL) or small.min(initial=0) < 0 or small.max(initial=0) > LEVELS:
        raise InputError(f"small images are {SMALL}x{SMALL} of 0 to {LEVELS}, not {small.shape} of {small.min()} to "
                         f"{small.max()}: use prepare() for other pictures")
    matrix, unit = _bilinear()
    sums = matrix @ small.astype(np.int64) @ matrix.T
    whole = unit * unit * LEVELS
    return ((sums * 255 + whole // 2) // whole).astype(np.uint8)


def prepare(picture: np.ndarray) -> np.ndarray:
    """Make a picture of one digit look like the images of the data set.

    Ink and paper are told apart by the border; the digit is cut out and centred in a square. Printed strokes are
    thinner than those of the data set: they are thickened until there is as much ink. Then the square is averaged to
    8x8 and enlarged.

    Parameters
    ----------
    picture
        uint8 [H][W] or [H][W][3], dark on light or light on dark

    Returns
    -------
    uint8 [28][28]

    Raises
    ------
    InputError
        if it is no such array, or empty
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or (picture.ndim == 3 and picture.shape[2] != 3):
        raise InputError(f"the picture is {picture.dtype} {picture.shape}, but must be uint8 [H][W] or [H][W][3]: "
                         "convert it to 8-bit grey or RGB")
    if min(picture.shape[:2]) < SMALL:
        raise InputError(f"the picture has {picture.shape[1]}x{picture.shape[0]} pixels, but needs {SMALL}x{SMALL} or "
                         "more")
    grey = picture @ np.array([0.299, 0.587, 0.114]) if picture.ndim == 3 else picture.astype(np.float64)
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = np.abs(grey - np.median(border))
    if ink.max() < FAINTEST:
        raise InputError("the picture shows nothing: ink and paper have to differ more")
    small = _thickened(_square(ink / ink.max(), GRID))
    return enlarge((small * LEVELS).round().astype(np.int64))


def _square(ink: np.ndarray, size: int) -> np.ndarray:
    """The part with ink, centred in a square and averaged to `size` samples a side."""
    rows, columns = np.flatnonzero((ink > 0.5).any(1)), np.flatnonzero((ink > 0.5).any(0))
    ink = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    height, width = ink.shape
    side = max(height, width)
    square = np.zeros((side, side))
    top, left = (side - height) // 2, (side - width) // 2
    square[top:top + height, left:left + width] = ink
    average = _area(size, side)
    return average @ square @ average.T


def _thickened(ink: np.ndarray) -> np.ndarray:
    """An image with strokes so broad that it has as much ink as the data set's, float [8][8]."""
    before = _square(ink, SMALL)
    for radius in np.arange(STEP, WIDEST, STEP):
        after = _square(_grown(ink, radius), SMALL)
        if after.mean() >= INK:
            return min(before, after, key=lambda image: abs(image.mean() - INK))
        before = after
    return before


def _grown(ink: np.ndarray, radius: float) -> np.ndarray:
    """The greatest value within a radius of each pixel, also around the image."""
    reach = int(np.ceil(radius))
    wide = np.pad(ink, 2 * reach)
    height, width = (size + 2 * reach for size in ink.shape)
    shifts = [(y, x) for y in range(2 * reach + 1) for x in range(2 * reach + 1)
              if np.hypot(y - reach, x - reach) <= radius]
    return np.max([wide[y:y + height, x:x + width] for y, x in shifts], axis=0)


def _bilinear() -> tuple[np.ndarray, int]:
    """Interpolation from 8 to 28 samples, int [28][8], and what each row sums to.

    Sample i lies at (i + 1/2) * 8/28 - 1/2 = (4i - 5) / 14 of the small image; beyond its edge the edge counts.
    """
    unit = 2 * SIZE // 4
    place = 4 * np.arange(SIZE) - 5
    matrix = np.zeros((SIZE, SMALL), np.int64)
    for offset, share in ((0, unit - place % unit), (1, place % unit)):
        np.add.at(matrix, (np.arange(SIZE), np.clip(place // unit + offset, 0, SMALL - 1)), share)
    return matrix, unit


def _area(count: int, size: int) -> np.ndarray:
    """Averages over `count` equal parts of `size` samples, float [count][size]."""
    edges = np.arange(count + 1) * size / count
    sample = np.arange(size)
    overlap = np.minimum(edges[1:, None], sample + 1) - np.maximum(edges[:-1, None], sample)
    return np.maximum(overlap, 0) * count / size
