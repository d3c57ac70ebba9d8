"""sequencer: every slot, address and cycle of random descriptors against the loop nest written out in Python."""

import random
from itertools import zip_longest

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from host_port import start
from loop_nest import pair_weights, timetable
from random_programs import CONV, GLOBAL_AVERAGE, MAXPOOL, random_descriptor, words_read, words_written
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor
from riffle.isa.spec import ERROR_CODES
from runner import simulate

DEPTH = 1536  # not a power of two: an address has eleven bits, but the memory ends before they do
FIELDS = [name for name in spec.DESCRIPTOR_FIELDS if name not in ("opcode", "zero_point", "fill", "overlap")]


class Sequencer:
    """Starts descriptors and compares all that happens, cycle by cycle."""

    def __init__(self, dut):
        self.dut, self.base, self.wraps, self.events = dut, 0, 0, []

    async def start(self):
        fields = dict.fromkeys([f"{name}_i" for name in ("maxpool", "average", *FIELDS)], 0)
        await start(self.dut, start_i=0, stop_i=0, clear_i=1, weights_ready_i=0, weights_count_i=0, weights_begun_i=0,
                    **fields)
        self.dut.clear_i.value = 0
        return self

    async def check(self, d, stall=None, weights=None, stop=None):
        """One descriptor, `weights` the count in its headers; `stop` is the part of its time after which it is stopped.

        The next one may start four cycles after done_o, as early as run_control lets it.
        """
        if stall is None:
            stall = random.choice([0.0, 0.4, 0.95])
        ready = [random.random() >= stall for _ in range(997)]
        weights = pair_weights(d) if weights is None else weights
        expected, done, next_base = timetable(d, DEPTH, ready, self.base, weights)
        stop = None if stop is None else int(stop * (done + 4))
        cycles = done + 4 + random.choice([0, 0, 5]) if stop is None else stop + 16
        self.events = await self.run(d, ready, weights, cycles, done, stop)
        if stop is not None:  # in its own cycle nothing is taken, and starved_o does not matter any more
            ignored = (stop, "starved"), (stop, "take")
            assert (stop, "take") not in self.events
            expected = [event for event in expected if event[0] <= stop and event not in ignored]
            self.events = [event for event in self.events if event not in ignored]
        for got, event in zip_longest(self.events, expected):
            assert got == event, f"got {got}, expected {event}; stop in {stop}, base {self.base}: {d}"
        self.wraps += next_base < self.base
        self.base = next_base
        if stop is not None:
            await self.clear()

    async def run(self, d, ready, weights, cycles, done, stop):
        """The events of so many cycles after start_i. The fields are there from start_i to done_o, and not longer."""
        dut, events, unlike = self.dut, [], False
        self.drive(d)
        for cycle in range(cycles):
            is_ready = ready[cycle % len(ready)]
            dut.start_i.value = cycle == 0
            dut.stop_i.value = stop is not None and stop <= cycle < stop + 4
            dut.weights_ready_i.value = is_ready
            count, begun = weights if is_ready else random.getrandbits(10), random.getrandbits(1)
            dut.weights_count_i.value, dut.weights_begun_i.value = count, begun
            if cycle == done + 1:
                self.drive(Descriptor(**{name: random.getrandbits(1) for name in FIELDS}))
            await RisingEdge(dut.clk_i)  # what is read from here on is what the cycle that ends here had
            events += sorted(self.observe(cycle), key=lambda event: event[:2])
            if 4 <= cycle <= done:  # the fields are known by then
                assert bool(dut.unlike_o.value) == unlike, f"cycle {cycle}: {d}"
            unlike = bool(begun and d.opcode != MAXPOOL and count != pair_weights(d))
        return events

    def drive(self, d):
        self.dut.maxpool_i.value, self.dut.average_i.value = d.opcode == MAXPOOL, d.opcode == GLOBAL_AVERAGE
        for name in FIELDS:
            getattr(self.dut, f"{name}_i").value = getattr(d, name)

    def observe(self, cycle):
        value = self.value
        for name in ("starved", "take", "done"):
            if value(name):
                yield cycle, name
        if value("first"):
            yield cycle, "first", value("weights_base")
        if value("feed"):
            banks = [(value("raddr0"), value("step0")), (value("raddr2"), value("step2"))]
            yield cycle, "feed", bool(value("final")), banks, value("weight_addr")
        else:
            assert not value("final"), f"cycle {cycle}: final_o without feed_o"
        if value("last"):
            channels = [(value("waddr0"), value("wbanks0")), (value("waddr1"), value("wbanks1"))]
            flags = [bool(value(name)) for name in ("reread", "keep", "kept")]
            yield cycle, "last", channels if value("wbanks1") else channels[:1], *flags
        if value("error"):
            yield cycle, "error", value("error_code"), min(value("error_detail"), 1 << 16)

    def value(self, name):
        return int(getattr(self.dut, f"{name}_o").value)

    async def clear(self):
        """As between runs."""
        self.dut.clear_i.value = 1
        await RisingEdge(self.dut.clk_i)
        self.dut.clear_i.value, self.base = 0, 0


def generator():
    return np.random.default_rng(random.getrandbits(32))


def draw(rng, longest=150):
    """A descriptor somewhere in the memory, with up to 64 phases, `longest` pairs and phases at most."""
    while True:
        d = random_descriptor(rng, DEPTH // 2, int(rng.integers(DEPTH // 2)), int(rng.integers(DEPTH // 2)))
        if d.opcode != GLOBAL_AVERAGE and rng.random() < 0.3:
            d = d.replace(log2s=3)
        inside = max(words_read(d) + d.in_base, words_written(d) + d.out_base) <= DEPTH
        if inside and d.groups * d.pairs * d.out_phases <= longest:
            return d


@cocotb.test()
async def random_descriptors_give_the_loop_nest(dut):
    rng, sequencer, seen = generator(), await Sequencer(dut).start(), set()
    for _ in range(150):
        d = draw(rng)
        await sequencer.check(d)
        seen |= {(d.opcode, name) for name in FIELDS if getattr(d, name)} | {("log2s", d.log2s)}
        seen |= {("kept", d.log2s - d.stride2) for event in sequencer.events if event[1] == "last" and event[5]}
    assert len(seen) > 40 and {("log2s", 3), ("kept", 0), ("kept", 2)} <= seen, f"only {seen} were drawn"
    assert sequencer.wraps, "the weight ring was not used up once"


@cocotb.test()
async def largest_descriptors(dut):
    """1024 phases, the longest pairs, and the widest global average."""
    sequencer, shape = await Sequencer(dut).start(), {"groups": 1, "modulus": 2, "step_low": 1, "step_high": 4}
    await sequencer.check(Descriptor(opcode=CONV, log2s=5, stride2=1, taps9=1, blocks=1, group_outputs=1, in_base=512,
                                     **shape))
    await sequencer.check(Descriptor(opcode=MAXPOOL, log2s=5, stride2=1, taps9=1, blocks=1, group_outputs=2, **shape))
    for taps9, paired, blocks in ((0, 0, 1008), (1, 0, 112), (1, 1, 201)):
        await sequencer.check(Descriptor(opcode=CONV, taps9=taps9, paired=paired, blocks=blocks, group_outputs=3,
                                         **shape))
    await sequencer.check(Descriptor(opcode=GLOBAL_AVERAGE, blocks=1024, group_outputs=2, **shape))


@cocotb.test()
async def errors_name_the_address_or_the_count(dut):
    rng, sequencer, seen = generator(), await Sequencer(dut).start(), set()
    for _ in range(150):
        d, weights = draw(rng, 20), None
        high = int(rng.choice([DEPTH, DEPTH, 2048, 40000, 65535]) - rng.integers(min(words_read(d), 16)))
        kind = rng.integers(5)
        if kind < 4:
            d = d.replace(**{("in_base", "out_base", "in_channel", "position")[kind]: high})
        else:
            weights = int(rng.choice([0, pair_weights(d) + 1, pair_weights(d) - 1, 1023])) % 1024
        await sequencer.check(d, weights=weights)
        seen |= {event[2] for event in sequencer.events if event[1] == "error"}
        if weights is not None:
            await sequencer.clear()
    assert seen == {ERROR_CODES[name] for name in ("READ_RANGE", "WRITE_RANGE", "STREAM_HEADER")}


@cocotb.test()
async def the_last_word_may_be_used_and_no_other(dut):
    sequencer = await Sequencer(dut).start()
    d = Descriptor(opcode=CONV, log2s=1, taps9=1, paired=1, blocks=1, groups=1, group_outputs=8, modulus=8, step_low=1)
    for name in ("in_base", "out_base"):
        for base in range(DEPTH - 5, DEPTH + 1):  # banks 2 and 3 are read at other phases than 0 and 1
            await sequencer.check(d.replace(**{name: base}))


@cocotb.test()
async def a_stop_at_any_time_leaves_nothing(dut):
    rng, sequencer = generator(), await Sequencer(dut).start()
    for _ in range(60):
        await sequencer.check(draw(rng, 20), stop=rng.random())
        await sequencer.check(draw(rng, 20))


def test_sequencer():
    simulate("sequencer", __file__, Depth=DEPTH)
