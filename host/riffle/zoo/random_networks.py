"""Networks with random weights that behave like trained ones: activations use their range, no channel is dead.

They serve wherever arithmetic matters and accuracy does not: tests of the hardware, cycle counts of any architecture.
The weights are drawn layer by layer, and each layer's biases and multipliers are set from what a random input makes it
do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from riffle.errors import InputError
from riffle.graph.bounds import multiplier_and_shift, prove
from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    Layer,
    MaxPool,
    Tensor,
)
from riffle.graph.layer_spec import LayerSpec, tensor_channels
from riffle.graph.quantise import average_pool
from riffle.graph.reference import convolution, execute, input_tensor
from riffle.zoo.shufflenet_v1 import Architecture

WEIGHT_DEVIATION = 40.0
# mean and standard deviation of an output above its zero point, in steps: after ReLU (-128), signed
RELU_TARGET, SIGNED_TARGET = (30.0, 60.0), (0.0, 40.0)
BRANCH_DEVIATION = 40.0  # of what a unit adds to its residual
LARGEST_FACTOR = 1.99


def random_integer_network(architecture: Architecture, seed: int) -> IntegerNetwork:
    """A whole network; the same seed gives the same network."""
    image = Tensor(3, *architecture.image, -128)
    return random_layers(architecture.name, architecture.layers(), image, seed)


def random_unit(groups: int, stage: int, kind: str = "residual", scale: float = 1.0, *, shuffle: str = "paper",
                bottleneck: str = "output", pool_first: bool = True, size: tuple[int, int] | None = None,
                zero_point: int = -128, seed: int = 0) -> IntegerNetwork:
    """One ShuffleNet unit as a network of its own; its input is the tensor "image", int8 of many channels.

    Parameters
    ----------
    kind
        "residual" (the second unit of the stage) or "stride2" (the first)
    shuffle, bottleneck, pool_first
        as in `Architecture`
    size
        height and width of the input; by default those at a 224x224 image
    zero_point
        of the unit's input and output

    Raises
    ------
    ValueError
        if there is no such unit
    """
    if kind not in ("residual", "stride2"):
        raise InputError(f"kind is {kind!r}, but must be residual or stride2")
    number = 1 if kind == "stride2" else 2
    halvings = stage + number - 1  # of the image up to the unit's input
    image = tuple(n << halvings for n in size) if size else (224, 224)
    architecture = Architecture(groups, scale, image, shuffle=shuffle, bottleneck=bottleneck, pool_first=pool_first)
    specs = architecture.unit(stage, number)
    source = specs[0].input
    specs = [replace(s, input="image" if s.input == source else s.input,
                     residual="image" if s.residual else None) for s in specs]
    name = f"{architecture.name} stage{stage} {kind} unit"
    tensor = Tensor(specs[0].in_channels, *specs[0].size, zero_point)
    return random_layers(name, specs, tensor, seed, {specs[-1].output: zero_point})


def random_layers(name: str, specs: Sequence[LayerSpec], image: Tensor, seed: int,
                  zero_points: dict[str, int] | None = None) -> IntegerNetwork:
    """A network of any layers that read each other, the first of them the tensor `image`.

    Parameters
    ----------
    image
        description of the input tensor, whose name is the input of `specs[0]`
    zero_points
        of tensors by name; others have -128 after a ReLU or a pool, 0 otherwise
    """
    rng = np.random.default_rng(seed)
    network = IntegerNetwork(name, specs[0].input, {specs[0].input: image}, [], metadata={"seed": seed})
    tensors = {network.input: input_tensor(network, random_input(network, seed))}
    for spec in specs:
        channels = tensor_channels(specs, spec.output)
        relu = spec.relu or spec.kind in ("max_pool", "global_average")
        zero_point = (zero_points or {}).get(spec.output, -128 if relu else 0)
        network.tensors.setdefault(spec.output, Tensor(channels, *spec.out_size, zero_point))
        layer = _random_layer(spec, network.tensors, tensors, rng)
        execute(layer, network.tensors, tensors)
        network.layers.append(layer)
    prove(network)
    return network


def random_input(network: IntegerNetwork, seed: int) -> np.ndarray:
    """An input that looks a little like a photograph: structure of all sizes, and noise.

    Returns
    -------
    uint8 [H][W][3] where the network takes images, int8 [C][H][W] where it takes another tensor
    """
    rng = np.random.default_rng(seed)
    tensor = network.tensors[network.input]
    height, width = tensor.height, tensor.width
    maps = np.zeros((tensor.channels, height, width))
    cell = 1
    while cell <= max(height, width):
        coarse = rng.normal(size=(tensor.channels, -(-height // cell), -(-width // cell)))
        maps += coarse.repeat(cell, 1).repeat(cell, 2)[:, :height, :width]
        cell *= 2
    maps /= maps.std()
    if tensor.channels == 3 and tensor.zero_point == -128:
        return np.clip(127.5 + 60 * maps, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    mean, deviation = _target(tensor)
    return np.clip(tensor.zero_point + mean + deviation * maps, -128, 127).round().astype(np.int8)


def _random_layer(spec: LayerSpec, described: dict[str, Tensor], tensors: dict[str, np.ndarray],
                  rng: np.random.Generator) -> Layer:
    names = spec.name, spec.input, spec.output
    source, output = described[spec.input], described[spec.output]
    maps = tensors[spec.input]
    if spec.kind == "max_pool":
        return MaxPool(*names)
    if spec.kind == "global_average":
        pixels = source.height * source.width
        # averages vary less than pixels do: twice the scale, so that they use more of the range
        constants = multiplier_and_shift(min(2 / pixels, LARGEST_FACTOR))
        return GlobalAverage(*names, -pixels * source.zero_point, *constants)
    if spec.kind == "average_pool":
        return average_pool(spec, source.zero_point, 1.0)
    shape = spec.out_channels, spec.in_channels // spec.groups, spec.kernel, spec.kernel
    weight = rng.normal(0, WEIGHT_DEVIATION, shape)
    weight = np.clip(weight.round(), -127, 127).astype(np.int8)
    bias = -source.zero_point * weight.astype(np.int64).sum((1, 2, 3))
    if spec.kind == "fully_connected":
        return FullyConnected(*names, weight[:, :, 0, 0], bias.astype(np.int32))
    total = convolution(maps, weight, bias, spec.groups, spec.stride, source.zero_point)
    residual = tensors[spec.residual] if spec.residual else None
    mean, deviation = _branch_target(output, residual)
    factor = np.minimum(deviation / np.maximum(total.std((1, 2)), 1), LARGEST_FACTOR)
    bias = bias + (mean / factor - total.mean((1, 2))).round().astype(np.int64)
    multiplier, shift = np.array([multiplier_and_shift(f) for f in factor], np.int32).T
    return Convolution(*names, weight, bias.astype(np.int32), multiplier.copy(), shift.copy(), spec.groups, spec.stride,
                       spec.shuffle, spec.residual, spec.out_channel)


def _target(tensor: Tensor) -> tuple[float, float]:
    return RELU_TARGET if tensor.zero_point == -128 else SIGNED_TARGET


def _branch_target(output: Tensor, residual: np.ndarray | None) -> tuple[np.ndarray | float, float]:
    """Mean (of each channel) and deviation that a layer's own part of the output should have."""
    mean, deviation = _target(output)
    if residual is None:
        return mean, deviation
    return mean - (residual.astype(np.int64).mean((1, 2)) - output.zero_point), BRANCH_DEVIATION
