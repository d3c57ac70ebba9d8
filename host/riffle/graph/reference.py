"""The numeric contract in plain integer NumPy: every operation, and a whole network layer by layer.

Maps are int8 [channels][height][width]. Sums are int64, so nothing can overflow here; that they stay below 2^24, as the
hardware needs, is checked. `docs/numeric-contract.md` has the formulas and where they come from.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from riffle.errors import InputError
from riffle.graph.bounds import ACCUMULATOR_LIMIT
from riffle.graph.consistency import check, check_layer
from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    Layer,
    MaxPool,
    Tensor,
    written_channels,
)


def requantise(accumulator: np.ndarray, multiplier: np.ndarray | int, shift: np.ndarray | int) -> np.ndarray:
    """(accumulator * multiplier + 2^(shift - 1)) >> shift, int64, element by element."""
    shift = np.asarray(shift, np.int64)
    return (np.asarray(accumulator, np.int64) * multiplier + (np.int64(1) << (shift - 1))) >> shift


def clamp(values: np.ndarray) -> np.ndarray:
    """Limit to -128..127, int8."""
    return np.clip(values, -128, 127).astype(np.int8)


def windows(maps: np.ndarray, kernel: int, stride: int, fill: int) -> Iterator[np.ndarray]:
    """What each tap of a kernel sees, row by row: [...][H][W], one map per tap, H and W those of the output.

    A 1x1 kernel sees pixel stride*p at output pixel p; a 3x3 kernel stride*p + d, d = -1..1, and `fill` outside.
    """
    margin = kernel // 2
    height, width = (-(-size // stride) for size in maps.shape[-2:])
    padded = np.pad(maps, [(0, 0)] * (maps.ndim - 2) + [(margin, margin)] * 2, constant_values=fill)
    for dy in range(kernel):
        for dx in range(kernel):
            yield padded[..., dy:, dx:][..., ::stride, ::stride][..., :height, :width]


def convolution(maps: np.ndarray, weight: np.ndarray, bias: np.ndarray, groups: int = 1, stride: int = 1,
                zero_point: int = 0) -> np.ndarray:
    """Sums of a grouped convolution: pointwise (1x1), 3x3, depthwise (groups = channels).

    Parameters
    ----------
    maps
        int8 [I][H][W]
    weight
        int8 [O][I / groups][k][k], k = 1 or 3 (padding 1)
    bias
        int32 [O]
    zero_point
        what the map is padded with: its zero point

    Returns
    -------
    int64 [O][ceil(H / stride)][ceil(W / stride)]
    """
    outputs, per_group, kernel, _ = weight.shape
    by_tap = weight.astype(np.int64).reshape(groups, outputs // groups, per_group, kernel * kernel)
    total = None
    for tap, seen in enumerate(windows(maps, kernel, stride, zero_point)):
        part = by_tap[..., tap] @ seen.astype(np.int64).reshape(groups, per_group, -1)
        total = part if total is None else total + part
    return total.reshape(outputs, *seen.shape[1:]) + bias.astype(np.int64)[:, None, None]


def max_pool(maps: np.ndarray) -> np.ndarray:
    """3x3 maximum, stride 2, padding 1 that never wins: int8 [C][ceil(H / 2)][ceil(W / 2)]."""
    return np.max(list(windows(maps, 3, 2, -128)), axis=0)


def global_average(maps: np.ndarray, bias: int) -> np.ndarray:
    """Sum over all pixels of each channel plus bias: int64 [C][1][1]."""
    return maps.astype(np.int64).sum((1, 2), keepdims=True) + bias


def fully_connected(vector: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """bias + weight @ vector: int8 [I][1][1] -> int64 [O][1][1]."""
    return (weight.astype(np.int64) @ vector.astype(np.int64).reshape(-1) + bias).reshape(-1, 1, 1)


def run(network: IntegerNetwork, image: np.ndarray) -> dict[str, np.ndarray]:
    """Execute a network on one image.

    Parameters
    ----------
    image
        uint8 [H][W] (grey) or [H][W][3] (R, G, B) for a network with three input channels; or, for any network, the
        input tensor itself, int8 [C][H][W]

    Returns
    -------
    every tensor by name, int8 [C][H][W]; the output of a fully connected layer is int32 [O][1][1]

    Raises
    ------
    ValueError
        if the image does not fit the network, or the network contradicts itself or the contract (`consistency`)
    """
    check(network)
    tensors = {network.input: input_tensor(network, image)}
    for layer in network.layers:
        _execute(layer, network.tensors, tensors)
    return tensors


def execute(layer: Layer, described: dict[str, Tensor], tensors: dict[str, np.ndarray]) -> None:
    """Execute one layer: put what it writes into `tensors`, which holds what it reads.

    Raises
    ------
    ValueError
        if the layer contradicts itself or its tensors, or a sum leaves the accumulator
    """
    check_layer(layer, described)
    _execute(layer, described, tensors)


def layer_outputs(network: IntegerNetwork, tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What each layer wrote, by layer name in order of execution: its own channels of its output tensor, shuffled.

    With `tensors` from two implementations, the first layer that differs is where they part.
    """
    result = {}
    for layer in network.layers:
        result[layer.name] = tensors[layer.output][np.sort(written_channels(layer, network.tensors[layer.output]))]
    return result


def input_tensor(network: IntegerNetwork, image: np.ndarray) -> np.ndarray:
    """The network's input tensor, int8 [C][H][W]: pixels minus 128, grey three times. Arguments and errors as `run`."""
    tensor = network.tensors[network.input]
    shape, size = (tensor.channels, tensor.height, tensor.width), f"{tensor.height}x{tensor.width}"
    image = np.asarray(image)
    if image.dtype == np.int8:
        if image.shape != shape:
            raise InputError(f"the input tensor is int8 {_size(image.shape)}, but {network.name} takes {_size(shape)}: "
                             "give it as [channels][height][width]")
        return image
    if image.dtype != np.uint8 or tensor.channels != 3:
        expected = "uint8 pixels, 0 to 255" if tensor.channels == 3 else f"an int8 tensor {_size(shape)}"
        raise InputError(f"the image is {image.dtype} {_size(image.shape)}, but {network.name} takes {expected}: "
                         "convert it first")
    if image.shape not in (shape[1:], (*shape[1:], 3)):
        raise InputError(f"the image is {_size(image.shape)}, but {network.name} takes {size} grey or {size}x3 RGB: "
                         "resize it first")
    if image.ndim == 2:
        image = np.repeat(image[:, :, None], 3, 2)
    return (image.astype(np.int16) - 128).astype(np.int8).transpose(2, 0, 1)


def _execute(layer: Layer, described: dict[str, Tensor], tensors: dict[str, np.ndarray]) -> None:
    result = _own_channels(layer, described, tensors)
    tensors[layer.output] = (_placed(layer, result, described[layer.output], tensors)
                             if isinstance(layer, Convolution) else result)


def _own_channels(layer: Layer, described: dict[str, Tensor], tensors: dict[str, np.ndarray]) -> np.ndarray:
    """One layer's own output channels, before the shuffle."""
    maps = tensors[layer.input]
    zero_point = described[layer.output].zero_point
    if isinstance(layer, MaxPool):
        return max_pool(maps)
    if isinstance(layer, FullyConnected):
        return _checked(layer, fully_connected(maps, layer.weight, layer.bias)).astype(np.int32)
    if isinstance(layer, GlobalAverage):
        total = _checked(layer, global_average(maps, layer.bias))
        return clamp(requantise(total, layer.multiplier, layer.shift) + zero_point)
    total = _checked(layer, convolution(maps, layer.weight, layer.bias, layer.groups, layer.stride,
                                        described[layer.input].zero_point))
    values = requantise(total, layer.multiplier[:, None, None], layer.shift[:, None, None])
    if layer.residual is None:
        return clamp(values + zero_point)
    residual = tensors[layer.residual].astype(np.int64)  # carries the zero point already
    return clamp(values + residual[layer.places()])


def _placed(layer: Convolution, result: np.ndarray, tensor: Tensor, tensors: dict[str, np.ndarray]) -> np.ndarray:
    """The output tensor with a layer's channels in their places: shuffle and concatenation."""
    whole = tensors.get(layer.output)
    whole = np.zeros((tensor.channels, *result.shape[1:]), np.int8) if whole is None else whole
    whole[layer.places()] = result
    return whole


def _checked(layer: Layer, total: np.ndarray) -> np.ndarray:
    worst = int(np.abs(total).max())
    if worst >= ACCUMULATOR_LIMIT:
        raise InputError(f"layer {layer.name}: a sum reaches {worst}, but must stay below {ACCUMULATOR_LIMIT}: "
                         "quantise the network again, which proves that this cannot happen")
    return total


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
