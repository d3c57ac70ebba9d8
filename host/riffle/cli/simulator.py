"""The simulated accelerator with progress on the console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..backends.rtl import RtlBackend, build
from ..driver import Accelerator
from ..opening import best, open_accelerator


@contextmanager
def simulator(console: Console, waves: Path | None = None) -> Iterator[Accelerator]:
    """An accelerator on the Verilated RTL; builds the model first if needed, which takes a minute or two.

    Without the sources of the hardware, as in an installed wheel, NumPy computes instead.

    Raises
    ------
    OSError
        if `waves` cannot be written
    """
    if best() == "numpy" and not waves:
        console.print("[dim]The simulated hardware is built from the repository; here NumPy computes.[/]")
        yield open_accelerator("numpy")
        return
    if waves:
        waves.touch()  # the simulation would not say so
    with console.status("Verilated model: checking, building if sources have changed"):
        library = build(waves=waves is not None)
    with RtlBackend(library, waves=waves) as backend:
        yield Accelerator(backend)


def progress(console: Console) -> Progress:
    """A progress bar that goes away when all is done."""
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    console=console, transient=True, disable=not console.is_terminal)
