"""ShuffleNet V1 as a list of layers: shapes, groups, multiply-accumulates. No weights.

Two things were published in two ways, and both are here:

* The bottleneck of a unit with stride 2 (where the unit's output is a concatenation of the pooled input and a branch):
  "output" takes a quarter of the unit's output channels, as the authors' code does; "branch" a quarter of the channels
  that the branch adds, as the widespread Caffe model does (1x, g = 3: 60 or 54 in the first unit).
* The channel shuffle: "paper" as the paper describes it, "inverse" as the authors' code has it.

Parameters from elsewhere fit these shapes and are still those of another network:

* The Caffe model has these numbers of channels with "branch", but its pools have no padding and round sizes up: other
  pixels meet, so its parameters give other results here.
* The authors' code shuffles behind the depthwise convolution, this one before it. Their parameters load, and give
  nonsense, unless the channels of each depthwise convolution (weights and batch norm) are put where the shuffle moves
  them: `new[shuffle.positions(channels)] = old` (decision 0003).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from riffle.errors import InputError
from riffle.graph.integer_graph import Shuffle
from riffle.graph.layer_spec import LayerSpec

STAGE2_CHANNELS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}  # at 1x, by groups: table 1 of the paper
STEM_CHANNELS = 24

# Million multiply-accumulates that the paper gives, by (groups, scale)
PAPER_MFLOPS = {(1, 1.0): 143, (2, 1.0): 140, (3, 1.0): 137, (4, 1.0): 133, (8, 1.0): 137, (3, 0.5): 38, (3, 2.0): 524}


@dataclass(frozen=True)
class Architecture:
    """A ShuffleNet V1.

    The stem is a 3x3 convolution with stride 2 and a max pool for ImageNet, or, for small images, a 3x3 convolution
    with stride 1 alone (`stem` "small"). `repeats` has the number of units of each stage, so also how many stages.
    """

    groups: int = 3
    scale: float = 1.0
    image: tuple[int, int] = (224, 224)  # height, width
    classes: int = 1000
    repeats: tuple[int, ...] = (4, 8, 4)
    stem: str = "imagenet"
    bottleneck: str = "output"
    shuffle: str = "paper"  # or "inverse", "none"
    pool_first: bool = True  # in the concatenation

    def __post_init__(self):
        _check_choice("groups", self.groups, tuple(STAGE2_CHANNELS))
        _check_choice("stem", self.stem, ("imagenet", "small"))
        _check_choice("bottleneck", self.bottleneck, ("output", "branch"))
        _check_choice("shuffle", self.shuffle, ("paper", "inverse", "none"))
        if not self.scale > 0:
            raise InputError(f"scale is {self.scale}, but must be positive: give 0.25, 0.5, 1, ...")

    @property
    def name(self) -> str:
        return f"shufflenet_v1 g{self.groups} {self.scale:g}x"

    @property
    def stem_channels(self) -> int:
        """24 times scale, rounded up to something that the groups share evenly."""
        return _up(int(STEM_CHANNELS * self.scale), self.groups)

    def stage_channels(self, stage: int) -> int:
        """Output channels of stage 2, 3, ...; rounded down to where a quarter can be shared by the groups."""
        unit = 4 * self.groups
        return max(int(STAGE2_CHANNELS[self.groups] * self.scale) // unit, 1) * unit * 2 ** (stage - 2)

    def layers(self) -> list[LayerSpec]:
        """All layers in order of execution."""
        return list(self._layers())

    def unit(self, stage: int, number: int) -> list[LayerSpec]:
        """The layers of one unit, `number` from 1; unit 1 has stride 2.

        Raises
        ------
        ValueError
            if there is no such unit
        """
        prefix = f"stage{stage}.unit{number}."
        result = [layer for layer in self.layers() if layer.name.startswith(prefix)]
        if not result:
            raise InputError(f"{self.name} has no unit {number} in stage {stage}: stages 2 to {len(self.repeats) + 1} "
                             f"have {self.repeats} units, counted from 1")
        return result

    def _layers(self) -> Iterator[LayerSpec]:
        channels, size = self.stem_channels, self.image
        stride = 2 if self.stem == "imagenet" else 1
        last = LayerSpec("conv1", "convolution", "image", "conv1", 3, channels, size, 3, stride, relu=True)
        yield last
        if self.stem == "imagenet":
            size = last.out_size
            last = LayerSpec("maxpool", "max_pool", "conv1", "maxpool", channels, channels, size, 3, 2, channels)
            yield last
        for stage, repeats in enumerate(self.repeats, 2):
            for number in range(1, repeats + 1):
                unit = self._unit(stage, number, channels, last.output, last.out_size)
                yield from unit
                channels, last = self.stage_channels(stage), unit[-1]
        yield LayerSpec("average", "global_average", last.output, "average", channels, channels, last.out_size)
        yield LayerSpec("classifier", "fully_connected", "average", "scores", channels, self.classes, (1, 1))

    def _unit(self, stage: int, number: int, inputs: int, source: str, size: tuple[int, int]) -> list[LayerSpec]:
        name, stride2, first = f"stage{stage}.unit{number}", number == 1, stage == 2 and number == 1
        outputs = self.stage_channels(stage)
        branch = outputs - inputs if stride2 else outputs
        middle = _up(branch // 4, self.groups) if self.bottleneck == "branch" else outputs // 4
        pool = LayerSpec(f"{name}.pool", "average_pool", source, name, inputs, inputs, size, 3, 2, inputs, relu=True,
                         out_channel=0 if self.pool_first else branch)
        # the input of the very first unit has too few channels for groups
        shuffle = {"paper": Shuffle.paper, "inverse": Shuffle.inverse}.get(self.shuffle) if self.groups > 1 else None
        reduce = LayerSpec(f"{name}.reduce", "pointwise", source, f"{name}.reduce", inputs, middle, size, relu=True,
                           groups=1 if first else self.groups, shuffle=shuffle and shuffle(middle, self.groups))
        depthwise = LayerSpec(f"{name}.depthwise", "depthwise", f"{name}.reduce", f"{name}.depthwise", middle, middle,
                              size, 3, 2 if stride2 else 1, middle)
        expand = LayerSpec(f"{name}.expand", "pointwise", f"{name}.depthwise", name, middle, branch, depthwise.out_size,
                           groups=self.groups, relu=True, residual=None if stride2 else source,
                           out_channel=inputs if stride2 and self.pool_first else 0)
        return [pool, reduce, depthwise, expand] if stride2 else [reduce, depthwise, expand]


def complexity(architecture: Architecture) -> float:
    """Multiply-accumulates of the whole network, in millions."""
    return sum(layer.macs for layer in architecture.layers()) / 1e6


def complexity_table() -> list[tuple[Architecture, int, float]]:
    """The paper's complexity table: architecture, the paper's million multiply-accumulates, ours."""
    architectures = (Architecture(groups, scale) for groups, scale in PAPER_MFLOPS)
    return [(a, PAPER_MFLOPS[a.groups, a.scale], complexity(a)) for a in architectures]


def unit_costs(height: int, width: int, channels: int, middle: int, groups: int) -> dict[str, int]:
    """Multiply-accumulates of one unit with `channels` in and out and `middle` bottleneck channels (paper, 3.2).

    ShuffleNet hw(2cm/g + 9m), ResNet hw(2cm + 9m^2), ResNeXt hw(2cm + 9m^2/g).
    """
    pixels, pointwise = height * width, 2 * channels * middle
    return {
        "ShuffleNet": pixels * (pointwise // groups + 9 * middle),
        "ResNet": pixels * (pointwise + 9 * middle**2),
        "ResNeXt": pixels * (pointwise + 9 * middle**2 // groups),
    }


def _up(value: int, unit: int) -> int:
    return max(-(-value // unit), 1) * unit


def _check_choice(name: str, value: object, choices: tuple) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}, but must be one of {', '.join(map(str, choices))}")
