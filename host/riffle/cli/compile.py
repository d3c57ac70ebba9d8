"""`riffle compile`: a network becomes a program file, and what its layers will cost is said."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from .. import catalogue, spec
from ..compiler import compile_network
from ..integer import Convolution, IntegerNetwork, Layer
from ..program import Program

MACS_PER_LANE = 8  # each cycle: four input and two output channels


def compile_to(console: Console, name: str, output: Path, seed: int) -> None:
    """Compile, save and say what came of it."""
    with console.status(f"Compiling {name}"):
        network = catalogue.find(name, seed)
        program = compile_network(network)
        program.save(output)
    console.print(f"[bold]{program.name}[/] compiled to {output} ({output.stat().st_size:,} bytes)", soft_wrap=True)
    console.print(f"{len(program.descriptors)} descriptors, {len(program.stream):,} stream words of weights, "
                  f"{program.cycles:,} cycles predicted")
    console.print(account(network, program))
    if reason := program.why_not_resident(spec.CONFIGURATIONS["full"]):
        console.print(f"[yellow]Note:[/] {reason}.")


def account(network: IntegerNetwork, program: Program) -> Table:
    """Predicted cycles by kind of layer, and in how many of them the array would do with all multipliers."""
    kinds = {layer.name: kind(layer) for layer in network.layers}
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for record in program.records:
        for total in (sums[kinds[record.layer]], sums["all"]):
            total[0] += record.cycles
            total[1] += record.macs
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    for column in ("layers", "cycles", "of these at full array", "beyond"):
        table.add_column(column, justify="left" if column == "layers" else "right")
    for name in sorted(sums, key=lambda name: (name == "all", -sums[name][0])):
        cycles, macs = sums[name]
        ideal = round(macs / (program.rows * program.columns * MACS_PER_LANE))
        table.add_row(name, f"{cycles:,}", f"{ideal:,}", f"{cycles - ideal:,}")
    return table


def kind(layer: Layer) -> str:
    """What kind of layer it is, in words."""
    if not isinstance(layer, Convolution):
        return {"MaxPool": "max pool", "GlobalAverage": "global average"}.get(type(layer).__name__, "fully connected")
    if layer.kind == "average_pool":
        return "average pool"
    if layer.weight.shape[2] == 1:
        return "pointwise convolution"
    return "depthwise convolution" if layer.weight.shape[1] == 1 else "3x3 convolution"
