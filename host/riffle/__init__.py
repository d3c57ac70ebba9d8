"""Riffle: ShuffleNet on an FPGA. Begin with `driver` (run), `compiler` (translate) or `reference` (the arithmetic)."""

from riffle.spec import VERSION as __version__

__all__ = ["__version__"]
