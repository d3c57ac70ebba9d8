"""Build the whole accelerator as a shared library and print its path: python sim/build_model.py [--waves]

Built under build/model, again only when a source or the way of building has changed. With --waves the model can write
FST waveforms and checks the RTL's assertions; it is slower.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from runner import fingerprint, locked, sources, up_to_date
from verilator_root import BUILD, ROOT, environment

sys.path.insert(0, str(ROOT / "host"))
from riffle.spec import CONFIGURATIONS  # noqa: E402

MODEL, DDR = (Path(__file__).with_name(name) for name in ("model.cpp", "ddr.hpp"))


def build(configuration: str = "full", waves: bool = False) -> Path:
    """Path of the library, built if needed; says so on stderr.

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
    arguments = ["--cc", "--exe", "--build", "-j", "2", "-O3", "--x-assign", "fast", "--x-initial", "unique", "-Wall",
                 "--top-module", "riffle", "--prefix", "Vriffle", *parameters, *options,
                 "-CFLAGS", f"-fPIC -I{DDR.parent}", "-LDFLAGS", "-shared",
                 "-MAKEFLAGS", "OPT_FAST=-O3", "-MAKEFLAGS", "OPT_SLOW=-O1", "-MAKEFLAGS", "OPT_GLOBAL=-O2",
                 "--Mdir", str(folder), "-o", library.name]
    inputs = (*sources("riffle"), MODEL, DDR, Path(__file__), parameters, options)
    with locked(folder):
        if up_to_date(folder / "stamp", *inputs):
            return library
        (folder / "stamp").unlink(missing_ok=True)
        print(f"Building the Verilated model ({configuration}{', waves' * waves}): a minute or two, once",
              file=sys.stderr, flush=True)
        _call(["verilator", *arguments, *map(str, sources("riffle")), str(MODEL)], folder / "build.log")
        (folder / "stamp").write_text(fingerprint(*inputs))
    return library


def _call(command: list[str], log: Path) -> None:
    with open(log, "w") as output:
        if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment()).returncode:
            lines = log.read_text().splitlines()
            print("\n".join(lines[-30:]), file=sys.stderr)
            raise RuntimeError(f"the model does not build, see above and {log}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", choices=list(CONFIGURATIONS), default="full")
    parser.add_argument("--waves", action="store_true")
    arguments = parser.parse_args()
    try:
        print(build(arguments.configuration, arguments.waves))
    except RuntimeError as error:
        sys.exit(str(error))
