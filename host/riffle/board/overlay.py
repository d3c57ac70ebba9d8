"""From a bitstream to a driver."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import pynq

from riffle.backends.quiet import quiesce_held
from riffle.bitstream import hwh
from riffle.bitstream.verify import confirm, vouched
from riffle.board.backend import BoardBackend
from riffle.board.ip import RiffleIP
from riffle.board.simulated.device import ZYNQ, SimulatedBoard, board_lock, simulated
from riffle.errors import HardwareError
from riffle.isa import spec

BITSTREAM = "riffle.bit"
PART = "7z020clg400"


def load_overlay(bitstream: str | Path | None = None) -> RiffleIP:
    """Load a bitstream, and give the accelerator in it; without a board, the simulated one.

    Parameters
    ----------
    bitstream
        .bit file with .hwh and manifest (.json) of the same name beside it; by default `riffle.bit` here or among
        PYNQ's overlays

    Raises
    ------
    HardwareError
        if there is no such file, no accelerator in it, or it is not what its manifest says; if an accelerator that this
        process holds does not stop reading memory
    """
    if platform.machine() != ZYNQ:
        pynq.Device.active_device = next(d for d in pynq.Device.devices if isinstance(d, SimulatedBoard))
    generated = simulated() and bitstream is None
    if generated:
        folder = tempfile.TemporaryDirectory(prefix="riffle-")
        bitstream = Path(folder.name, BITSTREAM)
        bitstream.touch()
        hwh.write(bitstream.with_suffix(".hwh"))
    name = str(bitstream or BITSTREAM)
    overlay = described(name)
    check_part(Path(overlay.bitfile_name))
    found = [cell for cell, ip in overlay.ip_dict.items() if ip["driver"] is RiffleIP]
    if not found:
        raise HardwareError(f"{name} holds no accelerator of this version, but {', '.join(overlay.ip_dict)}. Remedy: "
                            "take a .bit and .hwh that `python -m riffle.bitstream.manifest check` accepts")
    made = None if generated else vouched(overlay.bitfile_name)
    with board_lock():  # not in the middle of another process' run
        quiesce_held(BoardBackend, BoardBackend.there)
        overlay.download()
        ip = getattr(overlay, found[0])
    if not simulated():  # which is of no build
        confirm(made, ip.read(spec.REGISTERS["BUILD_HASH"]))
    return ip


def described(bitstream: str) -> pynq.Overlay:
    """The overlay of a bitstream, which is not loaded yet.

    Raises
    ------
    HardwareError
        if there is no such file, or PYNQ cannot read the .hwh beside it
    """
    try:
        return pynq.Overlay(bitstream, download=False)
    except OSError as error:
        raise HardwareError(f"there is no bitstream {bitstream} ({error}). Remedy: put it and its .hwh into this "
                            "folder, or give its path") from error
    except Exception as error:  # each version and parser of PYNQ has its own
        raise HardwareError(f"PYNQ cannot read the .hwh of {bitstream} ({type(error).__name__}: {error}). Remedy: take "
                            "the .hwh that came with it, under the same name; see `riffle doctor`") from error


def check_part(bitstream: Path) -> None:
    """Refuse a bitstream for another FPGA, before it is loaded.

    Raises
    ------
    HardwareError
        if its .hwh names another part, or none
    """
    description = bitstream.with_suffix(".hwh")
    try:
        system = ElementTree.parse(description).getroot().find("SYSTEMINFO")
        part = system.get("DEVICE") + system.get("PACKAGE")
    except (OSError, ElementTree.ParseError, AttributeError, TypeError) as error:
        raise HardwareError(f"{description} cannot be read ({error}). Remedy: take the .hwh that came with the "
                            "bitstream, under the same name") from error
    if part != PART:
        raise HardwareError(f"{bitstream} is for a {part}, this board has a {PART}. Remedy: take the bitstream of this "
                            "board")
