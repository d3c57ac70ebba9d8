"""`riffle demo`: digits as a person would want to see them, and what the hardware makes of them."""

from __future__ import annotations

import time

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .. import digits
from ..compiler import compile_network
from .hardware import hardware, progress
from .picture import render, side_by_side

FACTOR = 2  # pixels averaged into one for showing
WIDTH = digits.SIZE // FACTOR
GAP = 2


def demo(console: Console, count: int, seed: int, backend: str) -> None:
    """Show `count` held-out digits with their predictions, then accuracy and speed."""
    network = digits.network()
    images, labels = digits.held_out()
    chosen = np.random.default_rng(seed).permutation(len(images))[:count]
    results, right, row = [], 0, []
    with hardware(console, backend) as accelerator:
        console.print(f"[bold]{network.name}[/] reads handwritten digits that training never saw\n")
        accelerator.load(compile_network(network))
        before, start, bar = accelerator.backend.cycles or 0, time.perf_counter(), progress(console)
        with bar:
            for index in bar.track(chosen, description="Running"):
                results.append(accelerator.run(images[index]))
                label, truth = results[-1].label, network.classes[labels[index]]
                right += label == truth
                row.append([*render(console, images[index], FACTOR), caption(label, truth)])
                if len(row) == max(1, (console.width + GAP) // (WIDTH + GAP)) or len(results) == len(chosen):
                    bar.console.print(*side_by_side(row, GAP), sep="\n", end="\n\n")
                    row = []
        seconds, after = time.perf_counter() - start, accelerator.backend.cycles
        hertz = accelerator.backend.clock_hz
    cycles = round(sum(result.cycles for result in results) / len(results))
    console.print(summary({
        "accuracy": f"[bold]{right} of {len(results)} right[/] ({right / len(results):.1%})",
        "an image": f"[bold]{cycles:,} cycles[/] = {cycles / hertz * 1e3:.3f} ms at {hertz / 1e6:.5g} MHz, "
                    f"{hertz / cycles:,.0f} images/s",
        **({"measured": f"[dim]{len(results)} images in {seconds:.1f} s[/]"} if after is None else
           {"simulated": f"[dim]{after - before:,} cycles in {seconds:.1f} s[/]"})}))


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
