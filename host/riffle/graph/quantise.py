"""From a float network to an integer network: folding, calibration, scales, and the proof of every sum.

Weights are symmetric with a scale per output channel. Activations have a scale per tensor, found by least squared
error over calibration images; tensors that are added or pooled into each other share one. After a ReLU the zero point
is -128 (all 256 steps for values from 0), otherwise 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riffle.errors import InputError
from riffle.graph import float_graph
from riffle.graph.bounds import ACCUMULATOR_LIMIT, layer_worst_sums, multiplier_and_shift, prove, worst_sums
from riffle.graph.float_graph import PIXEL_SCALE, FloatNetwork, Folded
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

CLIPS = np.linspace(0.2, 1.0, 81)  # shares of the largest value that calibration tries as the end of the range
SAMPLES = 200_000  # values of a tensor that calibration looks at
BATCH = 64


def quantise(network: FloatNetwork, images: np.ndarray) -> IntegerNetwork:
    """Quantise a network.

    Parameters
    ----------
    images
        for calibration, uint8 [N][H][W] or [N][H][W][3]: a few hundred of those it was trained on

    Returns
    -------
    the integer network; `metadata["quantisation"]` has for each layer the scale of its output, the largest possible
    |sum| and the number of channels that had to be rescaled to stay below 2^24

    Raises
    ------
    ValueError
        if there are no images, or parameters do not fit the layers
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or not len(images):
        raise InputError(f"calibration images are {images.dtype} {images.shape}, but must be uint8 [N][H][W] or "
                         "[N][H][W][3], N at least 1")
    specs = network.layers
    folded = float_graph.fold(network)
    scales = calibrate(specs, folded, images)
    result = IntegerNetwork(network.name, specs[0].input, _tensors(specs), [], list(network.classes))
    report = {}
    for spec in specs:
        layer, rescaled = _layer(spec, folded.get(spec.name), scales, result.tensors)
        result.layers.append(layer)
        worst = layer_worst_sums(layer, spec.size[0] * spec.size[1])
        report[spec.name] = {"scale": scales[spec.output], "worst_sum": int(worst.max(initial=0)), "rescaled": rescaled}
    result.output_scale = scales[result.output]
    result.metadata = {"calibration_images": len(images), "quantisation": report}
    prove(result)
    return result


def calibrate(specs: Sequence[LayerSpec], folded: dict[str, Folded], images: np.ndarray) -> dict[str, float]:
    """Scale of every tensor by name, the raw output's excepted."""
    groups = shared_scales(specs)
    samples: dict[str, list[np.ndarray]] = {group: [] for group in groups.values()}
    rng = np.random.default_rng(0)
    for first in range(0, len(images), BATCH):
        batch = images[first:first + BATCH]
        for name, maps in float_graph.run(list(specs), folded, batch).items():
            if name in groups:
                count = max(SAMPLES * len(batch) // len(images), 1)
                samples[groups[name]].append(rng.choice(maps.ravel(), min(count, maps.size), replace=False))
    signed = {groups[s.output] for s in specs if s.output in groups and zero_point(s) != -128}
    scale = {g: best_scale(np.concatenate(values), g in signed) for g, values in samples.items()}
    scale[groups[specs[0].input]] = PIXEL_SCALE
    return {name: scale[group] for name, group in groups.items()}


def shared_scales(specs: Sequence[LayerSpec]) -> dict[str, str]:
    """Tensor names to the name that stands for all tensors of the same scale: residual sums and maximum pools."""
    groups = {specs[0].input: specs[0].input}
    groups |= {spec.output: spec.output for spec in specs if spec.kind != "fully_connected"}
    for spec in specs:
        other = spec.input if spec.kind == "max_pool" else spec.residual
        if other:
            old, new = groups[spec.output], groups[other]
            groups = {name: new if group == old else group for name, group in groups.items()}
    return groups


def best_scale(values: np.ndarray, signed: bool) -> float:
    """Scale with the least squared error of values in 256 steps, from 0 or (`signed`) around it."""
    low, high = (-128, 127) if signed else (0, 255)
    largest = np.abs(values).max(initial=0)
    if largest == 0:  # nothing ever comes: any scale does
        return 1.0
    scales = CLIPS * largest / high
    errors = [np.square(np.clip(np.rint(values / s), low, high) * s - values).mean() for s in scales]
    return float(scales[int(np.argmin(errors))])


def zero_point(spec: LayerSpec) -> int:
    """Zero point of a layer's output: values that cannot be negative use all 256 steps."""
    return -128 if spec.relu or spec.kind in ("max_pool", "global_average") else 0


def average_pool(spec: LayerSpec, zero: int, scale_ratio: float) -> Convolution:
    """A 3x3/2 average pool (padding counted: always a ninth of the sum) as a depthwise convolution.

    Parameters
    ----------
    zero
        zero point of the input
    scale_ratio
        scale of the input over scale of the output
    """
    channels = spec.in_channels
    multiplier, shift = multiplier_and_shift(scale_ratio / 9)
    return Convolution(
        spec.name, spec.input, spec.output, np.ones((channels, 1, 3, 3), np.int8),
        np.full(channels, -9 * zero, np.int32), np.full(channels, multiplier, np.int32),
        np.full(channels, shift, np.int32), channels, spec.stride, out_channel=spec.out_channel, kind="average_pool")


def integer_weights(folded: Folded, in_scale: float, zero: int,
                    per_channel: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Weights and biases that keep every sum below 2^24.

    Parameters
    ----------
    in_scale, zero
        scale and zero point of the input
    per_channel
        a scale for each output channel; otherwise the same for all

    Returns
    -------
    weight int8 [O][I][k][k], bias int32 [O] with the zero point folded in, scale of the weights float [O], number of
    channels whose weights use fewer steps than 127 because the sum would not fit
    """
    largest = np.abs(folded.weight).max((1, 2, 3))
    largest = largest if per_channel else np.full_like(largest, largest.max())
    # a channel without weights still has a bias: any scale does that keeps it in range
    finest = np.where(largest > 0, largest / 127, np.maximum(np.abs(folded.bias), 1) / (in_scale * 2**16))
    scale = finest.copy()
    while True:
        weight = np.rint(folded.weight / scale[:, None, None, None]).astype(np.int64)
        bias = np.rint(folded.bias / (in_scale * scale)).astype(np.int64) - zero * weight.sum((1, 2, 3))
        worst = worst_sums(weight, bias)
        if worst.max() < ACCUMULATOR_LIMIT:
            rescaled = int((scale > finest).sum())
            return weight.astype(np.int8), bias.astype(np.int32), scale, rescaled
        excess = np.maximum(worst / ACCUMULATOR_LIMIT * 1.01, 1)  # a little more, for rounding
        scale *= np.where(worst >= ACCUMULATOR_LIMIT, excess, 1) if per_channel else excess.max()


def _tensors(specs: Sequence[LayerSpec]) -> dict[str, Tensor]:
    tensors = {specs[0].input: Tensor(specs[0].in_channels, *specs[0].size, -128)}
    for spec in specs:
        channels = tensor_channels(specs, spec.output)
        tensors[spec.output] = Tensor(channels, *spec.out_size, zero_point(spec))
    return tensors


def _layer(spec: LayerSpec, folded: Folded | None, scales: dict[str, float],
           tensors: dict[str, Tensor]) -> tuple[Layer, int]:
    """The integer layer, and how many channels had to be rescaled. Adds the raw output's scale to `scales`."""
    names, in_scale, zero = (spec.name, spec.input, spec.output), scales[spec.input], tensors[spec.input].zero_point
    if spec.kind == "max_pool":
        return MaxPool(*names), 0
    if spec.kind == "fully_connected":
        weight, bias, scale, rescaled = integer_weights(folded, in_scale, zero, per_channel=False)
        scales[spec.output] = float(in_scale * scale[0])
        return FullyConnected(*names, weight[:, :, 0, 0], bias), rescaled
    ratio = in_scale / scales[spec.output]
    if spec.kind == "average_pool":
        return average_pool(spec, zero, ratio), 0
    if spec.kind == "global_average":
        pixels = spec.size[0] * spec.size[1]
        return GlobalAverage(*names, -pixels * zero, *multiplier_and_shift(ratio / pixels)), 0
    weight, bias, scale, rescaled = integer_weights(folded, in_scale, zero)
    multiplier, shift = np.array([multiplier_and_shift(f) for f in ratio * scale], np.int32).T
    return Convolution(*names, weight, bias, multiplier.copy(), shift.copy(), spec.groups, spec.stride, spec.shuffle,
                       spec.residual, spec.out_channel), rescaled
