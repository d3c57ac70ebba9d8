"""`riffle bench --layers`: the account of one network, layer by layer."""

from __future__ import annotations

import json as json_format
import sys
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.table import Table

from riffle.analysis.profile import Account
from riffle.analysis.timing import Times
from riffle.cli.report import measure

COLUMNS = {"busy": "busy", "starved": "wait", "drain": "drain", "reads": "reads", "writes": "writes"}


def show_layers(console: Console, json: bool, name: str, seed: int, backend: str) -> bool:
    """Print the table; whether the result was the reference's."""
    measured, taken, exact, _ = measure(Console(stderr=True) if json else console, name, seed, backend)
    if json:
        json_format.dump(as_json(measured, taken, exact) | {"backend": backend}, sys.stdout, indent=2)
        print()
    else:
        console.print(str(taken))
        console.print(table(measured))
        right = "that of NumPy" if exact else "[bold red]NOT that of NumPy[/]"
        console.print(
            f"{measured.cycles:,} cycles in all, {measured.rest:,} of them before the first descriptor and behind the "
            f"last one; {measured.utilisation:.1%} of the multipliers, {measured.starved:,} cycles waiting for "
            f"weights, {measured.ddr_bytes:,} bytes of image and weights; the result is {right}.")
        console.print("[dim]diff: from the compiler's model. busy: the array or a pool was fed. wait: for weights. "
                      "drain: after the last slot. reads, writes: cycles of the activation memory's ports. kB: "
                      "weights. util: of all multipliers.[/]")
    return exact


def as_json(measured: Account, taken: Times, exact: bool) -> dict:
    return {"network": measured.name, **taken.as_json(), "cycles": measured.cycles, "cycles_model": measured.predicted,
            "outside_descriptors": measured.rest, "stall_cycles": measured.starved,
            "stalls_percent": round(100 * measured.starved / measured.cycles, 3), "ddr_bytes": measured.ddr_bytes,
            "mac_utilisation": round(measured.utilisation, 4), "bit_exact": bool(exact),
            "layers": [asdict(entry) for entry in measured.layers()]}


def table(measured: Account) -> Table:
    """For 80 columns."""
    result = Table(title=measured.name, title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    for column in ("layer", "cycles", "diff", *COLUMNS.values(), "kB", "util"):
        result.add_column(column, justify="left" if column == "layer" else "right", no_wrap=True)

    def add(name: str, cycles: int, predicted: int, counts: list[int], size: int, macs: int) -> None:
        result.add_row(name, f"{cycles:,}", f"{cycles - predicted:+,}", *(f"{count:,}" for count in counts),
                       f"{size / 1e3:,.1f}", f"{macs / (measured.peak * cycles):.1%}")

    layers = measured.layers()
    for e in layers:
        add(e.layer.replace("stage", "s"), e.cycles, e.predicted, [getattr(e, name) for name in COLUMNS],
            e.stream_bytes, e.macs)
    result.add_section()
    add("all", sum(e.cycles for e in layers), measured.predicted,
        [sum(getattr(e, name) for e in layers) for name in COLUMNS], sum(e.stream_bytes for e in layers), measured.macs)
    return result
