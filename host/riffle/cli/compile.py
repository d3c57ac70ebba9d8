"""`riffle compile`: a network becomes a program file, and what its layers will cost is said."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from riffle.analysis.profile import MACS_PER_LANE, predicted_by_kind
from riffle.compiler import compile_network
from riffle.graph.integer_graph import IntegerNetwork
from riffle.isa import spec
from riffle.isa.program import Program
from riffle.zoo import catalogue


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
    sums = predicted_by_kind(network, program)
    sums["all"] = program.cycles, program.macs
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    for column in ("layers", "cycles", "of these at full array", "beyond"):
        table.add_column(column, justify="left" if column == "layers" else "right")
    for name in sorted(sums, key=lambda name: (name == "all", -sums[name][0])):
        cycles, macs = sums[name]
        ideal = round(macs / (program.rows * program.columns * MACS_PER_LANE))
        table.add_row(name, f"{cycles:,}", f"{ideal:,}", f"{cycles - ideal:,}")
    return table
