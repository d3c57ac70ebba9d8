"""`riffle demo`: digits as a person would want to see them, and what the hardware makes of them."""

from __future__ import annotations

import time

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from riffle.analysis.timing import measure
from riffle.cli.hardware import hardware, progress
from riffle.cli.picture import render, side_by_side
from riffle.compiler import compile_network
from riffle.zoo import digits

FACTOR = 2  # pixels averaged into one for showing
WIDTH = digits.SIZE // FACTOR
GAP = 2


def demo(console: Console, count: int, seed: int, backend: str) -> None:
    """Show `count` held-out digits with their predictions, then accuracy and speed."""
    network = digits.network()
    images, labels = digits.held_out()
    chosen = np.random.default_rng(seed).permutation(len(images))[:count]
    truths = [network.classes[label] for label in labels]
    results, row = [], []
    with hardware(console, backend) as accelerator:
        console.print(f"[bold]{network.name}[/] reads handwritten digits that training never saw\n")
        accelerator.load(compile_network(network))
        bar, start = progress(console), time.perf_counter()
        with bar:
            for index in bar.track(chosen, description="Running"):
                results.append(accelerator.run(images[index]))
                row.append([*render(console, images[index], FACTOR), caption(results[-1].label, truths[index])])
                if len(row) == max(1, (console.width + GAP) // (WIDTH + GAP)) or len(results) == len(chosen):
                    bar.console.print(*side_by_side(row, GAP), sep="\n", end="\n\n")
                    row = []
        seconds = time.perf_counter() - start
        taken = measure(accelerator, images[chosen[-1]])
    right = sum(result.label == truths[index] for index, result in zip(chosen, results, strict=True))
    console.print(summary({"accuracy": f"[bold]{right} of {len(results)} right[/] ({right / len(results):.1%})"}
                          | taken.lines() | {"here": f"[dim]{len(results)} images in {seconds:.1f} s, "
                                                     f"{escape(taken.what)}[/]"}))


def caption(label: str, truth: str) -> Text:
    """Prediction, and what it should have been."""
    if label == truth:
        return Text(f"{label} ✓".center(WIDTH), style="bold green")
    return Text(f"{label} ✗ is {truth}".center(WIDTH), style="bold red")


def summary(lines: dict[str, str]) -> Table:
    """What was found, a line each."""
    grid = Table.grid(padding=(0, 2))
    for name, text in lines.items():
        grid.add_row(f"[cyan]{name}[/]", text)
    return grid
