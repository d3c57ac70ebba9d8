"""The HLS C++ engine, compiled natively, as a backend: the same results as the hardware, many times faster, no clock.

Cycles are iterations of the engine's loops, which is what hardware would take if each of them had an interval of one
and none had to be filled.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np

from riffle.backends import checkout
from riffle.backends.backend import SIMULATED_HZ
from riffle.backends.register_model import Outcome, RegisterBackend
from riffle.errors import EngineError, HardwareError, InputError
from riffle.isa import layout, spec
from riffle.isa.descriptor import Descriptor, pack_program

NO_WATCHDOG = (1 << 32) - 1


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
    if not checkout.there():
        raise HardwareError("the HLS engine is compiled from the project's sources, which this installation does not "
                            "have: clone the repository and run `make setup`")
    sizes = {"ROWS": "rows", "COLUMNS": "columns", "DEPTH": "activation_depth"}
    command = [sys.executable, str(checkout.HLS), *["--vendor"] * vendor,
               str(checkout.HLS.with_name("native_engine.cpp")),
               *(f"RIFFLE_{macro}={configuration[name]}" for macro, name in sizes.items())]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise HardwareError("the HLS engine could not be built, see above. Remedy: run `make setup`")
    return Path(result.stdout.strip())


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
                raise InputError(f"{name} is {array.dtype} {array.shape}, but must be contiguous {np.dtype(dtype)} "
                                 f"{shape}")
        result, stop = np.zeros(6, np.uint32), np.zeros(1, np.uint8)
        self._run(program.ctypes.data, log.ctypes.data, memory.ctypes.data, stream.ctypes.data, len(stream), first,
                  length, lane, watchdog, stop.ctypes.data, result.ctypes.data)
        return Outcome(*map(int, result))

    def execute(self, memory: np.ndarray, descriptors: list[Descriptor] | np.ndarray, stream: bytes | np.ndarray,
                lane: int = 0) -> Outcome:
        """What `interpreter.execute` does, with its errors; any number of weights."""
        if not 0 <= lane < self.shape[2]:
            raise InputError(f"lane is {lane}, but the lattice has lanes 0 to {self.shape[2] - 1}")
        words = descriptors if isinstance(descriptors, np.ndarray) else pack_program(descriptors)
        program = np.zeros((spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS), np.uint32)
        program[:len(words)] = words
        stream = np.ascontiguousarray(np.frombuffer(stream, np.uint8) if isinstance(stream, bytes) else stream)
        log = np.zeros((spec.DESCRIPTORS, spec.LOG_WORDS), np.uint32)
        outcome = self.run(program, log, memory, stream.reshape(-1, spec.STREAM_BYTES), 0, len(words), lane)
        if outcome.error:
            raise EngineError(outcome.error, outcome.info & 0xFF, outcome.info >> 8)
        return outcome


class HlsBackend(RegisterBackend):
    """The accelerator's registers and windows around the engine.

    Parameters
    ----------
    configuration
        one of `spec.CONFIGURATIONS`
    clock_hz
        what a board would run at; only turns cycles into time
    """

    what = "the HLS engine, compiled for this machine; cycles are iterations of its loops"

    def __init__(self, configuration: str = "full", *, clock_hz: float = SIMULATED_HZ):
        sizes = layout.configuration(configuration)
        super().__init__(sizes, Engine(sizes), clock_hz, kind=spec.Engine.HLS)
