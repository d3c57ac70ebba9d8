"""engine: random programs against riffle.isa.emulator, with errors, aborts and stalls between them."""

import random

import cocotb
import numpy as np

from engine_memories import Memories
from random_programs import random_program, random_stream
from riffle.compiler.hazards import BETWEEN, may_overlap
from riffle.errors import EngineError
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor
from riffle.isa.emulator import contradiction, execute
from riffle.isa.spec import ERROR_CODES
from runner import simulate

ROWS, COLUMNS, DEPTH = 2, 3, 256
LANES = ROWS * COLUMNS
NAMES = {code: name for name, code in ERROR_CODES.items()}


def generator():
    return np.random.default_rng(random.getrandbits(32))


async def begin(dut, stall=0.0):
    memories = await Memories(dut, ROWS, COLUMNS, DEPTH, stall).start()
    memories.activations[:] = generator().integers(-128, 128, memories.activations.shape, np.int8)
    return memories


async def check(memories, descriptors, stream, **options):
    """A run without errors, which must leave what the interpreter leaves."""
    expected = memories.activations.copy()
    lane = random.randrange(LANES)
    execute(expected, descriptors, stream, ROWS, COLUMNS, lane)
    code, index, detail = await memories.run(descriptors, stream, lane=lane, **options)
    assert code == 0, f"{NAMES[code]} at descriptor {index}, detail {detail}: {descriptors}"
    wrong = np.argwhere(memories.activations != expected)
    assert not len(wrong), f"bank, address, lane {wrong[0]} of {len(wrong)}: {descriptors}"


async def check_log(memories, first, descriptors):
    """The log accounts for every cycle of the run."""
    log = memories.log[first:first + len(descriptors)].astype(int)
    cycles, busy, starved, drain = log.T
    finish = memories.counters["cycles"] - cycles.sum()
    assert 0 < finish < 32, f"the log has {cycles.sum()} cycles, the run {memories.counters['cycles']}"
    assert busy.sum() == memories.counters["fed"] and starved.sum() == memories.counters["starved"]
    assert (busy + starved + drain <= cycles).all()


@cocotb.test()
async def random_programs_give_what_the_interpreter_gives(dut):
    rng = generator()
    memories = await begin(dut)
    seen = set()
    for _ in range(60):
        descriptors, streams = random_program(rng, DEPTH, int(rng.integers(1, 6)))
        first = int(rng.integers(0, 250))
        await check(memories, descriptors, np.concatenate(streams), first=first)
        await check_log(memories, first, descriptors)
        seen |= {(d.opcode, name) for d in descriptors for name in spec.DESCRIPTOR_FIELDS if getattr(d, name)}
    assert len(seen) > 40, f"only {seen} were drawn"


@cocotb.test()
async def a_slow_stream_changes_nothing_but_the_time(dut):
    rng = generator()
    memories = await begin(dut)
    for _ in range(10):
        descriptors, streams = random_program(rng, DEPTH, 3)
        memories.stall = 0.0
        await check(memories, descriptors, np.concatenate(streams))
        fast = memories.counters
        memories.stall = random.choice([0.5, 0.9])
        await check(memories, descriptors, np.concatenate(streams))
        waited = memories.counters["cycles"] - fast["cycles"]
        assert waited >= memories.counters["starved"] - fast["starved"] >= 0
        assert memories.counters["fed"] == fast["fed"]


@cocotb.test()
async def full_ring_and_many_small_pairs(dut):
    """Pairs of the largest size, which fill the ring between them, and pairs of one weight, which fill the table."""
    rng = generator()
    memories = await begin(dut)
    large = Descriptor(opcode=1, blocks=56, taps9=1, groups=3, group_outputs=2, modulus=6, step_low=1, step_high=6,
                       out_base=64)
    small = Descriptor(opcode=1, blocks=1, groups=1, group_outputs=64, modulus=64, step_low=1, step_high=64,
                       in_base=64, out_base=128)
    for memories.stall in (0.0, 0.3):
        descriptors = [large, small, large, small]
        stream = np.concatenate([random_stream(rng, d)[2] for d in descriptors])
        await check(memories, descriptors, stream)


@cocotb.test()
async def errors_are_the_interpreters_and_the_next_run_is_right(dut):
    rng = generator()
    memories = await begin(dut)
    seen = set()
    for _ in range(120):
        descriptors, streams = random_program(rng, DEPTH, 3)
        victim = int(rng.integers(3))
        descriptors[victim], streams[victim], extra = spoil(rng, descriptors[victim], streams[victim])
        stream = np.concatenate([*streams, extra])
        try:
            execute(memories.activations.copy(), descriptors, stream, ROWS, COLUMNS)
            continue  # the change was harmless
        except EngineError as error:
            expected = error
        code, index, detail = await memories.run(descriptors, stream)
        if expected.name == "STREAM_HEADER" and NAMES[code] == "STREAM_END":
            assert index == expected.index  # a wrong count is seen once as many words have come
            continue
        assert (NAMES[code], index) == (expected.name, expected.index), f"detail {detail}, expected {expected}"
        if expected.name.endswith("_RANGE"):
            assert detail >= DEPTH
        else:
            assert detail == expected.detail, f"detail {detail}, expected {expected}"
        seen.add(expected.name)
        descriptors, streams = random_program(rng, DEPTH, 1)
        await check(memories, descriptors, np.concatenate(streams))
    assert len(seen) == 7, f"only {seen} happened"


def spoil(rng, d, stream):
    """A descriptor, its stream and an addition at the stream's end, one of them changed."""
    extra = np.zeros((0, spec.STREAM_BYTES), np.uint8)
    kind = rng.integers(7)
    if kind == 0:
        d = d.replace(opcode=int(rng.choice([0, *range(4, 16)])))
    elif kind == 1:
        name = str(rng.choice(["blocks", "groups", "group_outputs", "modulus", "paired", "raw", "residual", "log2s"]))
        bad = d.replace(**{name: {"paired": 1, "raw": 1, "residual": 1, "log2s": 7}.get(name, 0)})
        d = bad if contradiction(bad) else d
    elif kind == 2:
        d = d.replace(in_base=int(rng.choice([DEPTH - 1, DEPTH, 65535])))
    elif kind == 3:
        d = d.replace(out_base=int(rng.choice([DEPTH, DEPTH + 5, 65535])))
    elif kind == 4 and len(stream):
        stream = stream.copy()
        stream[0, int(rng.integers(6, 8))] ^= 1 << int(rng.integers(8))  # tag, count or a bias
    elif kind == 5 and len(stream):
        stream = stream[:-int(rng.integers(1, len(stream) + 1))]
    else:
        extra = rng.integers(0, 256, (int(rng.integers(1, 4)), spec.STREAM_BYTES), np.uint8)
    return d, stream, extra


@cocotb.test()
async def abort_and_watchdog_at_any_time(dut):
    rng = generator()
    memories = await begin(dut)
    for _ in range(40):
        descriptors, streams = random_program(rng, DEPTH, 4)
        stream = np.concatenate(streams)
        at = int(rng.integers(2, 400))
        if rng.integers(2):
            code, *_ = await memories.run(descriptors, stream, stop_after=at)
            assert NAMES[code] in ("ABORTED", "NONE")
            aborted = NAMES[code] == "ABORTED"
        else:
            code, *_ = await memories.run(descriptors, stream, watchdog=at)
            assert NAMES[code] in ("WATCHDOG", "NONE")
            aborted = NAMES[code] == "WATCHDOG"
        if aborted:
            assert memories.counters["cycles"] < at + 100, "the pipeline is emptied at once"
        descriptors, streams = random_program(rng, DEPTH, 2)
        await check(memories, descriptors, np.concatenate(streams))


@cocotb.test()
async def a_reset_of_any_length_ends_everything(dut):
    """One cycle is enough: nothing is written after it, and the next run is right."""
    rng = generator()
    memories = await begin(dut)
    for _ in range(60):
        descriptors, streams = random_program(rng, DEPTH, int(rng.integers(1, 4)))
        await memories.run(descriptors, np.concatenate(streams), reset_after=int(rng.integers(1, 600)))
        descriptors, streams = random_program(rng, DEPTH, 1)
        await check(memories, descriptors, np.concatenate(streams))


@cocotb.test()
async def a_run_waits_for_its_image_and_is_ended_by_errors_around_it(dut):
    rng = generator()
    memories = await begin(dut)
    for _ in range(20):
        descriptors, streams = random_program(rng, DEPTH, 2)
        stream = np.concatenate(streams)
        await check(memories, descriptors, stream, hold=int(rng.integers(0, 300)))
        code, *_ = await memories.run(descriptors, stream, hold=20, hold_error=ERROR_CODES["IMAGE_RESPONSE"])
        assert NAMES[code] == "IMAGE_RESPONSE"
        await check(memories, descriptors, stream, next_error=ERROR_CODES["IMAGE_RESPONSE"])
        at, detail = int(rng.integers(1, 100)), int(rng.integers(1 << 24))
        code, _, found = await memories.run(descriptors, stream, stream_error=(at, ERROR_CODES["DDR_RESPONSE"], detail))
        assert (NAMES[code], found) == ("DDR_RESPONSE", detail) or (NAMES[code] == "NONE" and at > 20)
        await check(memories, descriptors, stream)


@cocotb.test()
async def bad_program_ranges(dut):
    memories = await begin(dut)
    none = np.zeros((0, spec.STREAM_BYTES), np.uint8)
    for first, length in ((0, 0), (7, 0), (255, 2), (0, 257), (1, 256)):
        code, index, _ = await memories.run([], none, first=first, length=length)
        assert (NAMES[code], index) == ("BAD_PROGRAM", first)
    descriptors, streams = random_program(generator(), DEPTH, 1)
    await check(memories, descriptors, np.concatenate(streams), first=255)


@cocotb.test()
async def overlap_slots_is_the_smallest_safe_number(dut):
    """The last write, of a second channel to bank 0, is read in slot j of an overlapping descriptor."""
    rng = generator()
    memories = await begin(dut)
    for j in (spec.OVERLAP_SLOTS - 1, spec.OVERLAP_SLOTS):
        before = Descriptor(opcode=1, blocks=16, groups=1, group_outputs=2, position=1, remainder=1, modulus=2,
                            out_base=100)
        after = Descriptor(opcode=1, blocks=30, groups=1, group_outputs=2, modulus=2, step_low=1, step_high=2,
                           in_base=100 - j, out_base=200, overlap=1)
        assert may_overlap([before], after) == (j == spec.OVERLAP_SLOTS)
        memories.activations[0, 100] = 0
        expected = memories.activations.copy()
        stream = np.concatenate([random_stream(rng, d)[2] for d in (before, after)])
        execute(expected, [before, after], stream, ROWS, COLUMNS)
        await memories.run([before, after], stream)
        assert (memories.activations == expected).all() == (j == spec.OVERLAP_SLOTS), f"slot {j}"


@cocotb.test()
async def a_short_descriptor_between_hides_no_write(dut):
    """What the one before it has written last is read by the one behind it, both of which overlap."""
    rng = generator()
    memories = await begin(dut)
    between = 2 * spec.DRAIN_SLOTS + BETWEEN  # cycles of the short one
    for j in (spec.OVERLAP_SLOTS - between - 1, spec.OVERLAP_SLOTS - between):
        before = Descriptor(opcode=1, blocks=16, groups=1, group_outputs=2, position=1, remainder=1, modulus=2,
                            out_base=100)
        short = Descriptor(opcode=1, blocks=1, groups=1, group_outputs=4, modulus=4, step_low=1, step_high=4,
                           in_base=150, out_base=220, overlap=1)
        after = Descriptor(opcode=1, blocks=30, groups=1, group_outputs=2, modulus=2, step_low=1, step_high=2,
                           in_base=100 - j, out_base=200, overlap=1)
        assert may_overlap([before], short)
        assert may_overlap([before, short], after) == (j == spec.OVERLAP_SLOTS - between)
        memories.activations[0, 100] = 0
        expected = memories.activations.copy()
        stream = np.concatenate([random_stream(rng, d)[2] for d in (before, short, after)])
        execute(expected, [before, short, after], stream, ROWS, COLUMNS)
        await memories.run([before, short, after], stream)
        assert (memories.activations == expected).all() == (j == spec.OVERLAP_SLOTS - between), f"slot {j}"


def test_engine():
    simulate("engine", __file__, Rows=ROWS, Columns=COLUMNS, ActivationDepth=DEPTH)
