"""Every exception that the package raises on purpose: one tree with the base `RiffleError`.

Every message names the cause and the remedy. An error that has a built-in counterpart is that, too: a wrong argument is
also a ValueError, shared memory that runs out also a MemoryError.
"""

from __future__ import annotations

from riffle.isa import spec


class RiffleError(Exception):
    """Base class of all Riffle errors."""


class InputError(RiffleError, ValueError):
    """An argument, a file or an image does not fit what it is given to."""


class ProgramError(RiffleError):
    """A program file is damaged or foreign, or the program does not fit the hardware."""


class CompileError(RiffleError):
    """A network contradicts itself, or does not fit; the message names the layer, the need and the limit."""


class ConversionError(InputError):
    """hls4ml cannot express a layer, or a value cannot be represented."""


class ManifestError(RiffleError):
    """A manifest cannot be read, or does not say what it must."""


class HardwareError(RiffleError):
    """The hardware is missing, foreign, closed or in use, or does not answer."""


class SharedMemoryError(RiffleError, MemoryError):
    """Too little memory is left that processor and accelerator share."""


class BusError(RiffleError):
    """The hardware refused an access.

    Attributes
    ----------
    offset
        byte offset in the segment
    code
        as in `spec.ERRORS`, or None where it is not known
    """

    def __init__(self, offset: int, code: int | None, action: str = "access"):
        self.offset, self.code = offset, code
        self.name, meaning, remedy = spec.ERRORS.get(code, ("BUS_ERROR", "refused with an unknown code", "see ERROR"))
        self._given = offset, code, action
        super().__init__(f"{action} at offset {offset:#08x} refused, {self.name}: {meaning}. Remedy: {remedy}.")

    def __reduce__(self) -> tuple:
        return type(self), self._given  # between processes: the base class would give the message alone


class EngineError(RiffleError):
    """The engine stopped a program.

    Attributes
    ----------
    code, name
        as in `spec.ERRORS`
    index
        descriptor
    detail
        what the error's description says; 0 where it says nothing
    layer
        name of the descriptor's layer; empty where it is not known
    """

    def __init__(self, code: int, index: int, detail: int = 0, layer: str = ""):
        self.code, self.index, self.detail, self.layer = code, index, detail, layer
        self.name, meaning, remedy = spec.ERRORS[code]
        self._given = code, index, detail, layer
        where = f"descriptor {index}" + f", layer {layer}" * bool(layer)
        super().__init__(f"{self.name} at {where} (detail {detail}): {meaning}. Remedy: {remedy}.")

    def __reduce__(self) -> tuple:
        return type(self), self._given


class RunTimeout(RiffleError):
    """No interrupt came in time, not even that of the watchdog.

    Attributes
    ----------
    state
        what the registers said, by name
    """

    def __init__(self, cycles: int, state: dict[str, int], recovered: bool):
        self.state, self._given = state, (cycles, state, recovered)
        registers = ", ".join(f"{name} {value:#x}" for name, value in state.items())
        remedy = ("the run was aborted, the next one may work: check that the interrupt is connected"
                  if recovered else "the engine does not react to ABORT either: reset or load the hardware again")
        super().__init__(f"no interrupt within {cycles} cycles ({registers}). Remedy: {remedy}.")

    def __reduce__(self) -> tuple:
        return type(self), self._given
