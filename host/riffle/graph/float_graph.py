"""Float networks: layers with weights and batch norms, folding, and a plain forward pass in NumPy."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from riffle.errors import InputError
from riffle.graph.integer_graph import Shuffle
from riffle.graph.layer_spec import LayerSpec, tensor_channels
from riffle.graph.reference import windows
from riffle.isa import archive

KIND = "float network"
PIXEL_SCALE = 1 / 255  # a float network sees pixels as 0 to 1


@dataclass
class FloatNetwork:
    """Layers in the order of execution, and their parameters.

    `parameters` holds for each convolution `<layer>.weight` [O][I / groups][k][k] and its batch norm `<layer>.gamma`,
    `.beta`, `.mean` and `.variance` [O]; for the classifier `.weight` [O][I] and `.bias` [O].
    """

    name: str
    layers: list[LayerSpec]
    parameters: dict[str, np.ndarray]
    classes: list[str] = field(default_factory=list)
    epsilon: float = 1e-5  # of the batch norms
    metadata: dict = field(default_factory=dict)

    def save(self, path: Path | str) -> None:
        """Write one .npz: a JSON header and the parameters."""
        header = {"name": self.name, "layers": [dataclasses.asdict(layer) for layer in self.layers],
                  "classes": self.classes, "epsilon": self.epsilon, "metadata": self.metadata}
        archive.write(path, KIND, header, self.parameters)

    @classmethod
    def load(cls, path: Path | str) -> FloatNetwork:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            if there is no file, or it is not a float network of this format
        """
        header, parameters = archive.read(path, KIND)
        try:
            layers = [LayerSpec(**entry | {"size": tuple(entry["size"]),
                                           "shuffle": Shuffle(**entry["shuffle"]) if entry["shuffle"] else None})
                      for entry in header["layers"]]
            return cls(header["name"], layers, parameters, header["classes"], header["epsilon"], header["metadata"])
        except (KeyError, TypeError, AttributeError) as error:
            raise archive.broken(path, KIND, error) from error


@dataclass
class Folded:
    """Weights and biases of a layer after folding."""

    weight: np.ndarray  # float64 [O][I / groups][k][k]
    bias: np.ndarray  # float64 [O]


def fold(network: FloatNetwork) -> dict[str, Folded]:
    """Fold the batch norms into weights and biases, by layer name.

    Raises
    ------
    ValueError
        if a parameter is missing or has the wrong shape
    """
    result = {}
    for spec in network.layers:
        if not spec.weights:
            continue
        shape = spec.out_channels, spec.in_channels // spec.groups, spec.kernel, spec.kernel
        if spec.kind == "fully_connected":
            weight = _parameter(network, spec, "weight", shape[:2])
            result[spec.name] = Folded(weight[:, :, None, None], _parameter(network, spec, "bias", shape[:1]))
            continue
        weight = _parameter(network, spec, "weight", shape)
        gamma, beta, mean, variance = (
            _parameter(network, spec, name, shape[:1]) for name in ("gamma", "beta", "mean", "variance"))
        factor = gamma / np.sqrt(variance + network.epsilon)
        result[spec.name] = Folded(weight * factor[:, None, None, None], beta - mean * factor)
    return result


def run(specs: list[LayerSpec], folded: dict[str, Folded], images: np.ndarray) -> dict[str, np.ndarray]:
    """Forward pass of a batch.

    Parameters
    ----------
    images
        uint8 [N][H][W] or [N][H][W][3]

    Returns
    -------
    every tensor by name, float64 [N][C][H][W]
    """
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, 3)
    tensors = {specs[0].input: images.transpose(0, 3, 1, 2) * PIXEL_SCALE}
    for spec in specs:
        maps = _forward(spec, folded.get(spec.name), tensors)
        whole = tensors.get(spec.output)
        if whole is None:
            channels = tensor_channels(specs, spec.output)
            whole = tensors[spec.output] = np.zeros((len(images), channels, *spec.out_size))
        whole[:, spec.places()] = maps
    return tensors


def _forward(spec: LayerSpec, layer: Folded | None, tensors: dict[str, np.ndarray]) -> np.ndarray:
    maps = tensors[spec.input]
    if spec.kind == "max_pool":
        return np.max(list(windows(maps, 3, 2, -np.inf)), axis=0)
    if spec.kind == "average_pool":
        return sum(windows(maps, 3, 2, 0)) / 9
    if spec.kind == "global_average":
        return maps.mean((2, 3), keepdims=True)
    by_tap = layer.weight.reshape(spec.groups, spec.out_channels // spec.groups, spec.in_channels // spec.groups, -1)
    total = layer.bias[:, None, None]
    for tap, seen in enumerate(windows(maps, spec.kernel, spec.stride, 0)):
        part = by_tap[..., tap] @ seen.reshape(len(maps), spec.groups, spec.in_channels // spec.groups, -1)
        total = total + part.reshape(len(maps), spec.out_channels, *spec.out_size)
    if spec.residual:
        total = total + tensors[spec.residual]
    return np.maximum(total, 0) if spec.relu else total


def _parameter(network: FloatNetwork, spec: LayerSpec, name: str, shape: tuple[int, ...]) -> np.ndarray:
    value = network.parameters.get(f"{spec.name}.{name}")
    if value is None or value.shape != shape:
        found = "is missing" if value is None else f"has shape {value.shape}"
        raise InputError(f"parameter {spec.name}.{name} {found}, but {network.name} needs {shape}: the "
                         "parameters belong to another network")
    return value.astype(np.float64)
