"""From layers to steps: which layers are fused, and in which order they run.

A step is one layer, or a convolution and the layer behind it: a 1x1 convolution and the depthwise convolution that
reads it, or a convolution and the maximum pool that reads it. Those two run slice by slice through a temporary, so that
the tensor between them never exists as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from riffle.errors import CompileError
from riffle.graph.integer_graph import Convolution, IntegerNetwork, Layer, MaxPool


@dataclass(frozen=True)
class Step:
    """`layer`, and the convolution that is fused in front of it."""

    layer: Layer
    before: Convolution | None = None

    @property
    def name(self) -> str:
        return f"{self.before.name} + {self.layer.name}" if self.before else self.layer.name

    @property
    def input(self) -> str:
        return (self.before or self.layer).input

    @property
    def residual(self) -> str | None:
        return getattr(self.layer, "residual", None)


def is_depthwise(layer: Layer) -> bool:
    """3x3, one input channel for each output channel (an average pool is one, too)."""
    return isinstance(layer, Convolution) and layer.weight.shape[1:] == (1, 3, 3) and layer.groups == len(layer.weight)


def is_average_pool(layer: Layer) -> bool:
    return is_depthwise(layer) and layer.kind == "average_pool"


def can_fuse(first: Layer, second: Layer) -> bool:
    """Whether `first` may run slice by slice in front of its only reader."""
    if not isinstance(first, Convolution) or is_depthwise(first) or first.residual or first.out_channel:
        return False
    if isinstance(second, MaxPool):
        return first.groups == 1 and not first.shuffle
    if not is_depthwise(second) or is_average_pool(second):
        return False
    # the shuffle moves to the depthwise convolution's output, which then has no place for another one
    return not (first.shuffle and (second.shuffle or second.residual))


def make_steps(network: IntegerNetwork) -> list[Step]:
    """The steps of a consistent network in the order of execution.

    Raises
    ------
    CompileError
        if a layer reads a tensor after it is overwritten
    """
    _check_order(network)
    layers = _pools_before_concatenation(network)
    readers = {name: [x for x in layers if name in _reads(x)] for name in network.tensors}
    writers = {name: [x for x in layers if x.output == name] for name in network.tensors}
    fused = {}
    for index, layer in enumerate(layers):
        after = readers[layer.output]
        only = len(after) == 1 and len(writers[layer.output]) == 1 and layer.output != network.output
        if only and after[0].input == layer.output and can_fuse(layer, after[0]):
            if not _overwritten(layer.input, layers[index:layers.index(after[0]) + 1]):
                fused[after[0].name] = layer
    hidden = {layer.name for layer in fused.values()}
    return [Step(layer, fused.get(layer.name)) for layer in layers if layer.name not in hidden]


def _reads(layer: Layer) -> list[str]:
    return [name for name in (layer.input, getattr(layer, "residual", None)) if name]


def _overwritten(name: str, layers: list[Layer]) -> bool:
    """Whether one of the layers adds something onto a tensor in its place."""
    return any(getattr(layer, "residual", None) == name for layer in layers)


def _pools_before_concatenation(network: IntegerNetwork) -> list[Layer]:
    """Layers with the average pool of a stride-2 unit directly before the convolution that completes the tensor.

    There the unit's input is needed no longer than the pool runs, and the pool's output not earlier than it must.
    """
    layers = list(network.layers)
    for pool in filter(is_average_pool, network.layers):
        others = [x for x in network.layers if x.output == pool.output and not is_average_pool(x)]
        if others:
            rest = [x for x in layers if x is not pool]
            place = min(rest.index(x) for x in others)
            written = pool.input not in {x.output for x in rest[place:]}
            if written and not _overwritten(pool.input, rest[:place]):
                layers = rest[:place] + [pool] + rest[place:]
    return layers


def _check_order(network: IntegerNetwork) -> None:
    overwritten: dict[str, str] = {}
    for layer in network.layers:
        for name in _reads(layer):
            if name in overwritten:
                raise CompileError(f"layer {layer.name} reads tensor {name}, onto which layer {overwritten[name]} has "
                                   "added its output: only the sum exists by then: put it in front of that layer")
        if residual := getattr(layer, "residual", None):
            overwritten[residual] = layer.name
