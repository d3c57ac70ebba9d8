"""The accelerator that a command uses, with progress on the console: any backend of `riffle.open`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from riffle.driver.accelerator import Accelerator
from riffle.errors import HardwareError
from riffle.open_backend import open_accelerator

OPENING = {"board": "Loading the bitstream", "hls": "HLS engine: checking, compiling if sources have changed"}


@contextmanager
def hardware(console: Console, backend: str, waves: Path | None = None) -> Iterator[Accelerator]:
    """The accelerator behind a backend; says which one it is. Its memory is given back at the end.

    Parameters
    ----------
    backend
        what `opening.choose` gave
    waves
        FST file for waveforms, which "rtl" alone can write

    Raises
    ------
    HardwareError
        if the backend does not work here
    OSError
        if `waves` cannot be written
    """
    if waves:
        waves.touch()  # the simulation would not say so
    status = console.status(OPENING.get(backend, f"Opening backend {backend}"))
    with nullcontext() if backend == "rtl" else status:  # whose build says itself how far it is
        accelerator = open_accelerator(backend, **({"waves": waves} if waves else {}))
    try:
        console.print(f"[dim]Backend {backend}: {escape(accelerator.backend.what)}[/]")
        yield accelerator
    finally:
        accelerator.unload()
        if close := getattr(accelerator.backend, "close", None):
            close()  # only then waveforms are complete


def require(backend: str, able: tuple[str, ...], what: str) -> None:
    """Refuse what a backend cannot do, before it is opened.

    Raises
    ------
    HardwareError
        if it is not one of those that are `able`
    """
    if backend not in able:
        raise HardwareError(f"backend {backend!r} cannot {what}. Remedy: leave that out, or add --backend "
                            f"{' or '.join(able)}")


def progress(console: Console) -> Progress:
    """A progress bar that goes away when all is done."""
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    console=console, transient=True, disable=not console.is_terminal)
