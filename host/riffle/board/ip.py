"""The driver that PYNQ binds to the accelerator in an overlay, by its VLNV.

    overlay = pynq.Overlay("riffle.bit")      # after `import riffle.board`
    overlay.riffle_0.accelerator.run(image)

`riffle.open()` does both.
"""

from __future__ import annotations

from functools import cached_property

from pynq import DefaultIP

from riffle.backends.axi_intc import HARDWARE_ENABLE, MASTER, MASTER_ENABLE
from riffle.board.backend import BoardBackend
from riffle.board.interrupt_loop import interrupt_loop
from riffle.board.simulated.device import board_lock
from riffle.driver.accelerator import Accelerator
from riffle.isa import spec


class RiffleIP(DefaultIP):
    """PYNQ's registers and interrupt (`register_map`, `read`, `write`, `interrupt`), and Riffle's driver over them."""

    bindto = [spec.VLNV]

    def __init__(self, description: dict):
        with board_lock():  # the first interrupt of a process switches off those that others wait for
            # PYNQ ties an interrupt to the loop in which it is made
            interrupt_loop().call(super().__init__, description)
            # PYNQ does it when it waits first: the end of a run before that would not be seen
            if controller := getattr(self, "interrupt", None) and getattr(self.interrupt.parent(), "mmio", None):
                controller.write(MASTER, MASTER_ENABLE | HARDWARE_ENABLE)

    @cached_property
    def backend(self) -> BoardBackend:
        """The way to the hardware."""
        return BoardBackend(self.mmio.array, getattr(self, "interrupt", None), self.device)

    @cached_property
    def accelerator(self) -> Accelerator:
        """The driver; checks identity, version and specification before it writes anything."""
        return Accelerator(self.backend)
