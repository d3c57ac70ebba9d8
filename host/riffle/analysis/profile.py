"""Where the cycles of a run went: the cycle log beside the compiler's prediction, by descriptor and by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from riffle.driver.accelerator import Accelerator
from riffle.graph.integer_graph import Convolution, IntegerNetwork, Layer
from riffle.isa import spec
from riffle.isa.cost import pairs_that_reread
from riffle.isa.descriptor import Descriptor, unpack_program
from riffle.isa.program import Program
from riffle.isa.spec import GLOBAL_AVERAGE, MAXPOOL

MACS_PER_LANE = 8  # each cycle: four input and two output channels
PIXEL_BYTES = 4  # of an image in memory
PORT_BYTES = 8  # a cycle, of the one memory port that weights and images share


@dataclass
class Entry:
    """What a descriptor, or all descriptors of a layer, took in the last run.

    Attributes
    ----------
    layer, kind
        its name, and what it is
    begin
        cycle of the run in which it began, counted from the first descriptor's fetch
    cycles, busy, starved, drain
        from the cycle log: all of them; the array or a pool was fed; weights were waited for; from the end of the loops
        until the next descriptor may begin
    predicted
        cycles by the compiler's model
    reads, writes
        cycles in which the activation memory was read and written, which the program determines
    macs, stream_bytes
        multiply-accumulates; bytes of the weight stream
    """

    layer: str
    kind: str
    begin: int
    cycles: int
    busy: int
    starved: int
    drain: int
    predicted: int
    reads: int
    writes: int
    macs: int
    stream_bytes: int

    def __iadd__(self, other: Entry) -> Entry:
        for name in ("cycles", "busy", "starved", "drain", "predicted", "reads", "writes", "macs", "stream_bytes"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


@dataclass
class Account:
    """A run: its counters, and its descriptors in order.

    The log begins with the fetch of the first descriptor and ends when the last one is through; `rest` cycles of the
    run lie before and after.
    """

    name: str
    cycles: int
    starved: int
    predicted: int
    peak: int  # multiply-accumulates a cycle
    image_bytes: int
    descriptors: list[Entry]
    what: str  # ran it, for people
    memory: str  # gave the weights that do not lie in the weight memory, for people
    simulated: bool

    @property
    def rest(self) -> int:
        return self.cycles - sum(entry.cycles for entry in self.descriptors)

    @property
    def macs(self) -> int:
        return sum(entry.macs for entry in self.descriptors)

    @property
    def ddr_bytes(self) -> int:
        """Bytes that a frame reads from memory where its weights and its image lie there."""
        return self.image_bytes + sum(entry.stream_bytes for entry in self.descriptors)

    @property
    def utilisation(self) -> float:
        return self.macs / (self.peak * self.cycles)

    def layers(self) -> list[Entry]:
        """Entries of all descriptors of a layer together; `begin` is that of its first one."""
        layers: dict[str, Entry] = {}
        for entry in self.descriptors:
            if entry.layer in layers:
                layers[entry.layer] += entry
            else:
                layers[entry.layer] = Entry(**asdict(entry))
        return list(layers.values())


def account(accelerator: Accelerator, network: IntegerNetwork) -> Account:
    """The account of the last run of the whole loaded program, which is `network` compiled."""
    program, counters = accelerator.program, accelerator.counters()
    kinds = {layer.name: kind(layer) for layer in network.layers}
    entries, begin = [], 0
    descriptors = unpack_program(program.descriptors)
    for d, record, (_, log) in zip(descriptors, program.records, accelerator.layer_cycles(), strict=True):
        reads, writes = port_cycles(d, log["BUSY"])
        entries.append(Entry(record.layer, kinds[record.layer], begin, log["CYCLES"], log["BUSY"], log["STARVED"],
                             log["DRAIN"], record.cycles, reads, writes, record.macs,
                             record.stream_words * spec.STREAM_BYTES))
        begin += log["CYCLES"]
    _, height, width = program.image_size
    return Account(program.name, counters["CYCLES"], counters["STARVED"], program.cycles,
                   program.rows * program.columns * MACS_PER_LANE, height * width * PIXEL_BYTES, entries,
                   accelerator.backend.what, accelerator.backend.fetches_from, accelerator.backend.cycles is not None)


def port_cycles(d: Descriptor, busy: int) -> tuple[int, int]:
    """Cycles in which a descriptor reads and writes the activation memory, `busy` of them to feed the array."""
    pairs, phases = d.groups * d.pairs, d.out_phases
    if d.opcode == GLOBAL_AVERAGE:  # the vector's word, to put the lane into it
        return busy + pairs, pairs * spec.BANKS
    if d.opcode == MAXPOOL:
        return busy, pairs * phases * spec.BANKS
    words = d.groups * d.group_outputs * phases
    return busy + pairs_that_reread(d) * phases, words * (spec.BANKS if d.raw else 1)


def kind(layer: Layer) -> str:
    """What kind of layer it is, in words."""
    if not isinstance(layer, Convolution):
        return {"MaxPool": "max pool", "GlobalAverage": "global average"}.get(type(layer).__name__, "fully connected")
    if layer.kind == "average_pool":
        return "average pool"
    if layer.weight.shape[2] == 1:
        return "pointwise convolution"
    return "depthwise convolution" if layer.weight.shape[1] == 1 else "3x3 convolution"


def predicted_by_kind(network: IntegerNetwork, program: Program) -> dict[str, tuple[int, int]]:
    """Predicted cycles and multiply-accumulates of each kind of layer."""
    kinds, sums = {layer.name: kind(layer) for layer in network.layers}, {}
    for record in program.records:
        cycles, macs = sums.get(kinds[record.layer], (0, 0))
        sums[kinds[record.layer]] = cycles + record.cycles, macs + record.macs
    return sums


def stages(entries: Sequence[Entry]) -> list[tuple[str, int, int]]:
    """Name, first and last cycle of the parts of a network: what the names of its layers have in front of the dot."""
    result: list[tuple[str, int, int]] = []
    for entry in entries:
        name, end = entry.layer.split(".")[0], entry.begin + entry.cycles
        if result and result[-1][0] == name:
            result[-1] = name, result[-1][1], end
        else:
            result.append((name, entry.begin, end))
    return result
