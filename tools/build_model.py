"""Build the whole accelerator as a shared library and print its path: python tools/build_model.py [--waves]

Built under build/model, again only when a source or the way of building has changed. With --waves the model can write
FST waveforms and checks the RTL's assertions; it is slower.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from progress import Progress
from riffle.isa.spec import CONFIGURATIONS
from rtl_sources import fingerprint, locked, sources, up_to_date
from verilator_root import BUILD, OF_MAKE, ROOT, environment

MODEL, DDR = (ROOT / "sim" / name for name in ("model.cpp", "ddr.hpp"))
PREFIX = "Vriffle"
OPTIMISATION = ("OPT_FAST=-O3", "OPT_SLOW=-O1", "OPT_GLOBAL=-O2")


def build(configuration: str = "full", waves: bool = False) -> Path:
    """Path of the library, built if needed; says how far it is on stderr.

    Raises
    ------
    RuntimeError
        if it does not build; names the log
    """
    folder = BUILD / "model" / (configuration + "-waves" * waves)
    library = folder / "libriffle.so"
    parameters = [f"-G{''.join(part.title() for part in name.split('_'))}={value}"
                  for name, value in CONFIGURATIONS[configuration].items()]
    # one thread: more are slower at this size
    options = ["--assert", "--trace-fst", "--trace-structs"] if waves else ["--no-assert"]
    verilate = ["--cc", "--exe", "-O3", "--x-assign", "fast", "--x-initial", "unique", "-Wall",
                "--top-module", "riffle", "--prefix", PREFIX, *parameters, *options,
                "-CFLAGS", f"-fPIC -I{DDR.parent}", "-LDFLAGS", "-shared", "--Mdir", str(folder), "-o", library.name]
    inputs = (*sources("riffle"), MODEL, DDR, Path(__file__), parameters, options)
    with locked(folder):
        if up_to_date(folder / "stamp", *inputs):
            return library
        (folder / "stamp").unlink(missing_ok=True)
        command = ["verilator", *verilate, *map(str, sources("riffle")), str(MODEL)]
        name = f"Building the Verilated model ({configuration}{', waves' * waves})"
        with open(folder / "build.log", "w", encoding="utf-8") as log, Progress(name) as progress:
            _compile(folder, command, log, progress)
        (folder / "stamp").write_text(fingerprint(*inputs))
    return library


def _compile(folder: Path, verilate: list[str], log: TextIO, progress: Progress) -> None:
    """RTL to C++ to library; counts the objects, whose commands make prints when they are through."""
    make = ["make", "-C", str(folder), "-f", f"{PREFIX}.mk", f"-j{len(os.sched_getaffinity(0))}",
            "--output-sync=target", *OPTIMISATION]
    progress.step("translating the RTL")
    _call(verilate, log)
    progress.step("compiling", sum(map(compiles, _call([*make, "-n"], io.StringIO()))))
    _call(make, log, lambda line: compiles(line) and progress.advance())
    for header in folder.glob("*.gch"):  # nine tenths of what is left, and made again anyway
        header.unlink()


def compiles(line: str) -> bool:
    """Whether a line of make is the command that compiles something."""
    return " -c " in line


def _call(command: list[str], log: TextIO, each: Callable[[str], object] = lambda line: None) -> list[str]:
    """The output of a command, line by line to the log and to `each` while it runs."""
    variables = {name: value for name, value in environment().items() if name not in OF_MAKE}
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                          errors="replace", env=variables) as process:
        for line in process.stdout:
            log.write(line)
            lines.append(line.rstrip())
            each(line)
    log.flush()
    if process.returncode:
        raise RuntimeError("\n".join([*lines[-30:], "the model does not build, see above and build.log in "
                                      f"{BUILD / 'model'}"]))
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", choices=list(CONFIGURATIONS), default="full")
    parser.add_argument("--waves", action="store_true")
    arguments = parser.parse_args()
    try:
        print(build(arguments.configuration, arguments.waves))
    except RuntimeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says it
