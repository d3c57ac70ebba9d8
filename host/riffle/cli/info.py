"""`riffle info`: the paper's complexity numbers next to ours."""

from __future__ import annotations

import re

from rich.console import Console
from rich.table import Table

from .. import spec
from ..network import Architecture, complexity_table, unit_costs

UNIT = (28, 28, 240, 60, 3)  # height, width, channels, bottleneck channels, groups: stage 2 of 1x, g = 3


def info(console: Console, layers: str | None) -> None:
    if layers:
        return console.print(layer_table(layers))
    table = Table(title="ShuffleNet V1, 224x224, million multiply-accumulates", title_justify="left")
    for column in ("network", "paper", "ours", "difference"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for architecture, paper, ours in complexity_table():
        table.add_row(architecture.name, str(paper), f"{ours:.1f}", f"{ours / paper - 1:+.1%}")
    console.print(table)
    height, width, channels, middle, groups = UNIT
    table = Table(title=f"One unit, {height}x{width}, {channels} channels, bottleneck {middle}, {groups} groups",
                  title_justify="left")
    for column in ("unit", "formula", "multiply-accumulates"):
        table.add_column(column, justify="right" if column.startswith("multiply") else "left")
    formulas = {"ShuffleNet": "hw(2cm/g + 9m)", "ResNet": "hw(2cm + 9m²)", "ResNeXt": "hw(2cm + 9m²/g)"}
    for name, cost in unit_costs(*UNIT).items():
        table.add_row(name, formulas[name], f"{cost:,}")
    console.print(table)
    full = spec.CONFIGURATIONS["full"]
    console.print(f"riffle {spec.VERSION}, specification {spec.SPEC_HASH:#010x}; hardware: lattice "
                  f"{full['rows']}x{full['columns']}, {full['rows'] * full['columns'] * 8} MACs a cycle")
    return None


def layer_table(name: str) -> Table:
    """Multiply-accumulates and parameters of each layer of an architecture such as `g3-1x`."""
    match = re.fullmatch(r"g(\d+)-([\d.]+)x", name)
    if not match:
        raise ValueError(f"{name!r} is no architecture: write it as g3-1x (3 groups, scale 1)")
    architecture = Architecture(int(match[1]), float(match[2]))
    specs = architecture.layers()
    table = Table(title=f"{architecture.name}, 224x224", title_justify="left", show_footer=True)
    totals = {"MACs": sum(s.macs for s in specs), "parameters": sum(s.parameters for s in specs)}
    for column in ("layer", "kind", "channels", "size", "groups", "MACs", "parameters"):
        justify = "left" if column in ("layer", "kind") else "right"
        table.add_column(column, f"{totals[column]:,}" if column in totals else "", justify=justify)
    for s in specs:
        table.add_row(s.name, s.kind, f"{s.in_channels} > {s.out_channels}", "x".join(map(str, s.out_size)),
                      str(s.groups), f"{s.macs:,}", f"{s.parameters:,}")
    return table
