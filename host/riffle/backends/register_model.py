"""The accelerator's registers and windows in Python, around an engine that is a function: no clock, no bus.

A run takes place within the write that starts it, and so does a fetch. With STREAM_SOURCE HOST a run takes place within
the write that brings its last weights; until then it can be aborted. What the hardware refuses is a `BusError` at once,
whatever BUS.SLVERR says; ERROR never holds one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from riffle.backends.backend import SIMULATED_HZ
from riffle.backends.hardware_lock import HardwareLock
from riffle.backends.shared_memory import Buffer, Heap
from riffle.errors import BusError
from riffle.isa import spec
from riffle.isa.spec import ERROR_CODES

LANE_BYTES = 64  # of a bank's word in the activation window
ADDRESSES = 1 << 32  # bytes
IMAGE_ALIGNMENT = 128  # bytes
DDR_BASE, DDR_SIZE = 0x1000_0000, 32 << 20  # of the memory that is shared
REGISTER_AT = {offset: name for name, offset in spec.REGISTERS.items()}
OPEN_IN_A_RUN = {("REGISTERS", "read"), ("REGISTERS", "write"), ("LOG", "read"), ("WEIGHTS", "write")}
PIXEL_PITCH = spec.IMAGE_PITCH // 4  # words


@dataclass(frozen=True)
class Outcome:
    """How a run ended: error code and info as in the registers, descriptor that ran last, counters."""

    error: int
    info: int
    current: int
    cycles: int
    fed: int = 0
    starved: int = 0


class Engine(Protocol):
    """Runs a part of a program on arrays."""

    def run(self, program: np.ndarray, log: np.ndarray, memory: np.ndarray, stream: np.ndarray, first: int, length: int,
            lane: int, watchdog: int) -> Outcome:
        """uint32 [256][8], uint32 [256][4] (changed), int8 [4][depth][lanes] (changed), uint8 [n][16]."""


class RegisterBackend:
    """What the hardware shows to the bus.

    Parameters
    ----------
    sizes
        one of `spec.CONFIGURATIONS`
    clock_hz
        what a board would run at; only turns cycles into time
    kind
        CAPS.ENGINE

    Attributes
    ----------
    cycles
        of all runs
    """

    shares_memory, what = True, "a model without a clock"
    fetches_from = "memory that takes no time"

    def __init__(self, sizes: dict[str, int], engine: Engine, clock_hz: float = SIMULATED_HZ,
                 kind: spec.Engine = spec.Engine.RTL):
        self.clock_hz, self.sizes, self.engine, self.cycles = clock_hz, sizes, engine, 0
        self.lock = HardwareLock()
        self.program = np.zeros((spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS), np.uint32)
        self.log = np.zeros((spec.DESCRIPTORS, spec.LOG_WORDS), np.uint32)
        self.weights = np.zeros((sizes["weight_depth"], spec.STREAM_BYTES), np.uint8)
        self.memory = np.zeros((spec.BANKS, sizes["activation_depth"], sizes["rows"] * sizes["columns"]), np.int8)
        self.ddr = np.zeros(DDR_SIZE, np.uint8)
        self.heap = Heap(self.ddr, DDR_BASE)
        self.awaited: bytearray | None = None  # the stream so far of a run that waits for weights from the host
        self.registers = {name: spec.REGISTER_RESETS.get(name, 0) for name in spec.REGISTERS}
        caps = {"ROWS": sizes["rows"], "COLUMNS": sizes["columns"], "ENGINE": kind, "STREAM": 1}
        depths = {"ACTIVATIONS": sizes["activation_depth"], "WEIGHTS": sizes["weight_depth"]}
        self.registers |= {"ID": spec.ID_VALUE, "VERSION": spec.VERSION_WORD, "SPEC_HASH": spec.SPEC_HASH,
                           "CAPS": word("CAPS", caps), "DEPTHS": word("DEPTHS", depths)}

    def read(self, offset: int) -> int:
        return int(self.read_block(offset, 1)[0])

    def write(self, offset: int, value: int) -> None:
        self.write_block(offset, np.array([value], np.uint32))

    def read_block(self, offset: int, words: int) -> np.ndarray:
        window, start, size = self._window(offset, 4 * words, "read")
        if window == "REGISTERS":
            return np.array([self._read_register(start + 4 * i) for i in range(words)], np.uint32)
        if window == "ACTIVATIONS":
            return self._activations(start, size).view(np.uint32).copy()
        array = {"PROGRAM": self.program, "LOG": self.log, "WEIGHTS": self.weights}[window]
        return array.reshape(-1).view(np.uint32)[start // 4:start // 4 + words].copy()

    def write_block(self, offset: int, values: np.ndarray) -> None:
        values = np.ascontiguousarray(values, np.uint32).reshape(-1)
        window, start, size = self._window(offset, values.nbytes, "write")
        if window == "REGISTERS":
            for i, value in enumerate(values):
                self._write_register(start + 4 * i, int(value))
        elif self.awaited is not None:  # no other window is open then
            self._take_weights(values)
        elif window == "IMAGE":
            self._write_pixels(*np.divmod(start // 4 + np.arange(values.size), PIXEL_PITCH), values)
        elif window == "ACTIVATIONS":
            self._write_activations(start, values.view(np.int8))
        else:
            array = self.program if window == "PROGRAM" else self.weights
            array.reshape(-1).view(np.uint32)[start // 4:start // 4 + values.size] = values

    def close(self) -> None:
        """Nothing is held but memory."""

    def __enter__(self) -> RegisterBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def allocate(self, size: int) -> Buffer:
        """Memory from which the engine takes weights and images."""
        return self.heap.allocate(size)

    def wait_interrupt(self, cycles: int) -> bool:
        """Whether the interrupt is high; a run ends before its start returns, so there is nothing to wait for."""
        return bool(self.registers["GIER"] & 1 and self.registers["ISR"] & self.registers["IER"])

    def _window(self, offset: int, size: int, action: str) -> tuple[str, int, int]:
        """Window of an access, offset in it and bytes; what the hardware refuses is a BusError."""
        if offset % 4:
            raise BusError(offset, ERROR_CODES["BUS_MISALIGNED"], action)
        lengths = {name: length for name, (_, length) in spec.WINDOWS.items()}
        lengths |= {"WEIGHTS": self.weights.size, "ACTIVATIONS": self.memory.shape[1] * spec.BANKS * LANE_BYTES}
        for name, (base, _) in spec.WINDOWS.items():
            if base <= offset and offset + size <= base + lengths[name]:
                if (name, action) in (("LOG", "write"), ("IMAGE", "read")):
                    raise BusError(offset, ERROR_CODES["BUS_ACCESS"], action)
                if self.awaited is not None and (name, action) not in OPEN_IN_A_RUN:
                    raise BusError(offset, ERROR_CODES["BUS_BUSY"], action)
                return name, offset - base, size
        raise BusError(offset, ERROR_CODES["BUS_UNMAPPED"], action)

    def _read_register(self, offset: int) -> int:
        name = REGISTER_AT.get(offset)
        if name is None:
            raise BusError(offset, ERROR_CODES["BUS_UNMAPPED"], "read")
        value = self.registers[name]
        if name == "CTRL":
            self.registers["CTRL"] &= ~word("CTRL", {"DONE": 1})
        return value

    def _write_register(self, offset: int, value: int) -> None:
        name = REGISTER_AT.get(offset)
        if name is None:
            raise BusError(offset, ERROR_CODES["BUS_UNMAPPED"], "write")
        fields = spec.REGISTER_FIELDS[name]
        writable = sum(((1 << bits) - 1) << low for low, bits, access in fields.values() if access != "ro")
        if not writable:
            raise BusError(offset, ERROR_CODES["BUS_ACCESS"], "write")
        if name == "CTRL":
            if value & word("CTRL", {"ABORT": 1}) and self.awaited is not None:
                self.awaited, first = None, self.registers["PROGRAM_FIRST"]
                self._finish(Outcome(ERROR_CODES["ABORTED"], first, first, 0))
            elif value & word("CTRL", {"START": 1, "FETCH": 1}) and self.awaited is not None:
                raise BusError(offset, ERROR_CODES["BUS_BUSY"], "write")
            self._control(bool(value & word("CTRL", {"START": 1})), bool(value & word("CTRL", {"FETCH": 1})))
        elif name == "ISR":
            self.registers["ISR"] &= ~value
        elif name == "ERROR":
            self.registers["ERROR"] = self.registers["ERROR_INFO"] = 0
        elif value & ~writable:
            raise BusError(offset, ERROR_CODES["BUS_VALUE"], "write")
        else:
            self.registers[name] = value

    def _control(self, start: bool, fetch: bool) -> None:
        """A run with its image, or one of them alone: an image that no run waits for tells by itself what is wrong."""
        r = self.registers
        error = (start and self._bad_start()) or (fetch and self._fetch()) or (start and self._bad_stream())
        if error and start:
            self._finish(Outcome(ERROR_CODES[error], r["PROGRAM_FIRST"], r["PROGRAM_FIRST"], 0))
        elif error:
            r["ISR"] |= word("ISR", {"ERROR": 1})
            if not r["ERROR"]:
                r |= {"ERROR": ERROR_CODES[error], "ERROR_INFO": 0}
        elif start:
            self._start()

    def _bad_start(self) -> str | None:
        """What is wrong with the settings of a run: name of the error."""
        r = self.registers
        if not 0 < r["PROGRAM_LENGTH"] <= spec.DESCRIPTORS - r["PROGRAM_FIRST"]:
            return "BAD_PROGRAM"
        end = r["STREAM_ADDRESS"] + r["STREAM_LENGTH"] * spec.STREAM_BYTES
        unfit = r["STREAM_ADDRESS"] % spec.STREAM_BYTES or end > ADDRESSES
        from_ddr, unknown = r["STREAM_SOURCE"] == spec.StreamSource.DDR, r["STREAM_SOURCE"] > spec.StreamSource.DDR
        return "BAD_STREAM" if unknown or (from_ddr and unfit) else None

    def _bad_stream(self) -> str | None:
        r = self.registers
        held = self.heap.holds(r["STREAM_ADDRESS"], r["STREAM_LENGTH"] * spec.STREAM_BYTES)
        return "DDR_RESPONSE" if r["STREAM_SOURCE"] == spec.StreamSource.DDR and not held else None

    def _start(self) -> None:
        r = self.registers
        begin, weights = r["STREAM_BASE"], self.weights
        if r["STREAM_SOURCE"] == spec.StreamSource.DDR:
            weights = self.ddr.reshape(-1, spec.STREAM_BYTES)
            begin = (r["STREAM_ADDRESS"] - DDR_BASE) // spec.STREAM_BYTES
        elif r["STREAM_SOURCE"] == spec.StreamSource.HOST and r["STREAM_LENGTH"]:
            self.awaited = bytearray()
            r["STREAM_TAKEN"] = 0
            r["CTRL"] = word("CTRL", {"START": 1})
            return None
        return self._run(weights[begin:begin + r["STREAM_LENGTH"]])

    def _take_weights(self, values: np.ndarray) -> None:
        """Words that the host writes into the ring, in its order; each is taken at once."""
        self.awaited += values.tobytes()
        self.registers["STREAM_TAKEN"] = len(self.awaited) // spec.STREAM_BYTES
        if self.registers["STREAM_TAKEN"] >= self.registers["STREAM_LENGTH"]:
            stream, self.awaited = np.frombuffer(self.awaited, np.uint8).reshape(-1, spec.STREAM_BYTES), None
            self._run(stream[:self.registers["STREAM_LENGTH"]])

    def _run(self, stream: np.ndarray) -> None:
        r = self.registers
        self._finish(self.engine.run(self.program, self.log, self.memory, stream, r["PROGRAM_FIRST"],
                                     r["PROGRAM_LENGTH"], r["LANE"], r["WATCHDOG"]))

    def _finish(self, outcome: Outcome) -> None:
        r = self.registers
        r |= {"CYCLES": outcome.cycles, "BUSY": outcome.fed, "STARVED": outcome.starved, "WAITED": 0,
              "CURRENT": outcome.current, "ERROR": outcome.error, "ERROR_INFO": outcome.info if outcome.error else 0}
        self.cycles += outcome.cycles
        r["CTRL"] = spec.REGISTER_RESETS["CTRL"] | word("CTRL", {"DONE": 1})
        r["ISR"] |= word("ISR", {"ERROR": 1} if outcome.error else {"DONE": 1})

    def _image_fields(self) -> tuple[int, int]:
        """BASE and LOG2S of the register IMAGE."""
        fields = {name: self.registers["IMAGE"] >> low & ((1 << bits) - 1)
                  for name, (low, bits, _) in spec.REGISTER_FIELDS["IMAGE"].items()}
        return fields["BASE"], fields["LOG2S"]

    def _fetch(self) -> str | None:
        """An image out of the shared memory: rows without gaps, as many as the lattice has; or the name of an error."""
        (base, log2s), address = self._image_fields(), self.registers["IMAGE_ADDRESS"]
        height, width = self.sizes["rows"] << log2s, self.sizes["columns"] << log2s
        size = 4 * height * width
        if (not 1 <= log2s <= spec.LOG2S_MAX or base + (1 << 2 * log2s) > self.memory.shape[1]
                or address % IMAGE_ALIGNMENT or address + size > ADDRESSES):
            return "BAD_IMAGE"
        if not self.heap.holds(address, size):
            return "IMAGE_RESPONSE"
        pixels = self.ddr[address - DDR_BASE:address - DDR_BASE + size].view(np.uint32)
        y, x = np.divmod(np.arange(height * width), width)
        self._write_pixels(y, x, pixels, spec.BANKS - 1)  # nothing comes of the fourth byte
        return None

    def _activations(self, start: int, size: int) -> np.ndarray:
        """Bytes of the raw window, int8 [size]; those beyond the lanes are 0."""
        pitch = spec.BANKS * LANE_BYTES
        first, last = start // pitch, -(-(start + size) // pitch)
        data = np.zeros((last - first, spec.BANKS, LANE_BYTES), np.int8)
        data[:, :, :self.memory.shape[2]] = self.memory[:, first:last].transpose(1, 0, 2)
        return data.reshape(-1)[start - first * pitch:][:size]

    def _write_activations(self, start: int, data: np.ndarray) -> None:
        byte = start + np.arange(data.size)
        lane, place = byte % LANE_BYTES, byte // LANE_BYTES
        there = lane < self.memory.shape[2]
        self.memory[place[there] % spec.BANKS, place[there] // spec.BANKS, lane[there]] = data[there]

    def _write_pixels(self, y: np.ndarray, x: np.ndarray, values: np.ndarray, banks: int = spec.BANKS) -> None:
        """Pixels, uint32 [n]: minus 128 into so many banks, at the phase and lane that the IMAGE register says."""
        base, log2s = self._image_fields()
        address = base + (y % (1 << log2s) << log2s) + x % (1 << log2s)
        row, column = y >> log2s, x >> log2s
        mapped = (address < self.memory.shape[1]) & (row < self.sizes["rows"]) & (column < self.sizes["columns"])
        mapped &= log2s <= spec.LOG2S_MAX
        lane = row * self.sizes["columns"] + column
        colours = (values.view(np.uint8) ^ 0x80).view(np.int8).reshape(-1, spec.BANKS)
        self.memory[:banks, address[mapped], lane[mapped]] = colours[mapped].T[:banks]
        if not mapped.all():
            first = int(mapped.argmin())
            offset = spec.WINDOWS["IMAGE"][0] + spec.IMAGE_PITCH * int(y[first]) + 4 * int(x[first])
            raise BusError(offset, ERROR_CODES["BUS_UNMAPPED"], "write")


def word(register: str, fields: dict[str, int]) -> int:
    """A register's value from its fields; those not named are 0."""
    return sum(value << spec.REGISTER_FIELDS[register][name][0] for name, value in fields.items())
