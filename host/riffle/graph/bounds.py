"""The proof that no input whatever drives a sum out of the accumulator, and numbers as multiplier and shift."""

from __future__ import annotations

import math

import numpy as np

from riffle.errors import InputError
from riffle.graph.integer_graph import Convolution, FullyConnected, GlobalAverage, IntegerNetwork, Layer, MaxPool
from riffle.isa.spec import ACCUMULATOR_BITS, MULTIPLIER_BITS, SHIFT_MAX, SHIFT_MIN

ACCUMULATOR_LIMIT = 1 << (ACCUMULATOR_BITS - 1)


def worst_sums(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Largest |bias + weight @ x| over all int8 x, per output channel.

    Parameters
    ----------
    weight
        int [O][...]
    bias
        int [O]

    Returns
    -------
    int64 [O]; every partial sum that starts from the bias is within it too
    """
    weight = weight.reshape(len(weight), -1).astype(np.int64)
    positive, negative = np.maximum(weight, 0).sum(1), -np.minimum(weight, 0).sum(1)
    highest = bias + 127 * positive + 128 * negative
    lowest = bias - 128 * positive - 127 * negative
    return np.maximum(np.abs(highest), np.abs(lowest))


def layer_worst_sums(layer: Layer, pixels: int) -> np.ndarray:
    """`worst_sums` of a layer whose input has that many pixels, int64 [O]; empty for layers that do not sum."""
    if isinstance(layer, (Convolution, FullyConnected)):
        return worst_sums(layer.weight, layer.bias.astype(np.int64))
    if isinstance(layer, GlobalAverage):
        return np.array([max(abs(layer.bias + 127 * pixels), abs(layer.bias - 128 * pixels))])
    return np.zeros(0, np.int64)


def prove(network: IntegerNetwork) -> dict[str, int]:
    """Show that every |sum| stays below 2^24 for every possible input, and that all constants fit their fields.

    Returns
    -------
    the largest possible |sum| of each layer that sums, by layer name

    Raises
    ------
    ValueError
        with the layer, the channel and the limit, where that is not so
    """
    worst = {}
    for layer in network.layers:
        if not isinstance(layer, MaxPool):
            _check_range(layer, "bias", 1 - ACCUMULATOR_LIMIT, ACCUMULATOR_LIMIT - 1)
        tensor = network.tensors[layer.input]
        sums = layer_worst_sums(layer, tensor.height * tensor.width)
        if not len(sums):
            continue
        worst[layer.name] = int(sums.max())
        if worst[layer.name] >= ACCUMULATOR_LIMIT:
            raise InputError(f"layer {layer.name}, output channel {sums.argmax()}: sums can reach {sums.max()}, but "
                             f"the accumulator holds less than {ACCUMULATOR_LIMIT}: quantise the network again")
        if isinstance(layer, (Convolution, FullyConnected)) and layer.weight.min() < -127:
            raise InputError(f"layer {layer.name} has a weight of -128, but weights are symmetric, -127 to 127: "
                             "quantise the network again")
        if isinstance(layer, (Convolution, GlobalAverage)):
            _check_range(layer, "multiplier", 0, (1 << MULTIPLIER_BITS) - 1)
            _check_range(layer, "shift", SHIFT_MIN, SHIFT_MAX)
    return worst


def multiplier_and_shift(factor: float) -> tuple[int, int]:
    """Integers with multiplier / 2^shift nearest to a factor, the multiplier using its 17 bits where the shift allows.

    Raises
    ------
    ValueError
        if the factor is negative, not finite, or 2 or more
    """
    if not 0 <= factor < 2:
        raise InputError(f"requantisation by {factor} is not possible, it must be at least 0 and below 2: the scale of "
                         "the output is far too small for its input, calibrate with other images")
    exponent = math.frexp(factor)[1]  # factor in [2^(exponent - 1), 2^exponent); at most 1, so the shift is at least 16
    shift = min(MULTIPLIER_BITS - exponent, SHIFT_MAX)
    multiplier = round(factor * 2**shift)
    if multiplier >> MULTIPLIER_BITS:  # rounded up to the next power of two
        if shift == SHIFT_MIN:
            return (1 << MULTIPLIER_BITS) - 1, shift
        return multiplier >> 1, shift - 1
    return multiplier, shift


def _check_range(layer: Layer, name: str, low: int, high: int) -> None:
    values = np.asarray(getattr(layer, name))
    if values.min() < low or values.max() > high:
        raise InputError(f"layer {layer.name} has a {name} from {values.min()} to {values.max()}, but it must be {low} "
                         f"to {high}: quantise the network again")
