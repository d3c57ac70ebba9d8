"""`riffle report` and `riffle trace`: a run on the accelerator, as a page and as a trace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from rich.console import Console

from riffle.analysis import timing
from riffle.analysis.profile import Account, account
from riffle.analysis.report import page
from riffle.analysis.timing import Times
from riffle.analysis.trace import trace
from riffle.cli.hardware import hardware
from riffle.compiler import compile_network
from riffle.driver.weight_delivery import Ddr
from riffle.graph import reference
from riffle.zoo import catalogue


def measure(console: Console, name: str, seed: int, backend: str) -> tuple[Account, Times, bool, bool]:
    """Run a network; its cycles, its times, whether it was right, and whether its weights came from memory."""
    network = catalogue.find(name, seed)
    image = catalogue.sample_input(network, seed)
    program = compile_network(network)
    with hardware(console, backend) as accelerator, console.status(f"Running {name}"):
        accelerator.load(program)
        result = accelerator.run(image)
        taken = timing.measure(accelerator, image)
        exact = np.array_equal(result.output, reference.run(network, image)[network.output])
        return account(accelerator, network), taken, exact, isinstance(accelerator.source, Ddr)


def write_report(console: Console, name: str, output: Path, seed: int, backend: str) -> bool:
    """Write the page; whether the result was right."""
    measured, taken, exact, from_ddr = measure(console, name, seed, backend)
    output.write_text(page(measured, taken, exact, from_ddr), encoding="utf-8")
    return say(console, measured, taken, exact, output, "open it in a browser")


def write_trace(console: Console, name: str, output: Path, seed: int, clock_mhz: float, backend: str) -> bool:
    """Write the trace; whether the result was right."""
    measured, taken, exact, _ = measure(console, name, seed, backend)
    output.write_text(json.dumps(trace(measured, clock_mhz * 1e6)), encoding="utf-8")
    return say(console, measured, taken, exact, output, "open it at ui.perfetto.dev or chrome://tracing")


def say(console: Console, measured: Account, taken: Times, exact: bool, output: Path, what: str) -> bool:
    console.print(f"{measured.name}: {taken.about}, {taken.total_ms:.2f} ms an image; the engine "
                  f"{measured.cycles:,} cycles, {measured.utilisation:.1%} of the array; saved {output}: {what}",
                  soft_wrap=True)
    if not exact:
        console.print("[bold red]The result is not the reference's.[/] Look for the layer with `riffle compare`.")
    return exact
