"""`riffle bench --baselines`: this machine's processor beside the accelerator, on the same network."""

from __future__ import annotations

import json as json_format
import sys
import time

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from riffle.analysis import timing
from riffle.analysis.cpu_baselines import measure
from riffle.analysis.timing import Times
from riffle.cli.hardware import hardware
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.graph import reference
from riffle.zoo import catalogue


def show_baselines(console: Console, json: bool, only: str, seed: int, backend: str) -> bool:
    """Print the table; whether every result was the reference's."""
    name = only or "g3-1x-c1000"
    network = catalogue.find(name, seed)
    image = catalogue.sample_input(network, seed)
    loud = Console(stderr=True) if json else console
    program = compile_network(network)
    with hardware(loud, backend) as accelerator:
        accelerator.load(program)
        begin = time.perf_counter()
        result = accelerator.run(image)
        wall = time.perf_counter() - begin
        taken = timing.measure(accelerator, image)
        exact = bool(np.array_equal(result.output, reference.run(network, image)[network.output]))
        simulated = accelerator.backend.cycles is not None
        rows = own_rows(accelerator, taken, 1e3 * wall, exact)
    with loud.status("Timing this machine's processor"):
        baselines, missing = measure(network, image)
    rows += [{"what": f"{b.what}, wall time here", "milliseconds": b.milliseconds, "exact": b.exact} for b in baselines]
    if json:
        found = {"network": network.name, "backend": backend, "rows": rows, "missing": missing}
        json_format.dump(found, sys.stdout, indent=2)
        print()
        return all(row["exact"] for row in rows)
    table = Table(title=f"{network.name}, one image", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    for column in ("what", "ms", "exact"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        table.add_row(escape(row["what"]), f"{row['milliseconds']:,.2f}", "yes" if row["exact"] else "[bold red]no[/]")
    console.print(table)
    for sentence in missing:
        console.print(f"[dim]{escape(sentence)}[/]")
    if simulated:
        console.print("[dim]Times of this machine are the fastest of three; they say nothing about the board's "
                      "processor, on which ncnn (float) was published with 212.8 ms for 1x, g = 3.[/]")
    return all(row["exact"] for row in rows)


def own_rows(accelerator: Accelerator, taken: Times, wall: float, exact: bool) -> list[dict]:
    """The accelerator's own lines: what a user gets, and `wall`, the milliseconds that passed here."""
    simulated = accelerator.backend.cycles is not None
    ours = (f"Riffle: engine {taken.engine_ms:.3f}, image {taken.image_ms:.3f}, host {taken.host_ms:.3f} ms at "
            f"{taken.clock:.5g} MHz, {taken.what}" + " (no board was measured)" * simulated)
    itself = "the simulation itself" if simulated else "Riffle with all that Python does"
    return [{"what": ours, "milliseconds": taken.total_ms, "exact": exact},
            {"what": f"{itself}, wall time here", "milliseconds": wall, "exact": exact}]
