"""`riffle bench --host`: what an image costs the host."""

from __future__ import annotations

import json as json_format
import sys
from dataclasses import asdict

from rich.console import Console

from .. import catalogue
from ..compiler import compile_network
from ..host_work import measure
from ..opening import open_accelerator
from .info import make_table

NETWORKS = ("digits", "g3-0.25x-c10")  # 28x28 and 224x224


def show_host_work(console: Console, json: bool, only: str, seed: int) -> None:
    """Print words and milliseconds of one image.

    Raises
    ------
    ValueError
        if no benchmark has such a name
    """
    names = [name for name in NETWORKS if only in name]
    if not names:
        raise ValueError(f"no benchmark contains {only!r}: there are {', '.join(NETWORKS)}")
    rows = []
    accelerator = open_accelerator()
    for name in names:
        network = catalogue.find(name, seed)
        image = catalogue.sample_input(network, seed)
        for way in ("ddr", "window"):
            accelerator.load(compile_network(network), images=way)
            rows.append({"network": name, "input": "x".join(map(str, image.shape[:2])), "images": way}
                        | asdict(measure(accelerator, image)))
    if json:
        json_format.dump(rows, sys.stdout, indent=2)
        print()
        return
    table = make_table("Host work of one image", {"network": "left", "input": "left", "images": "left"} | dict.fromkeys(
        ("image", "result", "registers", "Python ms", "model ms"), "right"))
    for row in rows:
        words = row["words"]
        table.add_row(row["network"], row["input"], row["images"], *(f"{words.get(window, 0):,}" for window in (
            "IMAGE", "ACTIVATIONS", "REGISTERS")), f"{row['python_ms']:.2f}", f"{row['simulated_ms']:.1f}")
    console.print(table)
    console.print("[dim]Images: fetched from shared memory, or written through the window. Image, result, registers: "
                  "words over the bus. Python: besides the model's time.[/]")
