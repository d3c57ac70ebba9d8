"""`riffle bench`: the hardware's own counters."""

from __future__ import annotations

import json as json_format
import sys
import time

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from riffle.analysis import timing
from riffle.analysis.bus_traffic import counting
from riffle.analysis.profile import MACS_PER_LANE
from riffle.analysis.timing import Times
from riffle.cli.hardware import hardware, progress
from riffle.compiler import CompileError, compile_network
from riffle.driver.accelerator import Accelerator
from riffle.errors import InputError
from riffle.graph import reference
from riffle.graph.integer_graph import FullyConnected, IntegerNetwork
from riffle.isa.program import Program
from riffle.zoo import catalogue

UNITS = tuple(f"g3-1x-stage{stage}-{kind}" for stage in (2, 3, 4) for kind in ("stride2", "residual"))
QUICK = ("digits", "g3-0.25x-c10", *UNITS, "g3-1x-stage2-residual-unshuffled")
WHOLE = (*(f"g{groups}-1x-c1000" for groups in (1, 2, 3, 4, 8)), "g3-0.25x-c1000", "g3-0.5x-c1000", "g3-1.5x-c1000")
BATCH = 8
COUNTED = ("cycles", "cycles_model", "stall_cycles", "macs")
NO_TIMES = ("ms_per_image", "engine_ms", "image_ms", "host_ms", "clock_mhz")


def bench(console: Console, json: bool, only: str, whole: bool, seed: int, backend: str) -> bool:
    """Print the measurements; whether every result was the reference's."""
    known = QUICK + WHOLE * whole
    networks = [name for name in known if only in name]
    if not networks:
        raise InputError(f"no benchmark contains {only!r}: there are {', '.join(known)}")
    loud = Console(stderr=True) if json else console
    rows = []
    with hardware(loud, backend) as accelerator, progress(loud) as bar:
        memory = accelerator.backend.fetches_from
        task = bar.add_task("", total=len(networks))
        for name in networks:
            bar.update(task, description=name)
            found = measure_whole(accelerator, name, seed) if name in WHOLE else measure(accelerator, name, seed)
            rows += [entry | {"backend": backend} for entry in found]
            bar.advance(task)
    if json:
        json_format.dump(rows, sys.stdout, indent=2)
        print()
    else:
        console.print(table(rows))
        console.print("[dim]ms: what a user gets, with the wait for the image and the host's part (--json has each). "
                      "cycles: of the engine. diff: from the compiler's model. util: of all multipliers in all cycles. "
                      f"Random weights, but for the digits. Weights lie in the weight memory, or in {memory}.[/]")
    return all(row["bit_exact"] for row in rows)


def measure(accelerator: Accelerator, name: str, seed: int = 0) -> list[dict]:
    """Run one network on one input and read the counters; a large image's also without the classifier."""
    network = catalogue.find(name, seed)
    program = compile_network(network)
    image = catalogue.sample_input(network, seed)
    accelerator.load(program)
    result = accelerator.run(image)
    taken = timing.measure(accelerator, image) if program.image_size[0] == 3 else None  # a part: no image comes
    exact = np.array_equal(result.output, reference.run(network, image)[network.output])
    counts = dict(zip(COUNTED, (result.cycles, program.cycles, result.starved, program.macs), strict=True))
    rows = [row(accelerator, title(name, network), network, counts, exact, taken)]
    classifier = [layer.name for layer in network.layers if isinstance(layer, FullyConnected)]
    if classifier and name in QUICK and name != "digits":
        rest = {key: counts[key] - less for key, less in part(accelerator, program, classifier).items()}
        rows.append(row(accelerator, title(name, network) + " without classifier", network, rest, exact))
    return rows


def measure_whole(accelerator: Accelerator, name: str, seed: int = 0) -> list[dict]:
    """A network of ImageNet's size from DDR: one image, which is there, and a batch, whose images are fetched."""
    rows = measure(accelerator, name, seed)
    network = catalogue.find(name, seed)
    try:
        program = compile_network(network, batch=True)
    except CompileError:
        return rows  # the vectors of a batch do not fit beside this network: docs/performance.md
    accelerator.load(program)
    images = [catalogue.sample_input(network, seed + i) for i in range(BATCH)]
    with counting(accelerator) as count:
        start = time.perf_counter()
        results = accelerator.run_batch(images)
        taken = timing.times(accelerator, results, count, time.perf_counter() - start)
    exact = all(np.array_equal(result.output, reference.run(network, image)[network.output])
                for image, result in zip(images, results, strict=True))
    classifier = program.records[-1].cycles
    model = program.cycles * BATCH - classifier * (BATCH - 1)
    counts = (results[0].cycles * BATCH, model, results[0].starved * BATCH, program.macs * BATCH)
    counts = dict(zip(COUNTED, counts, strict=True))
    return [*rows, row(accelerator, title(name, network), network, counts, exact, taken, BATCH)]


def part(accelerator: Accelerator, program: Program, layers: list[str]) -> dict[str, int]:
    """What layers have cost in the last run: the cycle log's entries of their descriptors."""
    chosen = [(record, log) for record, (_, log) in zip(program.records, accelerator.layer_cycles(), strict=True)
              if record.layer in layers]
    sums = [(log["CYCLES"], record.cycles, log["STARVED"], record.macs) for record, log in chosen]
    return dict(zip(COUNTED, map(sum, zip(*sums, strict=True)), strict=True))


def row(accelerator: Accelerator, name: str, network: IntegerNetwork, counts: dict[str, int], exact: bool,
        taken: Times | None = None, batch: int = 1) -> dict:
    """One entry of the JSON output; `waited` for an image that was fetched, not in the cycles."""
    lanes = accelerator.configuration["rows"] * accelerator.configuration["columns"]
    tensor, cycles = network.tensors[network.input], counts["cycles"]
    return {
        "network": name, "input": f"{tensor.height}x{tensor.width}", "batch": batch,
        **(taken.as_json() if taken else dict.fromkeys(NO_TIMES)), "cycles": cycles,
        "cycles_per_image": round(cycles / batch), "waited": taken.waited if taken else 0,
        **{key: counts[key] for key in COUNTED[1:]},
        "mac_utilisation": round(counts["macs"] / (lanes * MACS_PER_LANE * cycles), 4), "bit_exact": bool(exact)}


def title(name: str, network: IntegerNetwork) -> str:
    """What to call a benchmark."""
    return network.name + " without shuffle" * name.endswith("-unshuffled")


def table(rows: list[dict]) -> Table:
    """The same for reading, in 80 columns."""
    result = Table(title="ShuffleNet V1, each image", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
    for column in ("network", "batch", "input", "ms", "cycles", "diff", "stalls", "MMAC", "util", "exact"):
        result.add_column(column, justify="left" if column in ("network", "input") else "right",
                          no_wrap=column != "network")
    for entry in rows:
        batch, cycles = entry["batch"], entry["cycles_per_image"]
        model = round(entry["cycles_model"] / batch)
        name = entry["network"].removeprefix("shufflenet_v1 ").replace(" unit", "")
        stalls, macs = entry["stall_cycles"] / batch, entry["macs"] / batch / 1e6
        taken = entry["ms_per_image"]
        result.add_row(name, str(batch), entry["input"], "" if taken is None else f"{taken:.2f}", f"{cycles:,}",
                       f"{cycles / model - 1:+.1%}",
                       f"{stalls:,.0f}", f"{macs:.2f}", f"{entry['mac_utilisation']:.1%}",
                       "[green]yes[/]" if entry["bit_exact"] else "[bold red]no[/]")
    return result
