"""What `Accelerator.load` accepts: a program, a network, a name or a path; all become a program for this hardware."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from riffle.compiler import compile_network
from riffle.errors import InputError
from riffle.graph.integer_graph import IntegerNetwork
from riffle.isa.program import Program
from riffle.zoo import catalogue

Loadable = Program | IntegerNetwork | str | Path


def as_program(what: Loadable, configuration: str | dict[str, int] = "full", batch: bool = False) -> Program:
    """The program that is meant.

    Parameters
    ----------
    what
        a program; an integer network; the path of a .riffle or .npz file; or a name, see `catalogue.HELP`
    configuration, batch
        as `compile_network` takes them; a program is what it is

    Raises
    ------
    InputError
        if it is none of these, or there is no such name or file
    ProgramError, CompileError
        if the file is no program, or the network does not fit
    """
    if isinstance(what, Program):
        return what
    if isinstance(what, IntegerNetwork):
        return compile_network(what, configuration, batch)
    if not isinstance(what, (str, os.PathLike)):
        floating = type(what).__name__ == "FloatNetwork"
        hint = ": quantise it first, with riffle.graph.quantise.quantise" if floating else ""
        raise InputError(f"a {type(what).__name__} cannot be loaded{hint}. Give a Program, an IntegerNetwork, a name "
                         f"as 'digits', or the path of a {catalogue.PROGRAM_SUFFIX} or .npz file")
    name = os.fspath(what)
    if catalogue.is_program(name):
        return Program.load(name)
    network = catalogue.find(name)
    if catalogue.is_random(name):
        warnings.warn(f"{name} is an architecture: its weights are random and its classes mean nothing. Remedy: load "
                      "'digits', or the .npz file of a trained network", stacklevel=3)
    return compile_network(network, configuration, batch)
