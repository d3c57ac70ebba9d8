"""What can go wrong between host and hardware. Every message names the cause and the remedy.

Programs have `program.ProgramError`, compilation `compiler.CompileError`; a program that the engine has stopped
`EngineError`, here with the layer's name.
"""

from __future__ import annotations

from . import interpreter, spec


class RiffleError(Exception):
    """Host and hardware do not get on."""


class HardwareError(RiffleError):
    """What answers is not the hardware that this package was written for, or does not answer."""


class BusError(RiffleError):
    """An access was refused; `offset` in the segment, `code` as in `spec.ERRORS` or None where it is not known."""

    def __init__(self, offset: int, code: int | None, action: str = "access"):
        self.offset, self.code = offset, code
        self.name, meaning, remedy = spec.ERRORS.get(code, ("BUS_ERROR", "refused with an unknown code", "see ERROR"))
        super().__init__(f"{action} at offset {offset:#08x} refused, {self.name}: {meaning}. Remedy: {remedy}.")


class EngineError(interpreter.EngineError):
    """The engine stopped a program; `code`, `name`, `index` of the descriptor, `detail`, `layer`."""

    def __init__(self, code: int, index: int, detail: int, layer: str):
        super().__init__(code, index, detail)
        self.layer = layer
        _, meaning, remedy = spec.ERRORS[code]
        super(Exception, self).__init__(
            f"{self.name} at descriptor {index}, layer {layer} (detail {detail}): {meaning}. Remedy: {remedy}.")


class RunTimeout(RiffleError):
    """No interrupt came in time, not even the watchdog's; `state` holds what the registers said."""

    def __init__(self, cycles: int, state: dict[str, int], recovered: bool):
        self.state = state
        registers = ", ".join(f"{name} {value:#x}" for name, value in state.items())
        remedy = ("the run was aborted, the next one may work: check that the interrupt is connected"
                  if recovered else "the engine does not react to ABORT either: reset or load the hardware again")
        super().__init__(f"no interrupt within {cycles} cycles ({registers}). Remedy: {remedy}.")
