"""Networks by name, for the command line and the benchmark."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np

from riffle.errors import InputError
from riffle.graph.integer_graph import IntegerNetwork
from riffle.zoo import digits
from riffle.zoo.random_networks import random_input, random_integer_network, random_unit
from riffle.zoo.shufflenet_v1 import Architecture

HELP = ("`digits` (trained), a quantised network's .npz file, or an architecture with random weights: `g3-0.25x-c10` "
        "is ShuffleNet V1 with 3 groups, scale 0.25 and 10 classes at 224x224; `g3-1x-stage2-residual` (or `-stride2`) "
        "one unit of it")
PROGRAM_SUFFIX = ".riffle"
DIGITS = "scikit-learn load_digits"  # what a network's metadata says it was trained on
ARCHITECTURE = re.compile(r"g(?P<groups>\d+)-(?P<scale>\d+(\.\d+)?)x"
                          r"(-c(?P<classes>[1-9]\d*)|-stage(?P<stage>\d)-(?P<kind>residual|stride2)(?P<plain>-unshuffled)?)?")


def find(name: str, seed: int = 0) -> IntegerNetwork:
    """The network of that name; see `HELP`.

    Raises
    ------
    InputError
        if there is no such network, or the file holds none
    """
    if name == "digits":
        return digits.network()
    match = ARCHITECTURE.fullmatch(name)
    if match:
        groups, scale = int(match["groups"]), float(match["scale"])
        if match["stage"]:
            shuffle = "none" if match["plain"] else "paper"
            return random_unit(groups, int(match["stage"]), match["kind"], scale, shuffle=shuffle, seed=seed)
        return random_integer_network(Architecture(groups, scale, classes=int(match["classes"] or 1000)), seed)
    if Path(name).is_dir():
        raise InputError(f"{name} is a folder, not a network: give a file in it. Known are {HELP}.")
    if not Path(name).is_file():
        raise InputError(f"there is no network or file {name!r}. Known are {HELP}.")
    if is_program(name):
        raise InputError(f"{name} is a compiled program, which no longer has the layers that this needs. Give the "
                         "network that it was compiled from; `riffle classify --network` and Accelerator.load take "
                         "programs")
    return IntegerNetwork.load(name)


def is_program(name: str) -> bool:
    """Whether a name is that of a program file; what does not exist is one by its suffix."""
    path = Path(name)
    try:
        with zipfile.ZipFile(path) as file:
            return "descriptors.npy" in file.namelist()
    except (OSError, zipfile.BadZipFile):  # a missing or damaged one: loading it says so
        return path.suffix == PROGRAM_SUFFIX and not path.is_dir()


def is_random(name: str) -> bool:
    """Whether a name is that of an architecture, whose weights are random."""
    return ARCHITECTURE.fullmatch(name) is not None


def sample_input(network: IntegerNetwork, seed: int = 0) -> np.ndarray:
    """Something to run a network on: for the digits a held-out one, otherwise random structure."""
    if network.metadata.get("data") == DIGITS:
        images, _ = digits.held_out()
        return images[seed % len(images)]
    return random_input(network, seed)
