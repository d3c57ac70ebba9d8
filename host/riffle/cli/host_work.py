"""`riffle bench --host`: what an image costs the host."""

from __future__ import annotations

import json as json_format
import sys
from dataclasses import asdict

from rich.console import Console

from riffle.analysis.bus_traffic import measure
from riffle.cli.hardware import hardware, require
from riffle.cli.info import make_table
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.errors import InputError
from riffle.zoo import catalogue

NETWORKS = ("digits", "g3-0.25x-c10")  # 28x28 and 224x224


def rows_of(accelerator: Accelerator, name: str, seed: int, ways: tuple[str, ...]) -> list[dict]:
    """What an image of a network costs, for each way in which images come."""
    network = catalogue.find(name, seed)
    program, image, rows = compile_network(network), catalogue.sample_input(network, seed), []
    for way in ways:
        accelerator.load(program, images=way)
        rows.append({"network": name, "input": "x".join(map(str, image.shape[:2])), "images": way}
                    | asdict(measure(accelerator, image)))
    return rows


def show_host_work(console: Console, json: bool, only: str, seed: int, backend: str) -> None:
    """Print words and milliseconds of one image.

    Raises
    ------
    ValueError
        if no benchmark has such a name
    """
    names = [name for name in NETWORKS if only in name]
    if not names:
        raise InputError(f"no benchmark contains {only!r}: there are {', '.join(NETWORKS)}")
    require(backend, ("rtl", "board", "uio"), "tell Python's time from the engine's")
    with hardware(Console(stderr=True) if json else console, backend) as accelerator:
        ways = ("ddr", "window") if accelerator.backend.shares_memory else ("window",)
        rows = [{"backend": backend} | row for name in names for row in rows_of(accelerator, name, seed, ways)]
    if json:
        json_format.dump(rows, sys.stdout, indent=2)
        print()
        return
    table = make_table("Host work of one image", {"network": "left", "input": "left", "images": "left"} | dict.fromkeys(
        ("image", "result", "registers", "Python ms", "engine ms"), "right"))
    for row in rows:
        words = row["words"]
        table.add_row(row["network"], row["input"], row["images"], *(f"{words.get(window, 0):,}" for window in (
            "IMAGE", "ACTIVATIONS", "REGISTERS")), f"{row['python_ms']:.2f}", f"{row['simulated_ms']:.1f}")
    console.print(table)
    console.print("[dim]Images: fetched from shared memory, or written through the window. Image, result, registers: "
                  "words over the bus. Python: besides the time of the engine or its model.[/]")
