"""The address segment: registers by name, windows as arrays. What is wrong is refused before the bus sees it.

On the board a refused access is seen only when the driver looks at ERROR, so nothing leaves here that the hardware
would refuse by its address.
"""

from __future__ import annotations

import numpy as np

from riffle.backends.backend import Backend
from riffle.errors import BusError, HardwareError, InputError
from riffle.isa import spec

DRY_POLLS = 10_000  # looks at CTRL, 0.1 s and more, until reads that are in flight count as lost; they take some us
ACTIVATION_PITCH = 64  # bytes of one bank's word in the activation window
RUN_REGISTERS = ("ERROR", "ERROR_INFO", "CURRENT", "CYCLES", "BUSY", "STARVED")  # one word after the other


class Segment:
    """Typed accesses over a backend."""

    def __init__(self, backend: Backend):
        self.backend = backend

    def xil_in32(self, offset: int) -> int:
        """Read the 32-bit word at a byte offset.

        Raises
        ------
        ValueError
            if the offset is not a multiple of 4 or lies in no window
        BusError
            if the hardware refuses the access (where the platform can tell)
        """
        _check(offset, 4)
        return self.backend.read(offset)

    def xil_out32(self, offset: int, value: int) -> None:
        """Write a 32-bit word at a byte offset. Errors as `xil_in32`, and ValueError for a value beyond 32 bits."""
        _check(offset, 4)
        if not 0 <= value < 1 << 32:
            raise InputError(f"value {value} is not a 32-bit word: give 0 to 0xffffffff")
        self.backend.write(offset, int(value))

    def read(self, register: str) -> int:
        """A whole register."""
        return self.xil_in32(spec.REGISTERS[register])

    def write(self, register: str, value: int) -> None:
        """A whole register."""
        self.xil_out32(spec.REGISTERS[register], value)

    def fields(self, register: str) -> dict[str, int]:
        """The fields of a register, from one read."""
        word = self.read(register)
        return {name: word >> low & ((1 << bits) - 1)
                for name, (low, bits, _) in spec.REGISTER_FIELDS[register].items()}

    def set_fields(self, register: str, **values: int) -> None:
        """Write a register; fields that are not named become 0."""
        word = 0
        for name, value in values.items():
            low, bits, _ = spec.REGISTER_FIELDS[register][name]
            if not 0 <= value < 1 << bits:
                raise InputError(f"{register}.{name} is {value}, but holds 0 to {(1 << bits) - 1}")
            word |= value << low
        self.write(register, word)

    def run_registers(self) -> dict[str, int]:
        """ERROR to STARVED, what a run leaves behind, in one access.

        Raises
        ------
        BusError
            if ERROR tells of an access that was refused: on the board this is where it shows; clears ERROR
        """
        words = self.read_window("REGISTERS", spec.REGISTERS[RUN_REGISTERS[0]], len(RUN_REGISTERS))
        found = dict(zip(RUN_REGISTERS, map(int, words), strict=True))
        if spec.ERRORS.get(found["ERROR"], ("",))[0].startswith("BUS_"):
            self.write("ERROR", 0)
            raise BusError(found["ERROR_INFO"], found["ERROR"])
        return found

    def write_window(self, window: str, offset: int, values: np.ndarray) -> None:
        """Write an array to consecutive addresses of a window, from a byte offset in it."""
        data = np.ascontiguousarray(values).reshape(-1).view("<u4")
        if data.size:
            self.backend.write_block(_place(window, offset, data.nbytes), data)

    def write_rows(self, window: str, pitch: int, rows: np.ndarray) -> None:
        """Write rows of bytes, [n][...], each at a multiple of `pitch` bytes in a window; at once where that works."""
        data = np.ascontiguousarray(rows).reshape(len(rows), -1).view("<u4")
        place = _place(window, 0, (len(rows) - 1) * pitch + data[0].nbytes)
        if at_once := getattr(self.backend, "write_rows", None):
            return at_once(place, data, pitch // 4)
        for y, row in enumerate(data):
            self.backend.write_block(place + y * pitch, row)
        return None

    def read_window(self, window: str, offset: int, words: int) -> np.ndarray:
        """Consecutive words of a window, from a byte offset in it, uint32 [words]."""
        if not words:
            return np.zeros(0, np.uint32)
        return self.backend.read_block(_place(window, offset, 4 * words), words)

    def write_activations(self, address: int, words: np.ndarray) -> None:
        """Fill activation memory from an address on, int8 [4 banks][n][lanes]."""
        banks, count, lanes = words.shape
        data = np.zeros((count, banks, ACTIVATION_PITCH), np.int8)
        data[:, :, :lanes] = words.transpose(1, 0, 2)
        self.write_window("ACTIVATIONS", address * banks * ACTIVATION_PITCH, data)

    def read_rows(self, window: str, offset: int, pitch: int, rows: int, words: int) -> np.ndarray:
        """Words at multiples of `pitch` bytes behind a byte offset, uint32 [rows][words]; at once where that works."""
        place = _place(window, offset, (rows - 1) * pitch + 4 * words)
        if at_once := getattr(self.backend, "read_rows", None):
            return at_once(place, rows, words, pitch // 4)
        return np.stack([self.backend.read_block(place + y * pitch, words) for y in range(rows)])

    def read_lanes(self, row: int, rows: int, first: int, end: int) -> np.ndarray:
        """Lanes `first` to `end` - 1 of words of activation memory, int8 [rows][end - first].

        Row a*4 + k is the word at address a in bank k.
        """
        begin = first // 4 * 4
        words = self.read_rows("ACTIVATIONS", row * ACTIVATION_PITCH + begin, ACTIVATION_PITCH, rows,
                               -(-(end - begin) // 4))
        return words.view(np.int8)[:, first - begin:end - begin]


def identify(segment: Segment) -> dict[str, int]:
    """What the hardware is: rows, columns, activation_depth, weight_depth. Writes nothing.

    Raises
    ------
    HardwareError
        if it is not Riffle, or of another version or specification
    """
    found = segment.read("ID")
    if found != spec.ID_VALUE:
        raise HardwareError(f"ID is {found:#010x}, not {spec.ID_VALUE:#010x}: this is not a Riffle accelerator. "
                            "Remedy: load its bitstream, and check the base address")
    version = segment.fields("VERSION")
    name = f"{version['MAJOR']}.{version['MINOR']}.{version['PATCH']}"
    found = segment.read("SPEC_HASH")
    if found != spec.SPEC_HASH:
        raise HardwareError(f"the hardware (version {name}) speaks specification {found:#010x}, this package (version "
                            f"{spec.VERSION}) {spec.SPEC_HASH:#010x}. Remedy: load the bitstream of this version, or "
                            f"install riffle {name}")
    if name.rpartition(".")[0] != spec.VERSION.rpartition(".")[0]:
        raise HardwareError(f"the hardware is version {name}, this package {spec.VERSION}. Remedy: load the bitstream "
                            f"of this version, or install riffle {name}")
    caps, depths = segment.fields("CAPS"), segment.fields("DEPTHS")
    return {"rows": caps["ROWS"], "columns": caps["COLUMNS"],
            "activation_depth": depths["ACTIVATIONS"], "weight_depth": depths["WEIGHTS"]}


def run_dry(segment: Segment) -> None:
    """Wait until the accelerator, which is idle, has no read of memory in flight.

    Raises
    ------
    HardwareError
        if reads do not come back
    """
    if any(not segment.fields("CTRL")["READING"] for _ in range(DRY_POLLS)):
        return
    raise HardwareError(f"reads of memory are in flight and have not come back within {DRY_POLLS} looks at CTRL: the "
                        "memory port is stuck. Remedy: load no other bitstream now; restart the board")


def _check(offset: int, size: int) -> None:
    if offset % 4:
        raise InputError(f"offset {offset:#x} is misaligned: accesses are 32-bit words at multiples of 4")
    if not any(base <= offset and offset + size <= base + length for base, length in spec.WINDOWS.values()):
        raise InputError(f"offset {offset:#x} lies in no window of the accelerator: see docs/registers.md")


def _place(window: str, offset: int, size: int) -> int:
    base, length = spec.WINDOWS[window]
    if offset < 0 or offset + size > length:
        raise InputError(f"{size} bytes at {offset:#x} exceed the window {window}, which has {length} bytes")
    _check(base + offset, size)
    return base + offset
