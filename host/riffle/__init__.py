"""Riffle: ShuffleNet on an FPGA.

    accelerator = riffle.open()
    accelerator.load(riffle.load("digits"))
    accelerator.run(image).label

`driver` runs, `compiler` translates, `graph.reference` says what is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riffle.isa.spec import VERSION as __version__

if TYPE_CHECKING:
    from pathlib import Path

    from riffle.driver.accelerator import Accelerator
    from riffle.graph.integer_graph import IntegerNetwork
    from riffle.isa.program import Program

__all__ = ["__version__", "load", "open"]


def open(backend: str | None = None, **options: object) -> Accelerator:
    """The accelerator: the board if there is one, else the best simulation; see `open_backend.open_accelerator`."""
    from riffle.open_backend import open_accelerator
    return open_accelerator(backend, **options)


def load(name: str | Path | IntegerNetwork | Program) -> Program:
    """A network as a program for the full hardware: a name or a file, as `Accelerator.load` takes them.

    Warns
    -----
    UserWarning
        if the name is that of an architecture, whose weights are random

    Raises
    ------
    InputError, ProgramError, CompileError
        as `Accelerator.load`
    """
    from riffle.driver.loading import as_program
    return as_program(name)
