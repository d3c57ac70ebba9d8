"""Pictures: reading them from files, and showing small ones in a terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

SHADES = " .:-=+*#%@"  # where there are no colours


def read(path: Path) -> np.ndarray:
    """A picture as uint8 [H][W] or [H][W][3].

    Raises
    ------
    ValueError
        if the file is missing or holds no picture
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}: check the path")
    if path.suffix == ".npy":
        try:
            array = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path} is not a NumPy array ({error}): write it with numpy.save") from error
        if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
            raise ValueError(f"{path} holds {array.dtype} {array.shape}, but a picture is uint8 [H][W] or [H][W][3]")
        return array
    from PIL import Image, ImageOps, UnidentifiedImageError
    try:
        with Image.open(path) as file:
            upright = ImageOps.exif_transpose(file).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path} is not a picture that Pillow can read ({error}): convert it to PNG") from error
    paper = Image.new("RGBA", upright.size, "white")
    return np.asarray(Image.alpha_composite(paper, upright).convert("RGB"))


def square(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of a picture in the network's size, uint8 [height][width][3]."""
    from PIL import Image, ImageOps
    return np.asarray(ImageOps.fit(Image.fromarray(picture).convert("RGB"), (width, height), Image.BICUBIC))


def render(console: Console, image: np.ndarray, factor: int) -> list[Text]:
    """A grey or RGB image of uint8 as text, each `factor` x `factor` pixels averaged into one.

    A character is about twice as high as wide and shows two pixels, one above the other.
    """
    height, width = (size // factor * factor for size in image.shape[:2])
    pixels = image[:height, :width].reshape(height // factor, factor, width // factor, factor, -1).mean((1, 3))
    pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if len(pixels) % 2:
        pixels = np.concatenate([pixels, pixels[-1:]])
    draw = _shades if console.color_system is None else _half_blocks
    return [draw(upper, lower) for upper, lower in zip(pixels[::2], pixels[1::2], strict=True)]


def _half_blocks(upper: np.ndarray, lower: np.ndarray) -> Text:
    """Two rows of pixels, [W][3], in one line: the upper half of each character and its background."""
    line = Text()
    for above, below in zip(upper.round().astype(int), lower.round().astype(int), strict=True):
        line.append("▀", style=f"rgb({','.join(map(str, above))}) on rgb({','.join(map(str, below))})")
    return line


def _shades(upper: np.ndarray, lower: np.ndarray) -> Text:
    """The same without colours: darker or denser characters."""
    grey = (upper + lower).mean(1) / 2 * (len(SHADES) - 1) / 255
    return Text("".join(SHADES[round(value)] for value in grey))


def side_by_side(blocks: list[list[Text]], gap: int = 2) -> list[Text]:
    """Join blocks of lines, all of one height, from left to right."""
    return [Text(" " * gap).join(lines) for lines in zip(*blocks, strict=True)]
