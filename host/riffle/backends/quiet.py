"""Silence before the FPGA is configured again: what this process holds there must have no read of memory in flight.

Registers of an FPGA that is not configured, or that somebody else has configured since, may hang the bus. So only those
accelerators are asked that this process has identified, and that are still there as far as it can know.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Protocol

from riffle.backends.backend import Backend


class Held(Protocol):
    """See `driver.accelerator.Accelerator`."""

    backend: Backend

    def quiesce(self) -> None:
        """Stop what runs and wait until no read of memory is in flight."""


_held: weakref.WeakSet[Held] = weakref.WeakSet()


def hold(accelerator: Held) -> None:
    """Note an accelerator that has been identified."""
    _held.add(accelerator)


def release(accelerator: Held) -> None:
    """Forget one whose backend is closed, or whose FPGA has been configured again."""
    _held.discard(accelerator)


def quiesce_held(kind: type, there: Callable[[Backend], bool]) -> None:
    """Stop the accelerators behind backends of one kind, and forget them: the FPGA is about to be configured.

    Parameters
    ----------
    kind
        class of the backends that reach this FPGA
    there
        whether the FPGA still holds what it held when a backend was opened

    Raises
    ------
    HardwareError
        as `Accelerator.quiesce`: nothing may be loaded then
    """
    for accelerator in [each for each in _held if isinstance(each.backend, kind)]:
        if there(accelerator.backend):
            accelerator.quiesce()
        release(accelerator)
