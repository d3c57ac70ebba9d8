"""Compile HLS sources with g++ as a shared library and print its path: python hls/native.py KERNEL [NAME=VALUE ...]

KERNEL is a file of hls/kernels, or any other C++ file. Libraries lie under build/hls/native, one for each state of the
sources and options; what has been compiled once is not compiled again.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "hls" / "native"
KERNELS, HEADERS = HERE / "kernels", HERE / "include" / "riffle"
OPTIONS = ["-std=c++14", "-O3", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror",
           "-Wno-unknown-pragmas",  # Vitis' pragmas
           "-Wno-unused-label"]  # loops have names for Vitis' reports
VENDOR = ["-DRIFFLE_VENDOR_TYPES", "-Wno-uninitialized", "-Wno-maybe-uninitialized"]  # g++ blames the ap_ headers


def build(kernel: str | Path, defines: dict[str, int] | None = None, vendor: bool = False) -> Path:
    """Path of the library made of a kernel, compiled if needed.

    Parameters
    ----------
    kernel
        name of a file in hls/kernels without .cpp, or the path of a C++ file
    defines
        macros
    vendor
        with ap_int and hls::stream of the ap_ headers that hls4ml brings, instead of standard types

    Raises
    ------
    RuntimeError
        if there is no compiler, no such kernel, no header, or it does not compile
    """
    source = Path(kernel) if str(kernel).endswith(".cpp") else KERNELS / f"{kernel}.cpp"
    if not source.exists():
        known = ", ".join(sorted(path.stem for path in KERNELS.glob("*.cpp")))
        raise RuntimeError(f"there is no HLS kernel {kernel}; known are {known}")
    options = [*OPTIONS, f"-I{HEADERS.parent}", *(f"-D{name}={value}" for name, value in (defines or {}).items())]
    if vendor:
        options += [*VENDOR, "-isystem", str(ap_types())]
    digest = hashlib.sha256(" ".join(options).encode())
    for path in (source, *sorted(KERNELS.glob("*.cpp")), *sorted(HEADERS.glob("*.hpp"))):
        digest.update(path.name.encode() + path.read_bytes())
    library = BUILD / f"{source.stem}-{digest.hexdigest()[:16]}.so"
    if not library.exists():
        _compile(source, options, library)
    return library


def ap_types() -> Path:
    """Folder of ap_int.h and hls_stream.h in the installed hls4ml.

    Raises
    ------
    RuntimeError
        if hls4ml is not installed
    """
    found = importlib.util.find_spec("hls4ml")
    if found is None:
        raise RuntimeError("the ap_ headers come with the Python package hls4ml: pip install hls4ml, or `make setup`")
    return Path(found.origin).parent / "templates" / "vivado" / "ap_types"


def _compile(source: Path, options: list[str], library: Path) -> None:
    if not shutil.which("g++"):
        raise RuntimeError("g++ is missing, HLS sources cannot be compiled without it: run `apt-get install g++`")
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:  # others may compile the same: the last one stays
        made = Path(folder) / library.name
        result = subprocess.run(["g++", *options, str(source), "-o", str(made)], capture_output=True, text=True)
        if result.returncode:
            raise RuntimeError(f"{source.name} does not compile:\n{result.stderr[-4000:]}")
        os.replace(made, library)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kernel")
    parser.add_argument("defines", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--vendor", action="store_true", help="with ap_int and hls::stream instead of standard types")
    arguments = parser.parse_args()
    try:
        print(build(arguments.kernel, dict(define.split("=", 1) for define in arguments.defines), arguments.vendor))
    except RuntimeError as error:
        sys.exit(str(error))
