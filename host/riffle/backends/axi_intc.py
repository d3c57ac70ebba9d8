"""Xilinx' axi_intc as far as PYNQ uses it: the one piece of the board that is neither ours nor PYNQ's."""

from __future__ import annotations

STATUS, PENDING, ENABLE, ACKNOWLEDGE, SET_ENABLE, CLEAR_ENABLE, MASTER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x1C
MASTER_ENABLE, HARDWARE_ENABLE = 1, 2


class AxiIntc:
    """One input; as edge it is remembered when it rises, as level again and again while it is high.

    Attributes
    ----------
    lose
        how many of the next interrupts get lost, for tests
    """

    def __init__(self, edge: bool = True):
        self.edge = edge
        self.status = self.enabled = self.master = self.lose = 0
        self._level = False

    def sample(self, level: bool) -> None:
        """Look at the input."""
        rises, self._level = level and not self._level, level
        if not self.master & HARDWARE_ENABLE or not (rises if self.edge else level):
            return
        if self.lose and rises:
            self.lose -= 1
            return
        self.status |= 1

    @property
    def output(self) -> bool:
        """The line to the processor."""
        return bool(self.status & self.enabled and self.master & MASTER_ENABLE)

    def read(self, offset: int) -> int:
        return {STATUS: self.status, PENDING: self.status & self.enabled, ENABLE: self.enabled,
                MASTER: self.master}.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        if offset == ENABLE:
            self.enabled = value
        elif offset == ACKNOWLEDGE:
            self.status &= ~value
        elif offset == SET_ENABLE:
            self.enabled |= value
        elif offset == CLEAR_ENABLE:
            self.enabled &= ~value
        elif offset == MASTER:
            self.master = value
