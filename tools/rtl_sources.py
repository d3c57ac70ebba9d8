"""The RTL's files, what each module is made of, and whether what was built of them is up to date.

Needs the standard library only: the demo builds the model without a simulator's Python packages.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from verilator_root import ROOT

RTL = ROOT / "hw" / "rtl"


@cache
def file_list() -> list[Path]:
    """All RTL sources in the order of hw/rtl/rtl.f, which is the order in which they depend on each other."""
    lines = (line.partition("//")[0].strip() for line in (RTL / "rtl.f").read_text().splitlines())
    return [RTL / line for line in lines if line]


@cache
def sources(module: str) -> list[Path]:
    """The files that `module` is made of: its own and those of every module and package that it names, in order.

    Raises
    ------
    RuntimeError
        if hw/rtl/rtl.f does not list the module
    """
    known = {path.stem: path for path in file_list()}
    if module not in known:
        raise RuntimeError(f"hw/rtl/rtl.f does not list {module}.sv")
    needed, open_ends = set(), [module]
    while open_ends:
        name = open_ends.pop()
        needed.add(name)
        open_ends += (set(re.findall(r"\w+", _code(known[name]))) & known.keys()) - needed
    return [path for path in file_list() if path.stem in needed]


def up_to_date(stamp: Path, *inputs: object) -> bool:
    """Does the file `stamp` say that what lies beside it was made from these inputs? A path stands for its contents."""
    return stamp.exists() and stamp.read_text() == fingerprint(*inputs)


def fingerprint(*inputs: object) -> str:
    """SHA-256 of the inputs; a path stands for its name and contents."""
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(str(item).encode() + (item.read_bytes() if isinstance(item, Path) else b""))
    return digest.hexdigest()


@contextmanager
def locked(folder: Path):
    """Only one process at a time works in `folder`, which is made if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(folder.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _code(path: Path) -> str:
    return re.sub(r"//.*|/\*.*?\*/", "", path.read_text())
