"""`riffle compare`: hardware against reference, layer by layer."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from riffle.analysis.compare import steps
from riffle.cli.classify import fit
from riffle.cli.hardware import hardware, progress, require
from riffle.cli.picture import read
from riffle.compiler import compile_network
from riffle.zoo import catalogue


def compare(console: Console, name: str, path: Path | None, seed: int, waves: Path | None, backend: str) -> bool:
    """Whether all is equal."""
    if waves:
        require(backend, ("rtl",), "write waveforms")
    network = catalogue.find(name, seed)
    program = compile_network(network)
    image = fit(read(path), program)[0] if path else catalogue.sample_input(network, seed)
    with hardware(console, backend, waves) as accelerator:
        accelerator.load(program)
        with progress(console) as bar:
            task = bar.add_task("Comparing", total=len(program.records))
            for layer, difference in steps(accelerator, network, image):
                bar.update(task, advance=1, description=layer)
                if difference:
                    break
    if difference:
        console.print(f"[bold red]different:[/] {difference}")
    else:
        console.print(f"[bold green]equal:[/] {network.name}, all {len(program.records)} descriptors, bit for bit")
    if waves:
        console.print(f"waveforms: {waves}")
    return difference is None
