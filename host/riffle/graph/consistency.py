"""Whether a network contradicts itself or the numeric contract; the reference and the compiler both ask here.

What a network may be does not depend on hardware: lattice, memory and descriptors are the compiler's business
(`compiler.check`).
"""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

from riffle.errors import InputError
from riffle.graph.bounds import prove
from riffle.graph.integer_graph import (
    LAYERS,
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    Layer,
    MaxPool,
    Shuffle,
    Tensor,
    written_channels,
)

KERNELS, STRIDES, KINDS = (1, 3), (1, 2), ("convolution", "average_pool")
AGAIN = "correct the network description, or make the network again"


def check(network: IntegerNetwork) -> None:
    """Refuse a network that contradicts itself.

    Raises
    ------
    ValueError
        names the layer or tensor, the contradiction and the remedy
    """
    _check_tensors(network)
    if not isinstance(network.layers, list) or not network.layers:
        raise InputError(f"network {network.name} has no layers: there is nothing to run, add at least one")
    names, order = set(), _Order(network)
    for layer in network.layers:
        check_layer(layer, network.tensors)
        if layer.name in names:
            raise InputError(f"two layers have the name {layer.name}: give each layer a name of its own")
        names.add(layer.name)
        order.run(layer)
    order.finish()
    _check_end(network)
    prove(network)


def check_layer(layer: Layer, tensors: dict[str, Tensor]) -> None:
    """Refuse a layer that contradicts itself or the tensors that it reads and writes. Errors as `check`."""
    rule = _RULES.get(type(layer))
    if rule is None:
        raise InputError(f"layer {getattr(layer, 'name', layer)} is a {type(layer).__name__}, which is none of "
                         f"{', '.join(LAYERS)}: express it by these")
    if not isinstance(layer.name, str) or not layer.name:
        raise InputError(f"a {type(layer).__name__} has the name {layer.name!r}, which must be a text: {AGAIN}")
    for role in ("input", "output", *["residual"] * (getattr(layer, "residual", None) is not None)):
        name = getattr(layer, role)
        if not isinstance(name, str) or name not in tensors:
            _refuse(layer, f"has {role} {name!r}, which is no tensor of the network", "name one, or describe it")
    rule(layer, tensors[layer.input], tensors[layer.output], tensors)


class _Order:
    """Layers in their order: what is written by then, and by which layer."""

    def __init__(self, network: IntegerNetwork):
        self.network, self.complete, self.raw = network, {network.input}, {}
        self.written: dict[str, dict[int, str]] = {}  # tensor: channel: layer

    def run(self, layer: Layer) -> None:
        for name in {layer.input, getattr(layer, "residual", None)} - {None}:
            if name in self.raw:
                _refuse(layer, f"reads tensor {name}, the 32-bit sums of layer {self.raw[name]}, which are not "
                        "requantised", "let a fully connected layer be the last one")
            if name not in self.written and name not in self.complete:
                _refuse(layer, f"reads tensor {name}, which no layer before it writes", "put the layer that writes it "
                        "first")
            if name not in self.complete:
                _refuse(layer, f"reads tensor {name} before it is complete: {self.missing(name)}", "put the layers "
                        "that write it first")
        name, mine = layer.output, self.written.setdefault(layer.output, {})
        if name == self.network.input:
            _refuse(layer, f"writes tensor {name}, where the image lies", "let it write a tensor of its own")
        for channel in written_channels(layer, self.network.tensors[name]).tolist():
            if channel in mine:
                _refuse(layer, f"writes channel {channel} of tensor {name}, which layer {mine[channel]} writes too",
                        "correct out_channel and shuffle")
            mine[channel] = layer.name
        if len(mine) == self.network.tensors[name].channels:
            self.complete.add(name)
        if isinstance(layer, FullyConnected):
            self.raw[name] = layer.name

    def missing(self, name: str) -> str:
        channels = self.network.tensors[name].channels
        first = next(c for c in range(channels) if c not in self.written[name])
        return f"of {channels} channels {len(self.written[name])} are written, channel {first} is not"

    def finish(self) -> None:
        for name, layers in self.written.items():
            if name not in self.complete:
                raise InputError(f"tensor {name}, which layer {next(iter(layers.values()))} writes, is never complete: "
                                 f"{self.missing(name)}: correct out_channel, shuffle or the tensor's channels")


def _check_tensors(network: IntegerNetwork) -> None:
    if not isinstance(network.tensors, dict) or not isinstance(network.input, str) or (
            network.input not in network.tensors):
        raise InputError(f"the input of network {network.name} is {network.input!r}, which is none of its tensors: "
                         "describe it")
    limits = {"channels": (1, math.inf), "height": (1, math.inf), "width": (1, math.inf), "zero_point": (-128, 127)}
    for name, tensor in network.tensors.items():
        for field, (low, high) in limits.items():
            value = getattr(tensor, field, None)
            if not isinstance(value, Integral) or not low <= value <= high:
                raise InputError(f"tensor {name} has {field} {value!r}, which must be a whole number "
                                 f"{_range(low, high)}: {AGAIN}")


def _check_end(network: IntegerNetwork) -> None:
    if not isinstance(network.classes, (list, tuple)):
        raise InputError(f"network {network.name} names {network.classes!r} as classes, which must be a list: {AGAIN}")
    output, count = network.tensors[network.output], len(network.classes)
    if count and ((output.height, output.width) != (1, 1) or count != output.channels):
        raise InputError(f"network {network.name} names {count} classes, but its output {network.output} is "
                         f"{_size(output)}: name one class for each score, or none")
    if not isinstance(network.output_scale, Real) or not 0 < network.output_scale < math.inf:
        raise InputError(f"network {network.name} has output_scale {network.output_scale!r}, which must be a number "
                         f"above 0: {AGAIN}")


def _check_convolution(layer: Convolution, source: Tensor, output: Tensor, tensors: dict[str, Tensor]) -> None:
    weight = layer.weight
    if not isinstance(weight, np.ndarray) or weight.dtype != np.int8 or weight.ndim != 4 or not weight.size:
        _refuse(layer, f"has weights {_kind(weight)}, which must be int8 [O][I / groups][k][k]", "quantise the network "
                "again")
    outputs, per_group, *kernel = weight.shape
    if kernel[0] != kernel[1] or kernel[0] not in KERNELS:
        _refuse(layer, f"has a kernel of {kernel[0]}x{kernel[1]}, but there are 1x1 and 3x3", "express it by several "
                "of these, or choose another architecture")
    _check_whole(layer, "stride", *STRIDES)
    _check_whole(layer, "groups", 1, math.inf)
    if outputs % layer.groups or per_group * layer.groups != source.channels:
        _refuse(layer, f"has weights for {layer.groups} groups of {per_group} inputs and {outputs} outputs in all, "
                f"which do not fit {source.channels} input channels of tensor {layer.input}", "weights are "
                "[O][I / groups][k][k]")
    for name in ("bias", "multiplier", "shift"):
        _check_array(layer, name, (outputs,))
    if layer.kind not in KINDS:
        _refuse(layer, f"is of kind {layer.kind!r}, which must be one of {', '.join(KINDS)}", AGAIN)
    if layer.kind == "average_pool" and (weight.shape[1:] != (1, 3, 3) or layer.groups != outputs
                                         or (weight != 1).any()):
        _refuse(layer, f"is an average pool with weights {_kind(weight)} in {layer.groups} groups, which must be "
                "[C][1][3][3] of ones in C groups", "make it with riffle.graph.quantise.average_pool")
    _check_place(layer, outputs, output)
    made = Tensor(output.channels, *(-(-n // layer.stride) for n in (source.height, source.width)))
    _check_made(layer, made, output)
    if layer.residual is not None:
        added = tensors[layer.residual]
        if _size(added) != _size(output) or added.zero_point != output.zero_point:
            _refuse(layer, f"adds tensor {layer.residual}, {_size(added)} with zero point {added.zero_point}, to "
                    f"{layer.output}, {_size(output)} with zero point {output.zero_point}", "both must have the same "
                    "size, scale and zero point")


def _check_place(layer: Convolution, outputs: int, output: Tensor) -> None:
    """That a layer's channels go to channels of its output, each to another one."""
    _check_whole(layer, "out_channel", 0, math.inf)
    shuffle = layer.shuffle
    if shuffle is not None:
        steps = [getattr(shuffle, name, None) for name in ("modulus", "step_low", "step_high")]
        valid = isinstance(shuffle, Shuffle) and all(isinstance(n, Integral) and 0 <= n < 1 << 31 for n in steps)
        if not valid or not shuffle.modulus:
            _refuse(layer, f"has the shuffle {shuffle!r}, whose modulus must be 1 or more, and its steps 0 or more",
                    AGAIN)
    # NumPy could not add to a larger one
    places = layer.places() if layer.out_channel < 1 << 31 else np.array([layer.out_channel], object)
    if places.max() >= output.channels:
        _refuse(layer, f"writes channel {places.max()} of tensor {layer.output}, which has {output.channels}",
                "correct out_channel and shuffle, or the tensor's channels")
    if len(np.unique(places)) != outputs:
        twice = int(np.flatnonzero(np.bincount(places) > 1)[0])
        _refuse(layer, f"writes channel {twice} of tensor {layer.output} twice: {shuffle} is no permutation of its "
                f"{outputs} channels", "correct the shuffle")


def _check_max_pool(layer: MaxPool, source: Tensor, output: Tensor, _: dict[str, Tensor]) -> None:
    _check_made(layer, Tensor(source.channels, -(-source.height // 2), -(-source.width // 2)), output)
    if source.zero_point != output.zero_point:
        _refuse(layer, f"takes maxima of tensor {layer.input} with zero point {source.zero_point} to {layer.output} "
                f"with {output.zero_point}", "a maximum keeps scale and zero point: give both tensors the same")


def _check_average(layer: GlobalAverage, source: Tensor, output: Tensor, _: dict[str, Tensor]) -> None:
    for name in ("bias", "multiplier", "shift"):
        _check_whole(layer, name, -math.inf, math.inf)
    _check_made(layer, Tensor(source.channels, 1, 1), output)


def _check_fully_connected(layer: FullyConnected, source: Tensor, output: Tensor, _: dict[str, Tensor]) -> None:
    weight = layer.weight
    if not isinstance(weight, np.ndarray) or weight.dtype != np.int8 or weight.ndim != 2 or not weight.size:
        _refuse(layer, f"has weights {_kind(weight)}, which must be int8 [O][I]", "quantise the network again")
    if (source.height, source.width) != (1, 1):
        _refuse(layer, f"is fully connected to tensor {layer.input}, a map of {source.height}x{source.width} pixels",
                "put a global average in front of it")
    if weight.shape[1] != source.channels:
        _refuse(layer, f"has weights for {weight.shape[1]} inputs, which do not fit {source.channels} input channels "
                f"of tensor {layer.input}", "weights are [O][I]")
    _check_array(layer, "bias", weight.shape[:1])
    _check_made(layer, Tensor(len(weight), 1, 1), output)


def _check_made(layer: Layer, made: Tensor, output: Tensor) -> None:
    if _size(made) != _size(output):
        _refuse(layer, f"makes {_size(made)}, but its output tensor {layer.output} is declared as {_size(output)}",
                AGAIN)


def _check_whole(layer: Layer, name: str, low: float, high: float) -> None:
    value = getattr(layer, name)
    if not isinstance(value, Integral) or not low <= value <= high:
        _refuse(layer, f"has {name} {value!r}, which must be a whole number {_range(low, high)}", AGAIN)


def _check_array(layer: Layer, name: str, shape: tuple[int, ...]) -> None:
    value = getattr(layer, name)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.shape != shape:
        _refuse(layer, f"has {name} {_kind(value)}, which must be whole numbers [{shape[0]}], one for each output "
                "channel", "quantise the network again")


def _refuse(layer: Layer, cause: str, remedy: str) -> None:
    raise InputError(f"layer {layer.name} {cause}: {remedy}")


def _range(low: float, high: float) -> str:
    if math.isinf(low):
        return "of any size"
    return f"from {low} on" if math.isinf(high) else f"from {low} to {high}"


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} [{']['.join(map(str, value.shape))}]"
    return f"of type {type(value).__name__}"


def _size(tensor: Tensor) -> str:
    return f"{tensor.channels}x{tensor.height}x{tensor.width}"


_RULES = {Convolution: _check_convolution, MaxPool: _check_max_pool, GlobalAverage: _check_average,
          FullyConnected: _check_fully_connected}
