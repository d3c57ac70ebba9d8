"""The integer network: what the quantiser makes, the reference executes and the compiler translates.

A network is a list of layers over named tensors, nothing but integers and strides. Every tensor is int8 with one zero
point, except the raw int32 output of a fully connected layer. `docs/numeric-contract.md` says what each layer computes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from riffle.isa import archive

KIND = "integer network"


@dataclass(frozen=True)
class Tensor:
    """A feature map; a vector has height = width = 1."""

    channels: int
    height: int
    width: int
    zero_point: int = 0


@dataclass(frozen=True)
class Shuffle:
    """Where output channel c goes: (c mod modulus) * step_low + (c div modulus) * step_high."""

    modulus: int
    step_low: int
    step_high: int

    @classmethod
    def paper(cls, channels: int, groups: int) -> Shuffle:
        """Channel shuffle of the ShuffleNet paper: reshape (groups, n), transpose, flatten."""
        return cls(channels // groups, groups, 1)

    @classmethod
    def inverse(cls, channels: int, groups: int) -> Shuffle:
        """Its inverse, which the published V1 code of the authors uses: reshape (n, groups), transpose, flatten."""
        return cls(groups, channels // groups, 1)

    def positions(self, channels: int) -> np.ndarray:
        """Position of each channel, shape [channels]."""
        c = np.arange(channels)
        return c % self.modulus * self.step_low + c // self.modulus * self.step_high

    def canonical(self, channels: int) -> Shuffle | None:
        """The same for so many channels, with steps that no channel takes set to 1; None where all stay in place."""
        if (self.positions(channels) == np.arange(channels)).all():
            return None
        modulus = min(self.modulus, channels)
        return Shuffle(modulus, self.step_low if modulus > 1 else 1, self.step_high if modulus < channels else 1)


@dataclass
class Layer:
    name: str
    input: str
    output: str


@dataclass
class Convolution(Layer):
    """Grouped convolution, kernel 1x1 or 3x3 (padding 1), requantised to int8.

    Output channel c goes to channel `out_channel + shuffle(c)` of the output tensor. With `residual` the tensor of that
    name, which has the output's scale and zero point, is added before the clamp. `stride` 1 or 2.
    """

    weight: np.ndarray  # int8 [O][I / groups][k][k], -127..127
    bias: np.ndarray  # int32 [O], input zero point folded in
    multiplier: np.ndarray  # int32 [O], 0 .. 2^17 - 1
    shift: np.ndarray  # int32 [O], 16 .. 31
    groups: int = 1
    stride: int = 1
    shuffle: Shuffle | None = None
    residual: str | None = None
    out_channel: int = 0  # where in the output tensor this layer's channels begin (concatenation)
    kind: str = "convolution"  # "average_pool" where it is one (weights all 1, groups = channels)

    def places(self) -> np.ndarray:
        """Channel of the output tensor that each output channel goes to, int [O]."""
        outputs = len(self.weight)
        return self.out_channel + (self.shuffle.positions(outputs) if self.shuffle else np.arange(outputs))


@dataclass
class MaxPool(Layer):
    """3x3 maximum, stride 2, padding 1 (never wins)."""


@dataclass
class GlobalAverage(Layer):
    """Sum over all pixels plus bias, requantised; one bias, multiplier and shift for all channels."""

    bias: int
    multiplier: int
    shift: int


@dataclass
class FullyConnected(Layer):
    """Raw int32 sums: bias + weight @ input."""

    weight: np.ndarray  # int8 [O][I], -127..127
    bias: np.ndarray  # int32 [O]


def written_channels(layer: Layer, output: Tensor) -> np.ndarray:
    """Channels of its output tensor that a layer writes, int [n], in the order of its own output channels."""
    return layer.places() if isinstance(layer, Convolution) else np.arange(output.channels)


LAYERS = {cls.__name__: cls for cls in (Convolution, MaxPool, GlobalAverage, FullyConnected)}


@dataclass(repr=False)
class IntegerNetwork:
    """Layers in the order of execution; the first tensor named is the image, the last layer's output the result.

    `input` holds uint8 pixels minus 128 (zero point -128), three channels R, G, B (grey images: the same three times).
    `output_scale` turns the raw int32 result into logits.
    """

    name: str
    input: str
    tensors: dict[str, Tensor]
    layers: list[Layer]
    classes: list[str] = field(default_factory=list)
    output_scale: float = 1.0
    metadata: dict = field(default_factory=dict)  # JSON: accuracy, training seed, ...

    def __repr__(self) -> str:
        image = self.tensors[self.input]
        return (f"<IntegerNetwork: {self.name}, {len(self.layers)} layers, {image.height}x{image.width}x"
                f"{image.channels} to {self.tensors[self.output].channels} channels>")

    @property
    def output(self) -> str:
        return self.layers[-1].output

    def save(self, path: Path | str) -> None:
        """Write one .npz: a JSON header without arrays and the arrays by layer and field."""
        arrays, layers = {}, []
        for index, layer in enumerate(self.layers):
            entry = {"type": type(layer).__name__}
            for f in dataclasses.fields(layer):
                value = getattr(layer, f.name)
                if isinstance(value, np.ndarray):
                    arrays[f"{index}.{f.name}"] = value
                else:
                    entry[f.name] = dataclasses.asdict(value) if isinstance(value, Shuffle) else value
            layers.append(entry)
        header = {
            "name": self.name, "input": self.input, "layers": layers, "classes": self.classes,
            "output_scale": self.output_scale, "metadata": self.metadata,
            "tensors": {name: dataclasses.asdict(t) for name, t in self.tensors.items()},
        }
        archive.write(path, KIND, header, arrays)

    @classmethod
    def load(cls, path: Path | str) -> IntegerNetwork:
        """Read what `save` wrote.

        Raises
        ------
        FileNotFoundError, ValueError
            if there is no file, or it is not an integer network of this format
        """
        header, arrays = archive.read(path, KIND)
        try:
            layers = [_layer(entry, index, arrays) for index, entry in enumerate(header["layers"])]
            return cls(header["name"], header["input"], {k: Tensor(**t) for k, t in header["tensors"].items()}, layers,
                       header["classes"], header["output_scale"], header["metadata"])
        except (KeyError, TypeError, AttributeError) as error:
            raise archive.broken(path, KIND, error) from error


def _layer(entry: dict, index: int, arrays: dict[str, np.ndarray]) -> Layer:
    """A layer from its entry in the header and its arrays."""
    layer_type = LAYERS[entry.pop("type")]
    if entry.get("shuffle"):
        entry["shuffle"] = Shuffle(**entry["shuffle"])
    prefix = f"{index}."
    fields = {key[len(prefix):]: value for key, value in arrays.items() if key.startswith(prefix)}
    return layer_type(**entry, **fields)
