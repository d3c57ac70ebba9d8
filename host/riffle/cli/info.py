"""`riffle info`: the paper's complexity numbers next to ours."""

from __future__ import annotations

import re

from rich import box
from rich.console import Console
from rich.table import Table

from riffle.errors import InputError
from riffle.isa import spec
from riffle.zoo.shufflenet_v1 import Architecture, complexity_table, unit_costs

UNIT = (28, 28, 240, 60, 3)  # height, width, channels, bottleneck channels, groups: stage 2 of 1x, g = 3


def info(console: Console, layers: str | None) -> None:
    """Print the complexity tables, or the layers of one architecture."""
    if layers:
        return console.print(layer_table(layers))
    table = make_table("ShuffleNet V1, 224x224, million MACs",
                       {"network": "left", "paper": "right", "ours": "right", "difference": "right"})
    for architecture, paper, ours in complexity_table():
        table.add_row(architecture.name, str(paper), f"{ours:.1f}", f"{ours / paper - 1:+.1%}")
    console.print(table)
    height, width, channels, middle, groups = UNIT
    table = make_table(f"One unit: {height}x{width}, {channels} channels, bottleneck {middle}, g = {groups}",
                       {"unit": "left", "formula": "left", "multiply-accumulates": "right"})
    formulas = {"ShuffleNet": "hw(2cm/g + 9m)", "ResNet": "hw(2cm + 9m²)", "ResNeXt": "hw(2cm + 9m²/g)"}
    for name, cost in unit_costs(*UNIT).items():
        table.add_row(name, formulas[name], f"{cost:,}")
    console.print(table)
    full = spec.CONFIGURATIONS["full"]
    console.print(f"riffle {spec.VERSION}, specification {spec.SPEC_HASH:#010x}; hardware: lattice "
                  f"{full['rows']}x{full['columns']}, {full['rows'] * full['columns'] * 8} MACs a cycle")
    return None


def layer_table(name: str) -> Table:
    """Multiply-accumulates and parameters of each layer of an architecture such as `g3-1x`.

    Raises
    ------
    ValueError
        if there is no such architecture
    """
    match = re.fullmatch(r"g(\d+)-(\d+(?:\.\d+)?)x", name)
    if not match:
        raise InputError(f"{name!r} is no architecture: write it as g3-1x (3 groups, scale 1)")
    architecture = Architecture(int(match[1]), float(match[2]))
    specs = architecture.layers()
    totals = {"MACs": sum(s.macs for s in specs), "parameters": sum(s.parameters for s in specs)}
    columns = {name: "right" for name in ("channels", "size", "groups", "MACs", "parameters")}
    table = make_table(f"{architecture.name}, 224x224", {"layer": "left"} | columns, totals)
    for s in specs:
        table.add_row(s.name, f"{s.in_channels} > {s.out_channels}", "x".join(map(str, s.out_size)),
                      str(s.groups), f"{s.macs:,}", f"{s.parameters:,}")
    return table


def make_table(title: str, columns: dict[str, str], totals: dict[str, int] | None = None) -> Table:
    """An empty table; columns with their justification, and what stands below them."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_footer=totals is not None,
                  padding=(0, 1, 0, 0))
    for name, justify in columns.items():
        footer = f"{totals[name]:,}" if totals and name in totals else ""
        table.add_column(name, footer, justify=justify, no_wrap=True)
    return table
