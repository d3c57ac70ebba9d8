"""An integer network becomes an hls4ml model: each layer one of ours, concatenations hls4ml's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from riffle.errors import ConversionError
from riffle.export.hls4ml.register import import_hls4ml
from riffle.graph.bounds import prove
from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    Layer,
    MaxPool,
    Shuffle,
    Tensor,
)

if TYPE_CHECKING:
    from hls4ml.model import ModelGraph

PART = "xc7z020clg400-1"
PROJECT = "shufflenet"  # also the name of the top function
DSPS = 220  # of that part
IO_TYPES = ("io_stream", "io_parallel")
INT8, SUM = "ap_int<8>", "ap_int<25>"
PRECISIONS = {"weight": INT8, "bias": SUM, "accum": SUM, "multiplier": "ap_uint<17>", "shift": "ap_uint<5>"}
NO_SHUFFLE = {"modulus": 1, "step_low": 1, "step_high": 1}


def convert(network: IntegerNetwork, output: Path | str, io_type: str = "io_stream", *, backend: str = "Vitis",
            part: str = PART, clock_ns: float = 10, reuse: int | None = None) -> ModelGraph:
    """The hls4ml model of an integer network, weights included.

    `model.write()` writes the project, `model.compile()` its C simulation, whose `predict` takes the input tensor,
    float32 [N][H][W][C] of int8 values, and gives the output's integers.

    Parameters
    ----------
    output
        folder of the project
    io_type
        "io_stream" or "io_parallel"
    reuse
        how often a multiplier is used for each pixel, hls4ml's reuse factor; by default as often as the DSPs of an
        XC7Z020 ask for

    Raises
    ------
    ConversionError
        if a layer is of a kind that has no counterpart; nothing is written
    RiffleError
        if hls4ml is not installed
    """
    import_hls4ml()
    from hls4ml.backends import get_backend
    from hls4ml.model import ModelGraph

    if io_type not in IO_TYPES:
        raise ConversionError(f"io_type is {io_type!r}, but must be one of {', '.join(IO_TYPES)}")
    prove(network)
    graph = _Graph(network)
    for layer in network.layers:
        graph.add(layer)
    last = graph.tensor(network.output, "the output")
    config = get_backend(backend).create_initial_config(part=part, io_type=io_type, clock_period=clock_ns)
    config |= {"OutputDir": str(output), "ProjectName": PROJECT, "Backend": backend,
               "HLSConfig": {"Model": _model(reuse or graph.reuse()), "LayerName": graph.precisions}}
    return ModelGraph.from_layer_list(config, graph.layers, [graph.layers[0]["name"]], [last])


def _model(reuse: int) -> dict:
    """Settings for all layers, as hls4ml takes them."""
    return {"Precision": {"default": INT8}, "ReuseFactor": reuse, "Strategy": "Latency", "BramFactor": 10**9,
            "TraceOutput": False}


class _Graph:
    """hls4ml's list of layers, as it grows."""

    def __init__(self, network: IntegerNetwork):
        self.described, self.names = network.tensors, {}
        self.layers, self.precisions, self.multiplications = [], {}, []
        self.parts: dict[str, list[tuple[int, int, str]]] = {}  # tensor: first channel, channels, layer that makes them
        self.made: dict[str, str] = {}  # tensor: layer that makes all of it
        tensor = network.tensors[network.input]
        name = self._append("image", "InputLayer", [], INT8, input_shape=[tensor.height, tensor.width, tensor.channels])
        self.made[network.input] = name

    def reuse(self) -> int:
        """Smallest reuse factor with which about as many multipliers are needed as there are DSPs."""
        return max(1, -(-sum(self.multiplications) // DSPS))

    def add(self, layer: Layer) -> None:
        """Append what computes a layer, and note what it makes."""
        source = self.tensor(layer.input, f"layer {layer.name}")
        add = {Convolution: self._convolution, MaxPool: self._max_pool, GlobalAverage: self._global_average,
               FullyConnected: self._fully_connected}.get(type(layer))
        if add is None:
            raise ConversionError(f"layer {layer.name} is a {type(layer).__name__}, which has no counterpart in hls4ml")
        made = add(layer, source, self.described[layer.input], self.described[layer.output])
        channels = len(layer.weight) if isinstance(layer, Convolution) else self.described[layer.output].channels
        self.parts.setdefault(layer.output, []).append((getattr(layer, "out_channel", 0), channels, made))

    def tensor(self, name: str, reader: str) -> str:
        """Layer that makes a whole tensor; its parts are concatenated when it is first read."""
        if name in self.made:
            return self.made[name]
        parts, tensor, at = sorted(self.parts.get(name, [])), self.described[name], 0
        for first, channels, _ in parts:
            if first != at:
                raise ConversionError(f"{reader} reads {name}, whose channel {min(first, at)} is made twice or never")
            at += channels
        if at != tensor.channels:
            raise ConversionError(f"{reader} reads {name}, of whose {tensor.channels} channels {at} are made")
        made = parts[0][2]
        for number, (_, _, part) in enumerate(parts[1:]):
            made = self._append(f"{name}_concat{number}", "Concatenate", [made, part], INT8, axis=3, op="concatenate3d")
        self.made[name] = made
        return made

    def _append(self, name: str, kind: str, inputs: list[str], result: str, **attributes: object) -> str:
        stem = re.sub(r"\W", "_", name)
        stem = stem if stem[:1].isalpha() and stem != "input" else f"layer_{stem}"
        taken = {layer["name"] for layer in self.layers}
        name = next(n for n in (stem, *(f"{stem}_{i}" for i in range(len(taken) + 1))) if n not in taken)
        self.layers.append({"name": name, "class_name": kind, "inputs": inputs, **attributes} if inputs else
                           {"name": name, "class_name": kind, **attributes})
        self.precisions[name] = {"Precision": {"result": result} | (PRECISIONS if inputs else {})}
        return name

    def _convolution(self, layer: Convolution, source: str, seen: Tensor, output: Tensor) -> str:
        outputs, per_group, kernel, _ = layer.weight.shape
        sizes = {"n_in": seen.channels, "n_out": outputs}
        arrays = {"weight_data": layer.weight.astype(np.float64), "bias_data": layer.bias.astype(np.float64)}
        if kernel == 1:
            if layer.stride != 1:
                raise ConversionError(f"layer {layer.name} is a 1x1 convolution with stride {layer.stride}, only "
                                      "stride 1 can be converted")
            self.multiplications.append(per_group * outputs)
            sums = self._append(f"{layer.name}_sums", "GroupedPointwiseConv2D", [source], SUM, groups=layer.groups,
                                n_pixels=seen.height * seen.width, **sizes, **arrays, **NO_SHUFFLE)
            return self._requantise(layer, sums, output)
        depthwise = layer.groups == seen.channels == outputs
        if kernel != 3 or not (depthwise or layer.groups == 1):
            raise ConversionError(f"layer {layer.name} is a {kernel}x{kernel} convolution of {seen.channels} to "
                                  f"{outputs} channels in {layer.groups} groups, only depthwise or one group can "
                                  "be converted")
        kind = "Depthwise3x3" if depthwise else "Convolution3x3"
        if depthwise and (layer.weight == 1).all() and len(set(layer.bias)) == 1:
            kind, arrays = "SumPool3x3", {"start": int(layer.bias[0])}
        else:
            self.multiplications.append(layer.weight.size)
        sums = self._window(f"{layer.name}_sums", kind, source, seen, seen.zero_point, layer.stride, SUM, **sizes,
                            **arrays)
        return self._requantise(layer, sums, output)

    def _window(self, name: str, kind: str, source: str, seen: Tensor, fill: int, stride: int, result: str,
                **attributes: object) -> str:
        return self._append(name, kind, [source], result, n_pixels=seen.height * seen.width, height=seen.height,
                            width=seen.width, stride=stride, fill=fill, **attributes)

    def _requantise(self, layer: Convolution, sums: str, output: Tensor) -> str:
        """Requantisation, residual and shuffle behind the sums of a convolution."""
        outputs, shuffle = len(layer.weight), layer.shuffle
        if shuffle and (shuffle.positions(outputs) == np.arange(outputs)).all():
            shuffle = None
        inputs = [sums]
        if layer.residual:
            if shuffle or self.described[layer.residual].channels != outputs:
                raise ConversionError(f"layer {layer.name} adds {layer.residual} to shuffled or other channels, which "
                                      "cannot be converted")
            inputs.append(self.tensor(layer.residual, f"layer {layer.name}"))
        made = self._scale(layer.name, inputs, output, outputs, layer.multiplier, layer.shift)
        if shuffle:
            self._check_shuffle(layer.name, shuffle, outputs)
            made = self._append(f"{layer.name}_shuffle", "ChannelShuffle", [made], INT8, n_out=outputs,
                                n_pixels=output.height * output.width, modulus=shuffle.modulus,
                                step_low=shuffle.step_low, step_high=shuffle.step_high)
        return made

    def _scale(self, name: str, inputs: list[str], output: Tensor, channels: int, multiplier: np.ndarray | int,
               shift: np.ndarray | int) -> str:
        self.multiplications.append(channels)
        arrays = {f"{key}_data": np.broadcast_to(np.asarray(value, np.float64), channels).copy()
                  for key, value in (("multiplier", multiplier), ("shift", shift))}
        return self._append(name, "Requantise", inputs, INT8, n_pixels=output.height * output.width, n_out=channels,
                            zero_point=output.zero_point, **NO_SHUFFLE, **arrays)

    def _check_shuffle(self, name: str, shuffle: Shuffle, channels: int) -> None:
        modulus, low, high = shuffle.modulus, shuffle.step_low, shuffle.step_high
        if channels % modulus or high != 1 or low * modulus != channels:
            raise ConversionError(f"layer {name} shuffles {channels} channels by {modulus}, {low}, {high}, which is no "
                                  "transposition and cannot be converted")

    def _max_pool(self, layer: MaxPool, source: str, seen: Tensor, output: Tensor) -> str:
        return self._window(layer.name, "MaxPool3x3", source, seen, -128, 2, INT8, n_in=seen.channels,
                            n_out=seen.channels)

    def _global_average(self, layer: GlobalAverage, source: str, seen: Tensor, output: Tensor) -> str:
        sums = self._append(f"{layer.name}_sums", "GlobalSum", [source], SUM, n_pixels=seen.height * seen.width,
                            n_out=seen.channels, start=layer.bias)
        return self._scale(layer.name, [sums], output, seen.channels, layer.multiplier, layer.shift)

    def _fully_connected(self, layer: FullyConnected, source: str, seen: Tensor, output: Tensor) -> str:
        self.multiplications.append(layer.weight.size)
        if (seen.height, seen.width) != (1, 1):
            raise ConversionError(f"layer {layer.name} is fully connected to a map of {seen.height}x{seen.width}, only "
                                  "a vector can be converted")
        return self._append(layer.name, "GroupedPointwiseConv2D", [source], SUM, n_pixels=1, groups=1,
                            n_in=seen.channels, n_out=len(layer.weight), weight_data=layer.weight.astype(np.float64),
                            bias_data=layer.bias.astype(np.float64), **NO_SHUFFLE)
