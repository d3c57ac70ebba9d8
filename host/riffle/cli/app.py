"""Commands and their options; what they do is in the modules named like them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from riffle.bitstream.hwh import CLOCK_MHZ
from riffle.cli.messages import explain, show_error
from riffle.errors import RiffleError
from riffle.isa import spec
from riffle.open_backend import BACKENDS, choose
from riffle.zoo import catalogue

EXPECTED = (RiffleError, ValueError, OSError, MemoryError)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False)

Network = Annotated[str, typer.Argument(help=catalogue.HELP)]
Seed = Annotated[int, typer.Option(min=0, help="of random weights and images")]
Backend = Annotated[str | None, typer.Option(
    "--backend", callback=choose, metavar=f"[{'|'.join(BACKENDS)}]",
    help="what runs it; by default $RIFFLE_BACKEND, else the board, its simulation or NumPy, what is there")]
Waves = Annotated[Path | None, typer.Option(help="write FST waveforms of the whole run to this file")]


def run() -> None:
    try:
        app(prog_name="riffle")
    except EXPECTED as error:
        show_error(explain(error))
        sys.exit(1)


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"riffle {spec.VERSION}, specification {spec.SPEC_HASH:#010x}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True,
                                          help="print the version and exit")] = False,
) -> None:
    """ShuffleNet on an FPGA: on the board, on its simulated RTL, or in NumPy."""


@app.command()
def demo(
    count: Annotated[int, typer.Option(min=1, help="how many images")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="which of the held-out images")] = 0,
    save: Annotated[Path | None, typer.Option(help="save it as a picture (.svg) instead of showing it")] = None,
    backend: Backend = None,
) -> None:
    """Classify handwritten digits that training never saw, and show them."""
    from riffle.cli.demo import demo as show
    if save is None:
        return show(console, count, seed, backend)
    canvas = Console(record=True, file=io.StringIO(), color_system="truecolor", width=100, highlight=False)
    show(canvas, count, seed, backend)
    canvas.save_svg(str(save), title="riffle demo")
    return console.print(f"saved {save}")


@app.command()
def classify(
    images: Annotated[list[Path], typer.Argument(help="picture files (PNG, JPEG, ...) or uint8 arrays (.npy)")],
    network: Annotated[str, typer.Option(help=f"{catalogue.HELP}; or what `riffle compile` wrote")] = "digits",
    seed: Seed = 0,
    backend: Backend = None,
) -> None:
    """Classify pictures: dark on light or light on dark for the digits, any photograph for other networks."""
    from riffle.cli.classify import classify as show
    if not show(console, images, network, seed, backend):
        sys.exit(1)


@app.command()
def info(
    layers: Annotated[str | None, typer.Option(help="show each layer of an architecture, as g3-1x")] = None,
) -> None:
    """Complexity of the ShuffleNets next to the paper's numbers."""
    from riffle.cli.info import info as show
    show(console, layers)


@app.command(name="compile")
def compile_(
    network: Network,
    output: Annotated[Path, typer.Option("-o", "--output", help="program file to write")],
    seed: Seed = 0,
) -> None:
    """Compile a network into one file with program, weights and memory plan."""
    from riffle.cli.compile import compile_to
    compile_to(console, network, output, seed)


@app.command()
def hls4ml(
    network: Network,
    output: Annotated[Path, typer.Option("-o", "--output", help="folder of the project to write")],
    io_type: Annotated[str, typer.Option("--io", help="io_stream or io_parallel")] = "io_stream",
    seed: Seed = 0,
    check: Annotated[bool, typer.Option("--check", help="run the C simulation against the reference, too")] = False,
) -> None:
    """Convert a network, or a unit of one, into an hls4ml project for Vitis HLS."""
    from riffle.cli.hls4ml import write_project
    if not write_project(console, network, output, io_type, seed, check):
        sys.exit(1)


@app.command()
def compare(
    network: Network = "digits",
    image: Annotated[Path | None, typer.Option(help="picture or .npy; by default one is made up")] = None,
    seed: Seed = 0,
    waves: Waves = None,
    backend: Backend = None,
) -> None:
    """Run hardware and reference layer by layer and name the first difference."""
    from riffle.cli.compare import compare as show
    if not show(console, network, image, seed, waves, backend):
        sys.exit(1)


@app.command()
def bench(
    json: Annotated[bool, typer.Option("--json", help="print JSON and nothing else")] = False,
    only: Annotated[str, typer.Option(help="only networks whose name contains this")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="also networks of ImageNet's size; takes minutes")] = False,
    host: Annotated[bool, typer.Option("--host", help="what an image costs the host: bus words, Python")] = False,
    layers: Annotated[str, typer.Option(help="one network layer by layer, as g3-1x-c1000")] = "",
    baselines: Annotated[bool, typer.Option("--baselines", help="this machine's processor beside it; --only names the "
                                                                "network")] = False,
    seed: Seed = 0,
    backend: Backend = None,
) -> None:
    """Cycles, stalls and utilisation from the hardware's own counters, results checked bit by bit."""
    if host:
        from riffle.cli.host_work import show_host_work
        return show_host_work(console, json, only, seed, backend)
    if baselines or layers:
        from riffle.cli.baselines import show_baselines
        from riffle.cli.layers import show_layers
        what, show = (only, show_baselines) if baselines else (layers, show_layers)
        right = show(console, json, what, seed, backend)
        return None if right else sys.exit(1)
    from riffle.cli.bench import bench as show
    if not show(console, json, only, whole, seed, backend):
        sys.exit(1)
    return None


@app.command()
def report(
    network: Network = "g3-1x-c1000",
    output: Annotated[Path, typer.Option("-o", "--output", help="page to write")] = Path("report.html"),
    seed: Seed = 0,
    backend: Backend = None,
) -> None:
    """Run a network and write a page of pictures: timeline, roofline, what the cycles are spent on."""
    from riffle.cli.report import write_report
    if not write_report(console, network, output, seed, backend):
        sys.exit(1)


@app.command()
def trace(
    network: Network = "g3-1x-c1000",
    output: Annotated[Path, typer.Option("-o", "--output", help="file to write")] = Path("trace.json"),
    clock: Annotated[float, typer.Option(min=1, help="MHz; turns cycles into time")] = CLOCK_MHZ,
    seed: Seed = 0,
    backend: Backend = None,
) -> None:
    """Run a network and write a trace for Perfetto or Chrome."""
    from riffle.cli.report import write_trace
    if not write_trace(console, network, output, seed, clock, backend):
        sys.exit(1)


@app.command()
def doctor() -> None:
    """What is there, what is missing, and the command that mends it."""
    from riffle.doctor import main as examine
    sys.exit(examine())
