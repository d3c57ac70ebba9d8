"""From a float network to an integer network."""

from __future__ import annotations

import numpy as np

from .bounds import multiplier_and_shift
from .integer import Convolution
from .network import LayerSpec


def average_pool(spec: LayerSpec, zero_point: int, scale_ratio: float) -> Convolution:
    """A 3x3/2 average pool (padding counted: always a ninth of the sum) as a depthwise convolution.

    Parameters
    ----------
    zero_point
        of the input
    scale_ratio
        scale of the input over scale of the output
    """
    channels = spec.in_channels
    multiplier, shift = multiplier_and_shift(scale_ratio / 9)
    return Convolution(
        spec.name, spec.input, spec.output, np.ones((channels, 1, 3, 3), np.int8),
        np.full(channels, -9 * zero_point, np.int32), np.full(channels, multiplier, np.int32),
        np.full(channels, shift, np.int32), channels, spec.stride, out_channel=spec.out_channel, kind="average_pool")
