"""Riffle: ShuffleNet on an FPGA. Start with `riffle.driver` (run), `riffle.compiler` (translate), `riffle.reference`."""

from riffle.spec import VERSION as __version__

__all__ = ["__version__"]
