"""Riffle: ShuffleNet on an FPGA.

    accelerator = riffle.open()
    accelerator.load(riffle.load("digits"))
    accelerator.run(image).label

`driver` runs, `compiler` translates, `reference` says what is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riffle.spec import VERSION as __version__

if TYPE_CHECKING:
    from riffle.driver import Accelerator
    from riffle.program import Program

__all__ = ["__version__", "load", "open"]


def open(backend: str | None = None, **options: object) -> Accelerator:
    """The accelerator: the board if there is one, else the best simulation; see `opening.open_accelerator`."""
    from riffle.opening import open_accelerator
    return open_accelerator(backend, **options)


def load(name: str) -> Program:
    """A network as a program: `digits`, a .riffle file, or whatever the command line takes (`catalogue.HELP`).

    Raises
    ------
    ValueError, ProgramError
        if there is no such network, or the file is no program
    """
    from riffle import catalogue
    from riffle.compiler import compile_network
    from riffle.program import Program
    return Program.load(name) if name.endswith(".riffle") else compile_network(catalogue.find(name))
