"""`riffle classify`: pictures from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.text import Text

from .. import catalogue, digits
from ..compiler import compile_network
from ..integer import IntegerNetwork
from .hardware import hardware, progress
from .picture import read, render, side_by_side, square

SHOWN = 28  # pixels a side, at most
BEST = 3


def classify(console: Console, paths: list[Path], name: str, seed: int, backend: str) -> None:
    """Show each picture as the network sees it, the classes it may be and the cycles."""
    with console.status(f"Compiling {name}"):
        network = catalogue.find(name, seed)
        inputs = [fit(read(path), network) for path in paths]
        program = compile_network(network)
    results, bar = [], progress(console)
    with hardware(console, backend) as accelerator:
        accelerator.load(program)
        with bar:
            for image, _ in bar.track(inputs, description="Running"):
                results.append((*accelerator.classify(image), accelerator.counters()["CYCLES"]))
    for path, (image, done), (label, likely, cycles) in zip(paths, inputs, results, strict=True):
        text = [Text(str(path), "bold"), Text(done, "dim"), Text(), Text(label, "bold green"),
                *(Text(f"{likely[i]:6.1%} {network.classes[i] if network.classes else i}")
                  for i in np.argsort(likely)[::-1][:BEST]), Text(),
                Text(f"{cycles:,} cycles, {cycles / accelerator.backend.clock_hz * 1e3:.3f} ms", "dim")]
        lines = render(console, image, max(1, image.shape[0] // SHOWN))
        height = max(len(lines), len(text))
        blocks = [block + [Text()] * (height - len(block)) for block in (lines, text)]
        console.print(*side_by_side(blocks), sep="\n", end="\n\n", soft_wrap=True)
    if "seed" in network.metadata and network.metadata.get("data") != catalogue.DIGITS:
        console.print("[yellow]Note:[/] the weights are random, so the classes mean nothing.")


def fit(picture: np.ndarray, network: IntegerNetwork) -> tuple[np.ndarray, str]:
    """A picture of any size as the network takes it, and what was done to it.

    Raises
    ------
    ValueError
        if the network does not take pictures, or finds nothing in this one
    """
    tensor = network.tensors[network.input]
    if tensor.channels != 3:
        raise ValueError(f"{network.name} takes {tensor.channels} channels, not pictures: choose a whole network")
    size = f"{picture.shape[1]}x{picture.shape[0]}"
    if picture.shape[:2] == (tensor.height, tensor.width):
        return picture, f"{size}, as it is"
    if network.metadata.get("data") == catalogue.DIGITS:
        return digits.prepare(picture), f"{size}: cut out, centred, made 8x8, then 28x28"
    done = f"{size}: middle cut out, resized to {tensor.width}x{tensor.height}"
    return square(picture, tensor.height, tensor.width), done
