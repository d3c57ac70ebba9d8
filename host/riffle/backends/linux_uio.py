"""The accelerator with nothing but Linux: /dev/mem for registers, UIO for interrupts, fpga_manager for bitstreams.

For the day when PYNQ no longer runs on this board. Needs root, and a kernel with these three, as PYNQ's images have.
No memory is shared: a program whose weights do not fit the weight memory gets them from the host while it runs.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import select
from pathlib import Path

import numpy as np

from riffle.backends.axi_intc import ACKNOWLEDGE, HARDWARE_ENABLE, MASTER, MASTER_ENABLE, SET_ENABLE
from riffle.backends.hardware_lock import hardware_lock
from riffle.backends.mapped import FPGA, MappedWords
from riffle.backends.polling import ISR, poll
from riffle.backends.quiet import quiesce_held
from riffle.backends.shared_memory import Buffer
from riffle.bitstream import hwh
from riffle.errors import HardwareError, InputError
from riffle.isa import spec

DEVICE = "/dev/mem"
SHORT = 1000  # cycles; shorter waits are over before Linux brings an interrupt
HEARD_WITHIN = 0.2  # seconds
FIRMWARE = "riffle.bin"
HEADER_END = b"e"  # key of the field of a .bit that holds the configuration


class UioBackend(MappedWords):
    """Memory-mapped registers.

    Parameters
    ----------
    memory
        the physical memory, or a file that looks like it from `base` on
    uio
        the interrupt's device, as /dev/uio0; None polls
    base, interrupts
        addresses of the accelerator and of the interrupt controller
    clock_hz
        of the fabric; Linux leaves it as the boot loader has set it

    Raises
    ------
    HardwareError
        if a file cannot be opened
    """

    shares_memory, cycles, fetches_from = False, None, "the host's memory"
    what = "the board, through Linux without PYNQ"

    def __init__(self, memory: str | Path = DEVICE, uio: str | Path | None = None, *,
                 base: int = spec.SEGMENT_BASE, interrupts: int = hwh.INTERRUPT_BASE, clock_hz: float = 100e6):
        super().__init__(_map(memory, base, spec.SEGMENT_SIZE), hardware_lock(_lock_name(memory)))
        self.clock_hz = clock_hz
        self._uio = None
        if uio is not None:
            self._interrupts = _map(memory, interrupts, mmap.PAGESIZE)
            self._uio = _open(uio)
            self._interrupts[SET_ENABLE // 4] = 1
            self._interrupts[MASTER // 4] = MASTER_ENABLE | HARDWARE_ENABLE

    def close(self) -> None:
        """Forget the mappings, and close the interrupt's device."""
        super().close()
        self._interrupts = None
        if self._uio is not None:
            os.close(self._uio)
            self._uio = None

    def allocate(self, size: int) -> Buffer | None:
        """Linux alone has no contiguous memory to give."""
        return None

    def wait_interrupt(self, cycles: int) -> bool:
        """Wait for the interrupt; an early look at ISR, and a last one, make up for those that are lost."""
        if self._uio is None or cycles < SHORT:
            return poll(self, cycles)
        if self.read(ISR):
            return True
        os.write(self._uio, np.uint32(1).tobytes())  # let it come
        if select.select([self._uio], [], [], max(cycles / self.clock_hz, HEARD_WITHIN))[0]:
            os.read(self._uio, 4)
            self._interrupts[ACKNOWLEDGE // 4] = 1
            return True
        return bool(self.read(ISR))


def load_bitstream(bitstream: str | Path, root: str | Path = "/") -> None:
    """Configure the FPGA through Linux' fpga_manager.

    Parameters
    ----------
    bitstream
        .bit file
    root
        of the file system

    Raises
    ------
    HardwareError
        if it is no bitstream, or the kernel refuses it; if an accelerator that this process holds does not stop reading
        memory
    """
    manager, firmware = Path(root, "sys/class/fpga_manager/fpga0"), Path(root, "lib/firmware")
    try:
        configuration = _configuration(Path(bitstream).read_bytes())
        firmware.mkdir(parents=True, exist_ok=True)
        (firmware / FIRMWARE).write_bytes(np.frombuffer(configuration, ">u4").astype("<u4").tobytes())
        with hardware_lock(_lock_name(Path(root, "dev/mem"))):  # not in the middle of another process' run
            quiesce_held(UioBackend, lambda _: _configured(manager))
            (manager / "flags").write_text("0")
            (manager / "firmware").write_text(FIRMWARE)
            state = (manager / "state").read_text().strip()
    except (OSError, ValueError, IndexError) as error:
        raise HardwareError(f"{bitstream} cannot be loaded ({error}). Remedy: be root, on a kernel with fpga_manager; "
                            "take the .bit that Vivado wrote") from error
    if state != "operating":
        raise HardwareError(f"the FPGA is in state {state!r} after loading {bitstream}, not 'operating'. Remedy: "
                            "see dmesg")


def _configured(manager: Path) -> bool:
    """Whether Linux says that the FPGA is configured; where it does not, its registers are left alone."""
    state = manager / "state"
    return state.exists() and state.read_text().strip() == "operating"


def interrupt_device(root: str | Path = "/") -> Path | None:
    """The UIO device of the fabric's interrupt, by the name that PYNQ's images give it; None where there is none."""
    for device in sorted(Path(root, "sys/class/uio").glob("uio*")):
        if (device / "name").read_text().strip() in ("fabric", "riffle"):
            return Path(root, "dev", device.name)
    return None


def _configuration(content: bytes) -> bytes:
    """What follows the header of a .bit file."""
    place = 2 + int.from_bytes(content[:2], "big") + 2
    while content[place:place + 1] != HEADER_END:
        if content[place:place + 1] not in (b"a", b"b", b"c", b"d"):
            raise InputError("no header of a .bit file")
        place += 3 + int.from_bytes(content[place + 1:place + 3], "big")
    length = int.from_bytes(content[place + 1:place + 5], "big")
    data = content[place + 5:place + 5 + length]
    if len(data) != length or length % 4:
        raise InputError(f"{len(data)} bytes of configuration, its header says {length}")
    return data


def _lock_name(memory: str | Path) -> str:
    """The FPGA of this board has one lock, however it is reached; a file in its place has one of its own."""
    if str(memory) == DEVICE:
        return FPGA
    return f"{FPGA}-{hashlib.sha256(str(Path(memory).resolve()).encode()).hexdigest()[:12]}"


def _open(path: str | Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_SYNC)
    except OSError as error:
        raise HardwareError(f"{path} cannot be opened ({error.strerror}). Remedy: be root; give the device of the "
                            "board") from error


def _map(path: str | Path, base: int, size: int) -> np.ndarray:
    """uint32 words of a file from an offset on; every access is one of the bus."""
    file = _open(path)
    try:
        return np.frombuffer(mmap.mmap(file, size, offset=base), np.uint32)
    except (OSError, ValueError) as error:
        raise HardwareError(f"{path} has no {size} bytes at {base:#x} ({error}). Remedy: check the address "
                            "map") from error
    finally:
        os.close(file)
