"""`riffle demo`: digits as a person would want to see them, and what the hardware makes of them."""

from __future__ import annotations

import time

import numpy as np
from rich.console import Console
from rich.text import Text

from .. import digits
from ..compiler import compile_network
from .picture import render, side_by_side
from .simulator import progress, simulator

FACTOR = 2  # pixels averaged into one for showing


def demo(console: Console, count: int, seed: int) -> None:
    network = digits.network()
    images, labels = digits.held_out()
    chosen = np.random.default_rng(seed).permutation(len(images))[:count]
    per_row = max(1, console.width // (digits.SIZE // FACTOR * (1 if console.color_system else 2) + 2))
    right, results, row = 0, [], []
    with simulator(console) as accelerator:
        accelerator.load(compile_network(network))
        start, bar = time.perf_counter(), progress(console)
        with bar:
            for index in bar.track(chosen, description="Simulating"):
                result = accelerator.run(images[index])
                results.append(result)
                truth = network.classes[labels[index]]
                right += result.label == truth
                row.append([*render(console, images[index], FACTOR), _caption(console, result.label, truth)])
                if len(row) == per_row or len(results) == len(chosen):
                    bar.console.print(*side_by_side(row), sep="\n", end="\n\n")
                    row = []
        seconds, simulated = time.perf_counter() - start, accelerator.backend.cycles
    cycles = round(sum(result.cycles for result in results) / len(results))
    colour = "green" if right / len(results) > 0.95 else "yellow"
    console.print(f"[bold {colour}]{right} of {len(results)} right[/] ({right / len(results):.1%}); {network.name}, "
                  "handwritten digits, never seen in training")
    console.print(f"{cycles:,} cycles an image: {result.milliseconds:.3f} ms at "
                  f"{accelerator.backend.clock_hz / 1e6:g} MHz, {accelerator.backend.clock_hz / cycles:,.0f} images/s")
    console.print(f"[dim]simulated on the Verilated RTL in {seconds:.1f} s, "
                  f"{simulated / seconds / 1000:,.0f} thousand cycles a second[/]")


def _caption(console: Console, label: str, truth: str) -> Text:
    width = digits.SIZE // FACTOR * (1 if console.color_system else 2)
    if label == truth:
        return Text(f"{label} ✓".center(width), style="bold green")
    return Text(f"{label} ✗ (is {truth})".center(width), style="bold red")
