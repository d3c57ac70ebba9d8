"""From steps with addresses to descriptors, weight stream and records."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riffle.compiler import weight_stream
from riffle.compiler.allocation import Plan
from riffle.compiler.batch_lanes import Lanes
from riffle.compiler.check import check_fields
from riffle.compiler.fusion import Step, is_depthwise
from riffle.compiler.hazards import may_overlap
from riffle.compiler.liveness import Needs
from riffle.compiler.tiling import Slice
from riffle.errors import CompileError
from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    Layer,
    MaxPool,
    Shuffle,
)
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_headers
from riffle.isa.program import Place, Record
from riffle.isa.spec import CONV, GLOBAL_AVERAGE, MAXPOOL


@dataclass(frozen=True)
class Remap:
    """Where the output channels of a layer go: through a shuffle, and from which channel on."""

    shuffle: Shuffle
    out_channel: int

    @classmethod
    def of(cls, layer: Convolution, shuffle: Shuffle | None = None) -> Remap:
        channels = len(layer.weight)
        return cls(shuffle or layer.shuffle or Shuffle(channels, 1, channels), layer.out_channel)

    def positions(self, part: Slice) -> np.ndarray:
        return self.out_channel + self.shuffle.positions(part.first + part.count)[part.first:]

    def fields(self, first: int) -> dict[str, int]:
        """Descriptor fields for channels from `first` on."""
        s = self.shuffle
        row, remainder = self.out_channel + first // s.modulus * s.step_high, first % s.modulus
        return {"position": row + remainder * s.step_low, "row": row, "remainder": remainder, "modulus": s.modulus,
                "step_low": s.step_low, "step_high": s.step_high}


BLOCKWISE = {"modulus": 2, "step_low": 1, "step_high": spec.BANKS}  # pools: a pair is a block of four channels


class Emitter:
    """Descriptors, records and stream, growing step by step."""

    def __init__(self, network: IntegerNetwork, needs: Needs, plan: Plan, log2s: dict[str, int], lattice: int,
                 lanes: Lanes):
        self.network, self.needs, self.plan, self.log2s = network, needs, plan, log2s
        self.vectors = {name for name, t in network.tensors.items() if (t.height, t.width) == (1, 1)}
        self.lattice, self.lanes = lattice, lanes  # how many there are; where images of a batch lie
        self.descriptors: list[Descriptor] = []
        self.records: list[Record] = []
        self.chunks: list[np.ndarray] = []
        self.stream_words = 0

    def place(self, tensor: str, layout: str = "plain") -> Place:
        return Place(tensor, self.plan.bases[tensor], self.log2s[tensor], layout, tensor in self.vectors)

    def step(self, step: Step, time: int) -> None:
        """Emit the descriptors of a step."""
        layer, source, target = step.layer, self.place(step.input), self.place(step.layer.output)
        if step.before:
            self.fused(step, time, source, target)
        elif isinstance(layer, Convolution):
            self.single(layer, time, source, target)
        elif isinstance(layer, MaxPool):
            self.max_pool(layer, source, target, Slice(0, self.network.tensors[layer.input].channels))
        elif isinstance(layer, GlobalAverage):
            self.global_average(layer, source, target)
        elif isinstance(layer, FullyConnected):
            self.fully_connected(layer, source, self.place(layer.output, "raw"))

    def fused(self, step: Step, time: int, source: Place, target: Place) -> None:
        """A convolution slice by slice into a temporary, and what reads it."""
        cut, base = self.plan.cuts[time]
        before, layer = step.before, step.layer
        duplicate = isinstance(layer, Convolution)
        hidden = Place(before.output, base, self.log2s[before.output], "duplicated" if duplicate else "plain")
        for part in cut.slices:
            self.grouped(before, part, source, hidden, Remap(Shuffle(part.count, 1, part.count), 0),
                         channels=Remap.of(before).positions(part))
            if duplicate:
                self.depthwise(layer, part, hidden, target, before.shuffle)
            else:
                self.max_pool(layer, hidden, target, part)

    def single(self, layer: Convolution, time: int, source: Place, target: Place) -> None:
        whole = Slice(0, len(layer.weight))
        if not is_depthwise(layer):
            self.grouped(layer, whole, source, target, Remap.of(layer))
            return
        parts = (whole,)
        for pool in self.needs.pools:
            if pool.step == time:
                parts = self.plan.pool_slices(pool)
        for part in parts:
            self.depthwise(layer, part, source, target)

    def grouped(self, layer: Convolution, part: Slice, source: Place, target: Place, remap: Remap,
                channels: np.ndarray | None = None) -> None:
        """Whole groups of a convolution, or a part of one; `remap` counts from the first channel of the part."""
        outputs, inputs = len(layer.weight) // layer.groups, layer.weight.shape[1]
        groups = max(1, part.count // outputs)
        first = part.first // outputs * inputs
        blocks = weight_stream.group_blocks(first, inputs, groups, inputs)
        self.check(layer, blocks, source)
        weight = layer.weight[part.first:part.first + part.count].reshape(part.count, inputs, -1)
        words = weight_stream.grouped(weight, groups, first, blocks)
        fields = dict(in_channel=first, group_step=inputs, blocks=blocks, groups=groups,
                      group_outputs=part.count // groups, duplicate=target.layout == "duplicated", **remap.fields(0))
        positions = remap.positions(Slice(0, part.count))
        self.convolution(layer, part, source, target, fields, words, positions, channels)

    def depthwise(self, layer: Convolution, part: Slice, source: Place, target: Place,
                  shuffle: Shuffle | None = None) -> None:
        """A depthwise convolution. On a duplicated input that is a slice which begins at position 0; its channels
        have not been shuffled, which happens here."""
        paired = source.layout == "duplicated"
        remap = Remap.of(layer, shuffle)
        order = Remap(shuffle, 0).positions(part) if shuffle else np.arange(part.first, part.first + part.count)
        weight = layer.weight[order].reshape(part.count, 9)
        words = weight_stream.paired_depthwise(weight) if paired else weight_stream.depthwise(weight)
        self.check(layer, 1, source)
        fields = dict(in_channel=0 if paired else part.first, pair_step=4 if paired else 2, blocks=1, groups=1,
                      group_outputs=part.count, paired=paired, **remap.fields(part.first))
        self.convolution(layer, order, source, target, fields, words, remap.positions(part))

    def convolution(self, layer: Convolution, part: Slice | np.ndarray, source: Place, target: Place, fields: dict,
                    words: np.ndarray, positions: np.ndarray, channels: np.ndarray | None = None) -> None:
        """What grouped and depthwise convolutions have in common; `part` selects the layer's parameters."""
        chosen = slice(part.first, part.first + part.count) if isinstance(part, Slice) else part
        parameters = [weight_stream.by_pair(getattr(layer, name)[chosen], fields["groups"], padding)
                      for name, padding in (("bias", 0), ("multiplier", 0), ("shift", spec.SHIFT_MIN))]
        zero_point = 0 if layer.residual else self.network.tensors[layer.output].zero_point
        descriptor = Descriptor(
            opcode=CONV, log2s=source.log2s, stride2=int(layer.stride == 2), taps9=int(layer.weight.shape[2] == 3),
            residual=int(bool(layer.residual)), zero_point=zero_point,
            fill=self.network.tensors[layer.input].zero_point, in_base=source.base, out_base=target.base,
            **{name: int(value) for name, value in fields.items()})
        macs = 0 if layer.kind == "average_pool" else len(positions) * self.pixels(target) * layer.weight[0].size
        self.add(layer, descriptor, weight_stream.stream(words, *parameters), target, positions, channels, macs)

    def max_pool(self, layer: MaxPool, source: Place, target: Place, part: Slice) -> None:
        """Channels of a maximum pool; the input begins with them."""
        self.check(layer, 1, source)
        descriptor = Descriptor(
            opcode=MAXPOOL, log2s=source.log2s, stride2=1, taps9=1, fill=-128, in_base=source.base,
            out_base=target.base, pair_step=spec.BANKS, blocks=1, groups=1,
            group_outputs=2 * -(-part.count // spec.BANKS), position=part.first, row=part.first, **BLOCKWISE)
        self.add(layer, descriptor, None, target, np.arange(part.first, part.first + part.count))

    def global_average(self, layer: GlobalAverage, source: Place, target: Place) -> None:
        """One descriptor for each part of the vector."""
        self.check(layer, 1, source)
        tensor, phases = self.network.tensors[layer.output], 1 << 2 * source.log2s
        size = spec.BANKS * self.lanes.blocks(tensor.channels)
        for first, lane in zip(range(0, tensor.channels, size), self.lanes.parts, strict=False):
            channels = np.arange(first, min(first + size, tensor.channels))
            blocks = -(-len(channels) // spec.BANKS)
            descriptor = Descriptor(
                opcode=GLOBAL_AVERAGE, zero_point=tensor.zero_point, fill=lane, in_base=source.base,
                out_base=target.base, in_channel=first * phases, pair_step=spec.BANKS * phases, blocks=phases, groups=1,
                group_outputs=2 * blocks, **BLOCKWISE)
            headers = pack_headers([[layer.bias, 0]] * blocks, [[layer.multiplier, 0]] * blocks,
                                   [[layer.shift, spec.SHIFT_MIN]] * blocks, 0)
            self.add(layer, descriptor, headers, replace(target, lane=lane), channels - first, channels)

    def fully_connected(self, layer: FullyConnected, source: Place, target: Place) -> None:
        outputs, inputs = layer.weight.shape
        parts, blocks = len(self.lanes.parts), self.lanes.blocks(inputs)
        self.check(layer, blocks * parts, source)
        weight = np.zeros((outputs, parts, blocks * spec.BANKS), np.int8)
        weight.reshape(outputs, -1)[:, :inputs] = layer.weight
        words = weight_stream.grouped(weight.transpose(0, 2, 1), 1, 0, blocks)
        unused = np.zeros(outputs, np.int64)
        parameters = [weight_stream.by_pair(layer.bias, 1, 0), weight_stream.by_pair(unused, 1, 0),
                      weight_stream.by_pair(unused + spec.SHIFT_MIN, 1, spec.SHIFT_MIN)]
        descriptor = Descriptor(opcode=CONV, raw=1, taps4=int(parts == 4), in_base=source.base, out_base=target.base,
                                blocks=blocks, groups=1, group_outputs=outputs, modulus=outputs, step_low=1,
                                step_high=outputs)
        self.add(layer, descriptor, weight_stream.stream(words, *parameters), target, np.arange(outputs),
                 macs=outputs * inputs)

    def pixels(self, place: Place) -> int:
        return 1 if place.vector else self.lattice << 2 * place.log2s

    def check(self, layer: Layer, blocks: int, source: Place) -> None:
        """Refuse what no descriptor can express."""
        window = isinstance(layer, MaxPool) or isinstance(layer, Convolution) and layer.weight.shape[2] == 3
        count = blocks * (9 if window else 1)
        if count > spec.PAIR_WEIGHTS_MAX:
            raise CompileError(f"layer {layer.name} needs {count} weight words for each pair of output channels, the "
                               f"limit is {spec.PAIR_WEIGHTS_MAX}: use more groups or fewer channels")

    def add(self, layer: Layer, descriptor: Descriptor, stream: np.ndarray | None, target: Place,
            positions: np.ndarray, channels: np.ndarray | None = None, macs: int = 0) -> None:
        words = 0 if stream is None else len(stream)
        if self.descriptors and may_overlap(self.descriptors, descriptor):
            descriptor = descriptor.replace(overlap=1)
        check_fields(layer, vars(descriptor))
        self.descriptors.append(descriptor)
        self.records.append(Record(layer.name, target, positions, positions if channels is None else channels,
                                   macs=macs, stream_first=self.stream_words, stream_words=words))
        if words:
            self.chunks.append(stream)
            self.stream_words += words
