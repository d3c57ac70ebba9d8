"""The HLS C++ engine, compiled natively, as a backend: the same results as the hardware, many times faster, no clock.

A run takes place within the write that starts it, so nothing is ever busy and there is nothing to abort. Cycles are
iterations of the engine's loops, which is what hardware would take if each of them had an interval of one and none had
to be filled.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import spec
from ..descriptor import Descriptor, pack_program
from ..errors import BusError, HardwareError
from ..interpreter import CODES, EngineError
from .buffers import Buffer, Heap

ROOT = Path(__file__).resolve().parents[3]
LANE_BYTES = 64  # of a bank's word in the activation window
NO_WATCHDOG = (1 << 32) - 1
DDR, DDR_BASE, DDR_SIZE = 2, 0x10000000, 32 << 20  # STREAM_SOURCE, address and bytes of the memory that is shared
REGISTER_AT = {offset: name for name, offset in spec.REGISTERS.items()}


def build(configuration: dict[str, int], vendor: bool = False) -> Path:
    """Path of the engine's library for rows, columns and activation_depth, compiled if needed (seconds).

    Parameters
    ----------
    vendor
        with the ap_int types of hls4ml's headers: slow, to see that they give the same

    Raises
    ------
    HardwareError
        if it cannot be built; the reason comes before on stderr
    """
    script = ROOT / "hls" / "native.py"
    if not script.exists():
        raise HardwareError("the HLS engine is compiled from the project's sources, which this installation does not "
                            "have: clone the repository and run `make setup`")
    sizes = {"ROWS": "rows", "COLUMNS": "columns", "DEPTH": "activation_depth"}
    command = [sys.executable, str(script), *["--vendor"] * vendor, str(ROOT / "hls" / "native_engine.cpp"),
               *(f"RIFFLE_{macro}={configuration[name]}" for macro, name in sizes.items())]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise HardwareError("the HLS engine could not be built, see above. Remedy: run `make setup`")
    return Path(result.stdout.strip())


@dataclass(frozen=True)
class Outcome:
    """How a run ended: error code and info as in the registers, descriptor that ran last, counters."""

    error: int
    info: int
    current: int
    cycles: int
    fed: int
    starved: int


class Engine:
    """The engine over plain memory.

    Parameters
    ----------
    configuration
        rows, columns and activation_depth, as in `spec.CONFIGURATIONS`
    library
        what `build` made, by default built if needed
    """

    def __init__(self, configuration: dict[str, int], library: Path | None = None):
        self.shape = (spec.BANKS, configuration["activation_depth"], configuration["rows"] * configuration["columns"])
        self._run = ctypes.CDLL(str(library or build(configuration))).riffle_native_engine
        word, pointer = ctypes.c_uint32, ctypes.c_void_p
        self._run.restype = None
        self._run.argtypes = [pointer] * 4 + [ctypes.c_uint64] + [word] * 4 + [pointer] * 2

    def run(self, program: np.ndarray, log: np.ndarray, memory: np.ndarray, stream: np.ndarray, first: int, length: int,
            lane: int = 0, watchdog: int = NO_WATCHDOG) -> Outcome:
        """One run.

        Parameters
        ----------
        program
            program memory, uint32 [256][8]
        log
            uint32 [256][4]; what the descriptors took is written into it
        memory
            activation memory, int8 [4][depth][lanes], changed in place
        stream
            weight stream, uint8 [n][16]

        Raises
        ------
        ValueError
            if an array has another shape or type
        """
        shapes = {"program": (program, np.uint32, (spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS)),
                  "log": (log, np.uint32, (spec.DESCRIPTORS, spec.LOG_WORDS)), "memory": (memory, np.int8, self.shape),
                  "stream": (stream, np.uint8, (len(stream), spec.STREAM_BYTES))}
        for name, (array, dtype, shape) in shapes.items():
            if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
                raise ValueError(f"{name} is {array.dtype} {array.shape}, but must be contiguous {np.dtype(dtype)} "
                                 f"{shape}")
        result, stop = np.zeros(6, np.uint32), np.zeros(1, np.uint8)
        self._run(program.ctypes.data, log.ctypes.data, memory.ctypes.data, stream.ctypes.data, len(stream), first,
                  length, lane, watchdog, stop.ctypes.data, result.ctypes.data)
        return Outcome(*map(int, result))

    def execute(self, memory: np.ndarray, descriptors: list[Descriptor] | np.ndarray, stream: bytes | np.ndarray,
                lane: int = 0) -> Outcome:
        """What `interpreter.execute` does, with its errors; any number of weights."""
        if not 0 <= lane < self.shape[2]:
            raise ValueError(f"lane is {lane}, but the lattice has lanes 0 to {self.shape[2] - 1}")
        words = descriptors if isinstance(descriptors, np.ndarray) else pack_program(descriptors)
        program = np.zeros((spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS), np.uint32)
        program[:len(words)] = words
        stream = np.ascontiguousarray(np.frombuffer(stream, np.uint8) if isinstance(stream, bytes) else stream)
        log = np.zeros((spec.DESCRIPTORS, spec.LOG_WORDS), np.uint32)
        outcome = self.run(program, log, memory, stream.reshape(-1, spec.STREAM_BYTES), 0, len(words), lane)
        if outcome.error:
            raise EngineError(outcome.error, outcome.info & 0xFF, outcome.info >> 8)
        return outcome


class HlsBackend:
    """The accelerator's registers and windows around the engine.

    Parameters
    ----------
    configuration
        one of `spec.CONFIGURATIONS`
    clock_hz
        what a board would run at; only turns cycles into time
    """

    shares_memory = True

    def __init__(self, configuration: str = "full", *, clock_hz: float = 150e6):
        self.clock_hz, sizes = clock_hz, spec.CONFIGURATIONS[configuration]
        self.sizes, self.engine = sizes, Engine(sizes)
        self.program = np.zeros((spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS), np.uint32)
        self.log = np.zeros((spec.DESCRIPTORS, spec.LOG_WORDS), np.uint32)
        self.weights = np.zeros((sizes["weight_depth"], spec.STREAM_BYTES), np.uint8)
        self.memory = np.zeros(self.engine.shape, np.int8)
        self.ddr = np.zeros(DDR_SIZE, np.uint8)
        self.heap = Heap(self.ddr, DDR_BASE)
        self.registers = {name: spec.REGISTER_RESETS.get(name, 0) for name in spec.REGISTERS}
        caps = {"ROWS": sizes["rows"], "COLUMNS": sizes["columns"], "ENGINE": 1, "STREAM": 1}
        depths = {"ACTIVATIONS": sizes["activation_depth"], "WEIGHTS": sizes["weight_depth"]}
        self.registers |= {"ID": spec.ID_VALUE, "VERSION": spec.VERSION_WORD, "SPEC_HASH": spec.SPEC_HASH,
                           "CAPS": _word("CAPS", caps), "DEPTHS": _word("DEPTHS", depths),
                           "CTRL": _word("CTRL", {"IDLE": 1, "READY": 1})}

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
        elif window == "IMAGE":
            self._write_pixels(start // 4 + np.arange(values.size), values)
        elif window == "ACTIVATIONS":
            self._write_activations(start, values.view(np.int8))
        else:
            array = self.program if window == "PROGRAM" else self.weights
            array.reshape(-1).view(np.uint32)[start // 4:start // 4 + values.size] = values

    def allocate(self, size: int) -> Buffer:
        """Memory from which the engine takes weights."""
        return self.heap.allocate(size)

    def wait_interrupt(self, cycles: int) -> bool:
        """Whether the interrupt is high; a run ends before its start returns, so there is nothing to wait for."""
        return bool(self.registers["GIER"] & 1 and self.registers["ISR"] & self.registers["IER"])

    def _window(self, offset: int, size: int, action: str) -> tuple[str, int, int]:
        """Window of an access, offset in it and bytes; what the hardware refuses is a BusError."""
        if offset % 4:
            raise BusError(offset, CODES["BUS_MISALIGNED"], action)
        lengths = {name: length for name, (_, length) in spec.WINDOWS.items()}
        lengths |= {"WEIGHTS": self.weights.size, "ACTIVATIONS": self.engine.shape[1] * spec.BANKS * LANE_BYTES}
        for name, (base, _) in spec.WINDOWS.items():
            if base <= offset and offset + size <= base + lengths[name]:
                if (name, action) in (("LOG", "write"), ("IMAGE", "read")):
                    raise BusError(offset, CODES["BUS_ACCESS"], action)
                return name, offset - base, size
        raise BusError(offset, CODES["BUS_UNMAPPED"], action)

    def _read_register(self, offset: int) -> int:
        name = REGISTER_AT.get(offset)
        if name is None:
            raise BusError(offset, CODES["BUS_UNMAPPED"], "read")
        value = self.registers[name]
        if name == "CTRL":
            self.registers["CTRL"] &= ~_word("CTRL", {"DONE": 1})
        return value

    def _write_register(self, offset: int, value: int) -> None:
        name = REGISTER_AT.get(offset)
        if name is None:
            raise BusError(offset, CODES["BUS_UNMAPPED"], "write")
        fields = spec.REGISTER_FIELDS[name]
        writable = {f: place for f, place in fields.items() if place[2] != "ro"}
        if not writable:
            raise BusError(offset, CODES["BUS_ACCESS"], "write")
        if name == "CTRL":
            if value & 1:
                self._start()
        elif name == "ISR":
            self.registers["ISR"] &= ~value
        elif name == "ERROR":
            self.registers["ERROR"] = self.registers["ERROR_INFO"] = 0
        else:
            self.registers[name] = value & sum(((1 << bits) - 1) << low for low, bits, _ in writable.values())

    def _start(self) -> None:
        r = self.registers
        outcome = self.engine.run(self.program, self.log, self.memory, self._stream(), r["PROGRAM_FIRST"],
                                  r["PROGRAM_LENGTH"], r["LANE"], r["WATCHDOG"])
        r |= {"CYCLES": outcome.cycles, "BUSY": outcome.fed, "STARVED": outcome.starved, "CURRENT": outcome.current,
              "ERROR": outcome.error, "ERROR_INFO": outcome.info if outcome.error else 0}
        r["CTRL"] |= _word("CTRL", {"DONE": 1})
        r["ISR"] |= _word("ISR", {"ERROR": 1} if outcome.error else {"DONE": 1})

    def _stream(self) -> np.ndarray:
        """Weights that the registers name, uint8 [n][16]; as many as there are."""
        r, words, base = self.registers, self.weights, self.registers["STREAM_BASE"]
        if r["STREAM_SOURCE"] == DDR:
            words, base = self.ddr.reshape(-1, spec.STREAM_BYTES), (r["STREAM_ADDRESS"] - DDR_BASE) // spec.STREAM_BYTES
        return words[base:base + r["STREAM_LENGTH"]] if base >= 0 else words[:0]

    def _activations(self, start: int, size: int) -> np.ndarray:
        """Bytes of the raw window, int8 [size]; those beyond the lanes are 0."""
        pitch = spec.BANKS * LANE_BYTES
        first, last = start // pitch, -(-(start + size) // pitch)
        data = np.zeros((last - first, spec.BANKS, LANE_BYTES), np.int8)
        data[:, :, :self.engine.shape[2]] = self.memory[:, first:last].transpose(1, 0, 2)
        return data.reshape(-1)[start - first * pitch:][:size]

    def _write_activations(self, start: int, data: np.ndarray) -> None:
        byte = start + np.arange(data.size)
        lane, word = byte % LANE_BYTES, byte // LANE_BYTES
        there = lane < self.engine.shape[2]
        self.memory[word[there] % spec.BANKS, word[there] // spec.BANKS, lane[there]] = data[there]

    def _write_pixels(self, place: np.ndarray, values: np.ndarray) -> None:
        """Pixels at y * 256 + x: minus 128 into the four banks, at the phase and lane that the IMAGE register says."""
        fields = {f: self.registers["IMAGE"] >> low & ((1 << bits) - 1)
                  for f, (low, bits, _) in spec.REGISTER_FIELDS["IMAGE"].items()}
        log2s, (y, x) = fields["LOG2S"], (place // 256, place % 256)
        phase = (y % (1 << log2s) << log2s) + x % (1 << log2s)
        address, row, column = fields["BASE"] + phase, y >> log2s, x >> log2s
        mapped = (address < self.engine.shape[1]) & (row < self.sizes["rows"]) & (column < self.sizes["columns"])
        if not mapped.all():
            raise BusError(spec.WINDOWS["IMAGE"][0] + 4 * int(place[~mapped][0]), CODES["BUS_UNMAPPED"], "write")
        lane = row * self.sizes["columns"] + column
        self.memory[:, address, lane] = (values.view(np.uint8) ^ 0x80).view(np.int8).reshape(-1, spec.BANKS).T


def _word(register: str, fields: dict[str, int]) -> int:
    return sum(value << spec.REGISTER_FIELDS[register][name][0] for name, value in fields.items())
