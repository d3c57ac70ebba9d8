"""`riffle hls4ml`: a network becomes an hls4ml project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console

from riffle.export.hls4ml import convert
from riffle.graph.reference import input_tensor, run
from riffle.zoo import catalogue


def write_project(console: Console, name: str, output: Path, io_type: str, seed: int, check: bool) -> bool:
    """Write the project; with `check` compile its C simulation and compare it. Whether all is right."""
    network = catalogue.find(name, seed)
    with console.status(f"Converting {name}"):
        model = convert(network, output, io_type)
        model.write()
    layers = [layer.class_name for layer in model.get_layers()]
    console.print(f"[bold]{network.name}[/] as {len(layers)} layers of hls4ml in {output} ({io_type})")
    console.print("Synthesise it with `vitis-run --mode hls --tcl build_prj.tcl` there (Vitis 2023.1 or later)")
    if not check:
        return True
    image = catalogue.sample_input(network, seed)
    expected = run(network, image)[network.output].transpose(1, 2, 0)
    with console.status("Compiling and running the C simulation: seconds to minutes"):
        model.compile()
        pixels = input_tensor(network, image).transpose(1, 2, 0)[None].astype(np.float32)
        found = np.asarray(model.predict(np.ascontiguousarray(pixels))).reshape(expected.shape)
    wrong = int((found != expected).sum())
    console.print("C simulation: bit-exact with the reference" if not wrong else
                  f"[red]C simulation: {wrong} of {expected.size} values differ from the reference[/]")
    return not wrong
