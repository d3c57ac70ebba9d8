"""Waiting without an interrupt."""

from __future__ import annotations

from riffle.backends.backend import Backend
from riffle.isa import spec

ISR, CYCLES = spec.REGISTERS["ISR"], spec.REGISTERS["CYCLES"]
STILL = 1000  # looks at a counter that should count


def poll(backend: Backend, cycles: int) -> bool:
    """Look at ISR until it says that the run is over; whether it does before the engine has counted `cycles` more.

    CTRL is left alone: reading it clears DONE.
    """
    begin = last = backend.read(CYCLES)
    still = 0
    while not backend.read(ISR):
        now = backend.read(CYCLES)
        still = still + 1 if now == last else 0
        if now - begin >= cycles or still >= STILL:
            return bool(backend.read(ISR))
        last = now
    return True
