"""A compiled network, and images, as a C header for the driver in host/c.

    python -m riffle.export.c_header digits riffle_example.h --images 4
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import riffle
from riffle.driver.accelerator import WATCHDOG_EXTRA, WATCHDOG_FACTOR
from riffle.errors import ProgramError
from riffle.isa.program import Program
from riffle.zoo import digits


def write(path: str | Path, program: Program, images: Sequence[np.ndarray], name: str = "riffle_example") -> None:
    """Write the header.

    Parameters
    ----------
    program
        whose result is scores and whose input is an image
    images
        uint8 [H][W] or [H][W][3]
    name
        of what the header defines

    Raises
    ------
    ProgramError
        if the result is a map, or the input no image
    """
    channels, height, width = program.image_size
    if program.result.layout != "raw" or channels != 3:
        raise ProgramError(f"{program.name} does not turn an image into scores, which is all that the C driver can do: "
                           "take a whole network")
    upper = name.upper()
    fields = {
        "descriptors": f"{name}_descriptors", "descriptor_count": len(program.descriptors), "stream": f"{name}_stream",
        "stream_words": len(program.stream), "rows": program.rows, "columns": program.columns,
        "image_base": program.image.base, "height": height, "width": width, "image_log2s": program.image.log2s,
        "result_base": program.result.base, "classes": program.result_channels,
        "watchdog": WATCHDOG_FACTOR * program.cycles + WATCHDOG_EXTRA}
    stream = np.ascontiguousarray(program.stream).reshape(-1).view("<u4")
    parts = [f"/* {program.name}: written by riffle.export.c_header. */", '#include "riffle.h"', "",
             f"#define {upper}_IMAGES {len(images)}u", f"#define {upper}_CLASSES {program.result_channels}u", "",
             _array(f"static const uint32_t {name}_descriptors[]", program.descriptors.reshape(-1)),
             _array(f"static const uint32_t {name}_stream[]", stream),
             f"static const riffle_program {name} = {{",
             *(f"    .{field} = {value}," for field, value in fields.items()), "};"]
    pixels = np.zeros((len(images), height, width, 4), np.uint8)
    for place, image in zip(pixels, images, strict=True):
        place[:, :, :3] = image.reshape(height, width, -1)
    rows = pixels.reshape(len(images), -1).view("<u4")
    parts += [f"static const uint32_t {name}_images[{len(images)}][{height * width}] = {{",
              *(f"{{{_numbers(row)}}}," for row in rows), "};"]
    Path(path).write_text("\n".join(parts) + "\n")


def _array(declaration: str, values: np.ndarray) -> str:
    return f"{declaration} = {{{_numbers(values)}}};"


def _numbers(values: np.ndarray) -> str:
    lines = [values[i:i + 8] for i in range(0, len(values), 8)]
    return ",\n".join(", ".join(f"0x{value:08x}u" for value in line) for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m riffle.export.c_header", description=__doc__.splitlines()[0])
    parser.add_argument("network", help="digits, a .riffle file, or what the command line takes")
    parser.add_argument("file", type=Path)
    parser.add_argument("--images", type=int, default=4, help="how many held-out digits to add")
    arguments = parser.parse_args()
    images, _ = digits.held_out()
    write(arguments.file, riffle.load(arguments.network), images[:arguments.images])


if __name__ == "__main__":
    main()
