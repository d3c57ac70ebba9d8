"""Pictures: reading them from files, and showing small ones in a terminal."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.text import Text

from riffle.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

MOST_PIXELS = 80_000_000  # of a picture: it takes ten bytes a pixel here

SHADES = " .:-=+*#%@"  # where there are no colours


def read(path: Path) -> np.ndarray:
    """A picture as uint8 [H][W] or [H][W][3].

    Raises
    ------
    InputError
        if the file is missing, holds no picture, or one that is too large
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the pictures in it, as {path}/*.png")
    if not path.is_file():
        raise InputError(f"there is no file {path}: check the path")
    return _read_array(path) if path.suffix == ".npy" else _read_picture(path)


def _read_array(path: Path) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Check that you may read it") from error
    except (ValueError, EOFError, MemoryError) as error:
        reason = "it holds Python objects" if "allow_pickle" in str(error) else str(error)
        raise InputError(f"{path} is not a NumPy array ({reason}): write it with numpy.save") from error
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise InputError(f"{path} holds {array.dtype} {array.shape}, but a picture is uint8 [H][W] or [H][W][3]: "
                         "convert it with numpy.astype")
    return array


def _read_picture(path: Path) -> np.ndarray:
    from PIL import Image, ImageOps
    try:
        with warnings.catch_warnings(), Image.open(path) as file:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is looked at here
            if file.width * file.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            upright = ImageOps.exif_transpose(_as_8_bit(file)).convert("RGBA")
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} has more than {MOST_PIXELS / 1e6:.0f} megapixels: make it smaller first, 1000 pixels "
                         "a side are plenty") from error
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check that you may read it") from error
    except Exception as error:  # Pillow's decoders raise what they like on bytes that are not theirs
        raise InputError(f"{path} is not a picture that Pillow can read ({error}): convert it to PNG") from error
    paper = Image.new("RGBA", upright.size, "white")
    return np.asarray(Image.alpha_composite(paper, upright).convert("RGB"))


def _as_8_bit(picture: Image.Image) -> Image.Image:
    """Pillow cuts off what is brighter than 255; 16 bits of grey are scaled instead."""
    from PIL import Image
    if picture.mode == "F":
        raise InputError("its pixels are floating-point numbers")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture).astype(np.int64)
    return Image.fromarray((values >> 8 if values.max(initial=0) > 255 else values).clip(0, 255).astype(np.uint8))


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
