"""What must be kept in the activation memory, how much of it and how long: rectangles in address and time.

Time is the index of a step. A tensor that several layers write (a concatenation) lives in parts: each from when it is
written. The tensor that a residual unit adds to and its output are one buffer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from riffle.compiler.batch_lanes import Lanes
from riffle.compiler.fusion import Step, is_average_pool, is_depthwise
from riffle.compiler.tiling import Cut, cuts
from riffle.compiler.weight_stream import group_blocks
from riffle.errors import CompileError
from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    Layer,
    written_channels,
)
from riffle.isa import layout
from riffle.isa.spec import BANKS

FETCH_CYCLES = 30_000  # that bringing the next image here takes
MACS_PER_CYCLE, WEIGHTS_PER_CYCLE = 392, 7  # computed, and read through one port


@dataclass(frozen=True)
class Part:
    """Addresses `first` to `end` - 1 of a buffer, from step `birth` until `death`, by default that of the buffer."""

    first: int
    end: int
    birth: int
    death: int | None = None


@dataclass(eq=False)
class Buffer:
    """`words` from the base on are used until step `death`; `reach` from the base on are read, with weight 0."""

    name: str
    words: int
    parts: list[Part] = field(default_factory=list)
    death: int = -1
    reach: int = 0

    @property
    def birth(self) -> int:
        return min(part.birth for part in self.parts)

    def until(self, part: Part) -> int:
        """Last step at which a part is needed."""
        return self.death if part.death is None else part.death


@dataclass(frozen=True)
class Pool:
    """An average pool that is the last to read its input: the output may overlap it."""

    step: int
    input: Buffer
    output: Buffer
    channels: int
    out_channel: int
    log2s: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.channels, self.out_channel, self.log2s


@dataclass
class Needs:
    """Everything that the planner places: buffers by tensor, cuts by fused step."""

    buffers: dict[str, Buffer]
    pools: list[Pool]
    cuts: dict[int, list[Cut]]

    def unique(self) -> list[Buffer]:
        return list(dict.fromkeys(self.buffers.values()))


def make_needs(network: IntegerNetwork, steps: list[Step], log2s: dict[str, int]) -> Needs:
    """Buffers with their life times, from the steps in their order; log2s by tensor."""
    image = network.tensors[network.input]
    words = layout.words_of(image.channels, log2s[network.input])
    needs = Needs({network.input: Buffer(network.input, words, [Part(0, words, -1)])}, [], {})
    for time, step in enumerate(steps):
        _write(network, needs, step, time, log2s)
        _read(needs, step, time, log2s)
        if step.before:
            needs.cuts[time] = cuts(step, log2s[step.before.output])
    needs.buffers[network.output].death = len(steps)
    for time, step in enumerate(steps):
        layer, source = step.layer, needs.buffers[step.input]
        if is_average_pool(layer) and layer.stride == 2 and source.death == time and not layer.shuffle:
            target = needs.buffers[layer.output]
            needs.pools.append(Pool(time, source, target, len(layer.weight), layer.out_channel, log2s[layer.input]))
    return needs


def fetch_steps(network: IntegerNetwork, steps: list[Step]) -> tuple[int, int]:
    """The steps of a batch in which the next image should come: it takes from the first to the last of them, about.

    Raises
    ------
    CompileError
        if the network does not end with a global average and what classifies its output
    """
    averages = [time for time, step in enumerate(steps) if isinstance(step.layer, GlobalAverage)]
    if averages != [len(steps) - 2] or not isinstance(steps[-1].layer, FullyConnected):
        raise CompileError("a batch shares the weights of a fully connected layer behind a global average, which this "
                           "network does not end with: run its images one by one")
    read = max(time for time, step in enumerate(steps) if network.input in (step.input, step.residual))
    begin, left = len(steps) - 1, float(FETCH_CYCLES)
    while begin > read + 1 and left > 0:
        begin -= 1
        left -= sum(_spare_cycles(network, layer) for layer in (steps[begin].before, steps[begin].layer) if layer)
    return begin, len(steps) - 2


def reserve_for_batch(network: IntegerNetwork, needs: Needs, steps: list[Step], lanes: Lanes, fetch_step: int) -> None:
    """Keep what a batch needs: the vectors of earlier images from the start, and the next image's place from a step
    on until the classifier runs, if it comes before that."""
    vector, end = steps[-1].input, len(steps) - 2
    vectors, words = needs.buffers[vector], lanes.blocks(network.tensors[vector].channels)
    vectors.words, vectors.parts = words, [Part(0, words, birth=-1)]
    image = needs.buffers[network.input]
    if fetch_step <= end:
        image.parts = [replace(part, death=image.death) for part in image.parts] + [Part(0, image.words, fetch_step)]
        image.death = end


def _spare_cycles(network: IntegerNetwork, layer: Layer) -> float:
    """Cycles of a layer, about, in which its weights do not need the memory port."""
    if not isinstance(layer, Convolution):
        return 0
    tensor = network.tensors[layer.output]
    return max(0, layer.weight.size * (tensor.height * tensor.width / MACS_PER_CYCLE - 1 / WEIGHTS_PER_CYCLE))


def _write(network: IntegerNetwork, needs: Needs, step: Step, time: int, log2s: dict[str, int]) -> None:
    layer, name = step.layer, step.layer.output
    tensor = network.tensors[name]
    if step.residual:
        needs.buffers[name] = _in_place(network, needs, step, time)
    elif isinstance(layer, FullyConnected):
        words = layout.words_of(tensor.channels, 0, "raw")
        needs.buffers[name] = Buffer(name, words, [Part(0, words, time)], time)
    else:
        buffer = needs.buffers.setdefault(name, Buffer(name, layout.words_of(tensor.channels, log2s[name])))
        blocks = np.unique(written_channels(layer, tensor) // BANKS)  # two parts may share some
        for run in np.split(blocks, np.flatnonzero(np.diff(blocks) > 1) + 1):
            buffer.parts.append(Part(int(run[0]) << 2 * log2s[name], int(run[-1]) + 1 << 2 * log2s[name], time))
        buffer.death = time


def _in_place(network: IntegerNetwork, needs: Needs, step: Step, time: int) -> Buffer:
    """The buffer of the tensor that is added, which becomes the output."""
    layer, buffer = step.layer, needs.buffers[step.residual]
    whole = network.tensors[step.residual] == network.tensors[layer.output] and not layer.out_channel
    if not whole or len(layer.weight) != network.tensors[layer.output].channels or layer.shuffle:
        raise CompileError(f"layer {step.name} adds tensor {step.residual}: the sum must be a whole tensor of the same "
                           "size and zero point, without a shuffle: add to a tensor of its own, and shuffle before")
    if needs.buffers[step.input] is buffer:
        raise CompileError(f"layer {step.name} reads {step.input}, onto which it also writes its sum: put another "
                           "layer between, or fold the addition into the weights")
    return buffer


def _read(needs: Needs, step: Step, time: int, log2s: dict[str, int]) -> None:
    for name in filter(None, (step.input, step.residual)):
        needs.buffers[name].death = max(needs.buffers[name].death, time)
    buffer = needs.buffers[step.input]
    reach = _reach(step.before or step.layer) << 2 * log2s[step.input]
    buffer.reach = max(buffer.reach, reach)


def _reach(layer: Layer) -> int:
    """Input blocks up to which a grouped convolution reads; more than the tensor has where a group needs fewer."""
    if not isinstance(layer, Convolution) or is_depthwise(layer):
        return 0
    inputs = layer.weight.shape[1]
    return (layer.groups - 1) * inputs // BANKS + group_blocks(0, inputs, layer.groups, inputs)
