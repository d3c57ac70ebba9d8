"""`riffle classify`: pictures from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from riffle.analysis import timing
from riffle.cli.hardware import hardware, progress
from riffle.cli.messages import explain, show_error
from riffle.cli.picture import read, render, side_by_side, square
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.errors import InputError
from riffle.isa.program import Program
from riffle.zoo import catalogue, digits

SHOWN = 28  # pixels a side, at most
BEST = 3


def classify(console: Console, paths: list[Path], name: str, seed: int, backend: str) -> bool:
    """Show each picture as the network sees it, and the classes that it may be; whether all could be read."""
    with console.status(f"Compiling {name}"):
        program = find(name, seed)
    inputs = {}  # by number, as a path may come twice
    for number, path in enumerate(paths):
        try:
            inputs[number] = fit(read(path), program)
        except (InputError, ValueError, OSError, MemoryError) as error:
            text = explain(error)
            show_error(text if str(path) in text else f"{path}: {text}")
    if len(inputs) < len(paths) and len(paths) > 1:
        show_error(f"{len(paths) - len(inputs)} of {len(paths)} pictures cannot be used, see above"
                   + "; the others follow" * bool(inputs))
    if inputs:
        run(console, {number: paths[number] for number in inputs}, inputs, program, backend)
    return len(inputs) == len(paths)


def run(console: Console, paths: dict[int, Path], inputs: dict[int, tuple[np.ndarray, str]], program: Program,
        backend: str) -> None:
    """Run what could be read, and show it."""
    with hardware(console, backend) as accelerator:
        accelerator.load(program)
        with progress(console) as bar:
            results = {number: accelerator.classify(image)
                       for number, (image, _) in bar.track(inputs.items(), description="Running")}
        for number, (label, likely) in results.items():
            image, done = inputs[number]
            text = [Text(str(paths[number]), "bold"), Text(done, "dim"), Text(), Text(label, "bold green"),
                    *(Text(f"{likely[i]:6.1%} {program.classes[i] if program.classes else i}")
                      for i in np.argsort(likely)[::-1][:BEST])]
            lines = render(console, image, max(1, image.shape[0] // SHOWN))
            height = max(len(lines), len(text))
            blocks = [block + [Text()] * (height - len(block)) for block in (lines, text)]
            console.print(*side_by_side(blocks), sep="\n", end="\n\n", soft_wrap=True)
        say_time(console, accelerator, inputs)
    if "seed" in program.metadata and program.metadata.get("data") != catalogue.DIGITS:
        console.print("[yellow]Note:[/] the weights are random, so the classes mean nothing.")


def say_time(console: Console, accelerator: Accelerator, inputs: dict[int, tuple[np.ndarray, str]]) -> None:
    """What an image takes: of the last one, once more."""
    taken = timing.measure(accelerator, inputs[max(inputs)][0])
    console.print(f"[dim]{taken}[/]", soft_wrap=True)


def find(name: str, seed: int) -> Program:
    """The program of a file, or of a network that `catalogue.find` knows, compiled. Errors as both."""
    return Program.load(name) if catalogue.is_program(name) else compile_network(catalogue.find(name, seed))


def fit(picture: np.ndarray, program: Program) -> tuple[np.ndarray, str]:
    """A picture of any size as the program takes it, and what was done to it.

    Raises
    ------
    InputError
        if the program does not take pictures, or finds nothing in this one
    """
    channels, height, width = program.image_size
    if channels != 3:
        raise InputError(f"{program.name} takes {channels} channels, not pictures: choose a whole network")
    size = f"{picture.shape[1]}x{picture.shape[0]}"
    if picture.shape[:2] == (height, width):
        return picture, f"{size}, as it is"
    if program.metadata.get("data") == catalogue.DIGITS:
        return digits.prepare(picture), f"{size}: cut out, centred, thickened, made 8x8, then 28x28"
    return square(picture, height, width), f"{size}: middle cut out, resized to {width}x{height}"
