"""The same integer network on this machine's processor, to time beside the accelerator's cycles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riffle.graph import reference
from riffle.graph.integer_graph import Convolution, FullyConnected, GlobalAverage, IntegerNetwork, Layer, MaxPool

if TYPE_CHECKING:
    import torch


@dataclass
class Baseline:
    """`what` computed an image in `milliseconds` (fastest of some); whether the result was the reference's."""

    what: str
    milliseconds: float
    exact: bool


def measure(network: IntegerNetwork, image: np.ndarray, times: int = 3) -> tuple[list[Baseline], list[str]]:
    """Time every implementation that is installed.

    Returns
    -------
    what was measured, and a sentence for each that is missing
    """
    expected = reference.run(network, image)[network.output]
    runners: dict[str, Callable[[], np.ndarray]] = {
        "NumPy reference, int64, one thread": lambda: reference.run(network, image)[network.output]}
    missing = []
    try:
        import torch
    except ImportError:
        missing.append("PyTorch is not installed and was not measured: pip install torch")
    else:
        own = TorchNetwork(network)
        runners[f"PyTorch {torch.__version__}, float32 on the same integers, {torch.get_num_threads()} threads"] = (
            lambda: own.run(image))
    result = []
    for what, runner in runners.items():
        exact, best = np.array_equal(runner(), expected), float("inf")
        for _ in range(times):
            begin = time.perf_counter()
            runner()
            best = min(best, time.perf_counter() - begin)
        result.append(Baseline(what, 1e3 * best, exact))
    return result, missing


class TorchNetwork:
    """An integer network in PyTorch. Sums are float32, which is exact: the quantiser keeps them below 2^24."""

    def __init__(self, network: IntegerNetwork):
        import torch
        self.network = network
        self.weights = {layer.name: torch.from_numpy(layer.weight.astype(np.float32)) for layer in network.layers
                        if isinstance(layer, (Convolution, FullyConnected))}
        self.biases = {layer.name: torch.as_tensor(np.asarray(layer.bias, np.float32)) for layer in network.layers
                       if not isinstance(layer, MaxPool)}
        self.scales = {layer.name: [torch.as_tensor(np.asarray(value, np.int64)).reshape(-1, 1, 1)
                                    for value in (layer.multiplier, layer.shift)]
                       for layer in network.layers if isinstance(layer, (Convolution, GlobalAverage))}

    def run(self, image: np.ndarray) -> np.ndarray:
        """Arguments and result as `reference.run` for the network's output."""
        import torch
        tensors = {self.network.input: torch.from_numpy(
            reference.input_tensor(self.network, image).astype(np.float32))}
        with torch.inference_mode():
            for layer in self.network.layers:
                self.execute(layer, tensors)
        kind = np.int32 if isinstance(self.network.layers[-1], FullyConnected) else np.int8
        return tensors[self.network.output].numpy().astype(kind)

    def execute(self, layer: Layer, tensors: dict[str, torch.Tensor]) -> None:
        import torch
        from torch.nn import functional
        maps, tensor = tensors[layer.input], self.network.tensors[layer.output]
        if isinstance(layer, MaxPool):
            tensors[layer.output] = functional.max_pool2d(maps, 3, 2, 1)
        elif isinstance(layer, FullyConnected):
            sums = self.weights[layer.name] @ maps.reshape(-1) + self.biases[layer.name]
            tensors[layer.output] = sums.reshape(-1, 1, 1)
        elif isinstance(layer, GlobalAverage):
            sums = maps.sum((1, 2), keepdim=True) + self.biases[layer.name]
            tensors[layer.output] = self.scaled(layer, sums, tensor.zero_point)
        else:
            margin, fill = layer.weight.shape[2] // 2, self.network.tensors[layer.input].zero_point
            padded = functional.pad(maps, (margin,) * 4, value=float(fill)) if margin else maps
            sums = functional.conv2d(padded[None], self.weights[layer.name], self.biases[layer.name], layer.stride,
                                     groups=layer.groups)[0]
            residual = tensors[layer.residual][self.places(layer)].to(torch.int64) if layer.residual else None
            result = self.scaled(layer, sums, tensor.zero_point if residual is None else residual)
            if layer.output not in tensors:
                tensors[layer.output] = torch.zeros(tensor.channels, *result.shape[1:])
            tensors[layer.output][self.places(layer)] = result

    def scaled(self, layer: Layer, sums: torch.Tensor, offset: torch.Tensor | int) -> torch.Tensor:
        import torch
        multiplier, shift = self.scales[layer.name]
        values = sums.to(torch.int64) * multiplier + (1 << (shift - 1)) >> shift
        return (values + offset).clamp(-128, 127).to(torch.float32)

    def places(self, layer: Convolution) -> torch.Tensor:
        import torch
        outputs = len(layer.weight)
        order = layer.shuffle.positions(outputs) if layer.shuffle else np.arange(outputs)
        return torch.from_numpy(layer.out_channel + order)
