"""`riffle bench`: the hardware's own counters."""

from __future__ import annotations

import json as json_format
import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from .. import catalogue, reference
from ..compiler import compile_network
from ..driver import Accelerator
from ..integer import IntegerNetwork
from .simulator import progress, simulator

NETWORKS = ("digits", "g3-0.25x-c10", "g3-1x-stage2-residual", "g3-1x-stage3-residual", "g3-1x-stage4-residual",
            "g3-1x-stage2-residual-unshuffled")
MACS_PER_LANE = 8  # each cycle: four input and two output channels


def bench(console: Console, json: bool, only: str) -> bool:
    """Print the measurements; whether every result was the reference's."""
    networks = [name for name in NETWORKS if only in name]
    if not networks:
        raise ValueError(f"no benchmark contains {only!r}: there are {', '.join(NETWORKS)}")
    loud = Console(stderr=True) if json else console
    with simulator(loud) as accelerator, progress(loud) as bar:
        rows = [measure(accelerator, name) for name in bar.track(networks, description="Benchmarks")]
    if json:
        json_format.dump(rows, sys.stdout, indent=2)
        print()
    else:
        console.print(table(rows))
    return all(row["bit_exact"] for row in rows)


def measure(accelerator: Accelerator, name: str) -> dict:
    """Run one network on one input and read the counters."""
    network = catalogue.find(name)
    program = compile_network(network)
    image = catalogue.sample_input(network)
    accelerator.load(program, in_passes=True)
    result = accelerator.run(image)
    lanes = accelerator.configuration["rows"] * accelerator.configuration["columns"]
    return {
        "network": title(name, network), "input": size(network), "batch": 1, "cycles": result.cycles,
        "cycles_per_image": result.cycles, "cycles_model": program.cycles, "stall_cycles": result.starved,
        "macs": program.macs, "mac_utilisation": round(program.macs / (lanes * MACS_PER_LANE * result.cycles), 4),
        "bit_exact": bool(np.array_equal(result.output, reference.run(network, image)[network.output])),
    }


def title(name: str, network: IntegerNetwork) -> str:
    """What to call a benchmark."""
    return network.name + " without shuffle" * name.endswith("-unshuffled")


def size(network: IntegerNetwork) -> str:
    tensor = network.tensors[network.input]
    return f"{tensor.height}x{tensor.width}"


def table(rows: list[dict]) -> Table:
    result = Table()
    for column in ("network", "input", "cycles", "model", "stalls", "MACs", "utilisation", "bit-exact"):
        result.add_column(column, justify="left" if column in ("network", "input") else "right")
    for row in rows:
        result.add_row(row["network"], row["input"], f"{row['cycles']:,}", f"{row['cycles_model']:,}",
                       f"{row['stall_cycles']:,}", f"{row['macs']:,}", f"{row['mac_utilisation']:.1%}",
                       "yes" if row["bit_exact"] else "[bold red]no[/]")
    return result
