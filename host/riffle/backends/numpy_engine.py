"""The NumPy interpreter behind the accelerator's registers: needs nothing but NumPy, and shows what is right."""

from __future__ import annotations

import numpy as np

from riffle.backends.backend import SIMULATED_HZ
from riffle.backends.register_model import Outcome, RegisterBackend
from riffle.errors import EngineError
from riffle.isa import layout, spec
from riffle.isa.cost import predict
from riffle.isa.descriptor import unpack_program
from riffle.isa.emulator import execute
from riffle.isa.spec import ERROR_CODES


class NumpyEngine:
    """`interpreter.execute` as an engine; its cycles are those that the compiler predicts."""

    def __init__(self, rows: int, columns: int):
        self.rows, self.columns = rows, columns

    def run(self, program: np.ndarray, log: np.ndarray, memory: np.ndarray, stream: np.ndarray, first: int, length: int,
            lane: int, watchdog: int) -> Outcome:
        """As `registers.Engine`; no run takes too long."""
        if not 0 < length <= spec.DESCRIPTORS - first:
            return Outcome(ERROR_CODES["BAD_PROGRAM"], 0, first, 0)
        part = program[first:first + length]
        try:
            execute(memory, part, stream, self.rows, self.columns, lane)
        except EngineError as error:
            index = first + error.index
            return Outcome(error.code, index | error.detail << 8, index, 0)
        cycles = predict(unpack_program(part))
        log[first:first + length] = 0
        log[first:first + length, 0] = log[first:first + length, 1] = cycles
        return Outcome(0, 0, first + length - 1, sum(cycles), sum(cycles))


class NumpyBackend(RegisterBackend):
    """The accelerator, slow, without a model to build.

    Parameters
    ----------
    configuration
        one of `spec.CONFIGURATIONS`
    clock_hz
        what a board would run at; only turns cycles into time
    """

    what = "NumPy; cycles are what the compiler predicts"

    def __init__(self, configuration: str = "full", *, clock_hz: float = SIMULATED_HZ):
        sizes = layout.configuration(configuration)
        super().__init__(sizes, NumpyEngine(sizes["rows"], sizes["columns"]), clock_hz)
