"""The accelerator on a board with PYNQ, and a simulated board where there is none. Needs pynq 3."""

from riffle.board.ip import RiffleIP
from riffle.board.overlay import load_overlay

__all__ = ["RiffleIP", "load_overlay"]
