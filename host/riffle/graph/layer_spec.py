"""One layer of a network as data: what it reads and writes, its shape and its cost. No weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from riffle.graph.integer_graph import Shuffle


@dataclass(frozen=True)
class LayerSpec:
    """One layer: what it reads and writes, and its shape.

    `kind` is convolution, pointwise, depthwise, average_pool, max_pool, global_average or fully_connected.
    """

    name: str
    kind: str
    input: str
    output: str
    in_channels: int
    out_channels: int
    size: tuple[int, int]  # height and width of the input
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    relu: bool = False
    shuffle: Shuffle | None = None  # of the output's channels
    residual: str | None = None  # tensor added before the ReLU
    out_channel: int = 0  # where in the output tensor the channels begin

    @property
    def out_size(self) -> tuple[int, int]:
        if self.kind in ("global_average", "fully_connected"):
            return 1, 1
        return -(-self.size[0] // self.stride), -(-self.size[1] // self.stride)

    def places(self) -> np.ndarray:
        """Channel of the output tensor that each output channel goes to, int [O]."""
        outputs = self.out_channels
        return self.out_channel + (self.shuffle.positions(outputs) if self.shuffle else np.arange(outputs))

    @property
    def weights(self) -> int:
        """Number of trained weights; pools have none."""
        if self.kind in ("average_pool", "max_pool", "global_average"):
            return 0
        return self.out_channels * (self.in_channels // self.groups) * self.kernel**2

    @property
    def parameters(self) -> int:
        """Weights, and one bias per output channel, into which batch norm folds."""
        return self.weights and self.weights + self.out_channels

    @property
    def macs(self) -> int:
        """Multiply-accumulates with weights, as the paper counts FLOPs; pools and additions do not count."""
        return self.weights * self.out_size[0] * self.out_size[1]


def tensor_channels(specs: Iterable[LayerSpec], name: str) -> int:
    """Channels of a tensor: up to the last one that a layer writes."""
    return 1 + max(int(spec.places().max()) for spec in specs if spec.output == name)
