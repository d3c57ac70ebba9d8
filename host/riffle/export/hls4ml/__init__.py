"""hls4ml learns ShuffleNet: grouped pointwise convolution, shuffle as write address, requantisation by channel.

With the package installed hls4ml finds the layers by itself (entry point `hls4ml.backends`), for its backends Vivado,
VivadoAccelerator and Vitis. `convert` makes an hls4ml model of an integer network.
"""

from __future__ import annotations

from riffle.export.hls4ml.convert import ConversionError, convert
from riffle.export.hls4ml.register import import_hls4ml, register

__all__ = ["ConversionError", "convert", "import_hls4ml", "register"]
