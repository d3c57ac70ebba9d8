"""Does the accelerator fit the XC7Z020? Synthesise it with Yosys, count, compare with the limits.

    python tools/resources.py            full size: build/resources.json and docs/resources.md; exit 1 over a limit
    python tools/resources.py --small    reduced lattice: tools/resources_small.json, which tests/ compares with

A synthesis estimate: Vivado, which decides in the end, was never run on this project.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from netlist import COLUMNS, Module, array_dsps, block_ram_outputs, read, resources, top_of
from resources_page import markdown
from synthesis import parameters_of, synthesise
from verilator_root import BUILD, ROOT

LIMITS = {"dsp": 220, "bram36": 138, "lut": 40_000, "ff": 80_000, "logic_depth": 6}
SMALL = Path(__file__).with_name("resources_small.json")


def measure(configuration: str) -> dict:
    """Resources of a configuration of the spec.

    Returns
    -------
    dict
        dsp, bram36, lut, ff, carry4; logic_depth (cells of logic on the longest path), logic_depth_whole_chains (the
        same with a carry chain as one level); array (how its DSPs are configured); block_ram_outputs; modules: the
        same counts and depths for each module alone, with `instances`, over which the counts are summed; deepest:
        list of [levels, with whole chains, where the path begins, where it ends]
    """
    parameters = parameters_of(configuration)
    result = synthesise(f"riffle-{configuration}", **parameters)
    modules = read(result.modules)
    whole = read(result.flat)
    flat = whole[top_of(whole)]
    lane = next(module for module in modules.values() if module.name == "mac_lane")
    return {
        "configuration": parameters, **resources(flat.counts), "logic_depth": flat.depth(),
        "logic_depth_whole_chains": flat.depth(whole_chains=True),
        "array": array_dsps(lane, parameters["Rows"] * parameters["Columns"]),
        "block_ram_outputs": block_ram_outputs(flat), "modules": module_table(modules),
        "deepest": deepest(flat),
    }


def module_table(modules: dict[str, Module]) -> dict[str, dict]:
    """Counts and depths of each module by its name in the source; variants with other parameters are added up."""
    instances = dict.fromkeys(modules, 0)

    def place(name: str) -> None:
        instances[name] += 1
        for kind, count in modules[name].counts.items():
            if kind in modules:
                for _ in range(count):
                    place(kind)

    place(top_of(modules))
    table: dict[str, dict] = {}
    for name, module in modules.items():
        row = table.setdefault(module.name, {"instances": 0, **dict.fromkeys((*COLUMNS, "logic_depth"), 0)})
        row["instances"] += instances[name]
        for column, value in resources(module.counts).items():
            row[column] += value * instances[name]
        row["logic_depth"] = max(row["logic_depth"], module.depth())
    return dict(sorted(table.items()))


def deepest(flat: Module, limit: int = LIMITS["logic_depth"]) -> list[list]:
    """Where the paths with more than `limit` levels end, deepest first."""
    ends = [(levels, flat.levels(bit, whole_chains=True), flat.start(bit), end)
            for end, (levels, bit) in flat.ends().items() if levels > limit]
    return [list(end) for end in sorted(ends, key=lambda end: (-end[0], -end[1], end[3]))]


def excesses(measured: dict) -> list[str]:
    """One sentence for each limit that is exceeded."""
    return [f"{name} is {measured[name]}, more than {limit}"
            for name, limit in LIMITS.items() if measured[name] > limit]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="the reduced lattice, into small.json")
    small = parser.parse_args().small
    measured = measure("small" if small else "full")
    if small:
        del measured["deepest"]
        SMALL.write_text(json.dumps(measured, indent=2) + "\n")
        return 0
    BUILD.mkdir(exist_ok=True)
    (BUILD / "resources.json").write_text(json.dumps(measured, indent=2) + "\n")
    (ROOT / "docs" / "resources.md").write_text(markdown(measured, LIMITS, excesses(measured)))
    print(", ".join(f"{name} {measured[name]}/{limit}" for name, limit in LIMITS.items()))
    for excess in excesses(measured):
        print(f"resources: {excess}: see docs/resources.md", file=sys.stderr)
    return bool(excesses(measured))


if __name__ == "__main__":
    sys.exit(main())
