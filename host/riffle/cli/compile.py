"""`riffle compile`: a network becomes a program file."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from .. import catalogue, spec
from ..compiler import compile_network


def compile_to(console: Console, name: str, output: Path, seed: int) -> None:
    """Write the program file and say what is in it."""
    with console.status(f"Compiling {name}"):
        program = compile_network(catalogue.find(name, seed))
        program.save(output)
    console.print(f"[bold]{program.name}[/] compiled to {output} ({output.stat().st_size:,} bytes)", soft_wrap=True)
    console.print(f"{len(program.descriptors)} descriptors, {len(program.stream):,} stream words of weights, "
                  f"{program.cycles:,} cycles predicted")
    if reason := program.why_not_resident(spec.CONFIGURATIONS["full"]):
        console.print(f"[yellow]Note:[/] {reason}.")
