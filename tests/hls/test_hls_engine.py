"""The HLS engine, compiled natively, against the interpreter and the reference; and as a backend of the host."""

import numpy as np
import pytest

from random_programs import random_program, random_stream
from riffle.backends.hls_engine import Engine, HlsBackend, build
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.errors import BusError, EngineError
from riffle.graph.reference import input_tensor, run
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor
from riffle.isa.emulator import contradiction, execute
from riffle.zoo import catalogue, digits

SMALL = {"rows": 2, "columns": 3, "activation_depth": 256}
DEPTH = SMALL["activation_depth"]
ERRORS = {name: code for code, (name, _, _) in spec.ERRORS.items()}
CONV = spec.OPCODES["CONV"]


def random_memory(engine, rng):
    return rng.integers(-128, 128, engine.shape, np.int8)


@pytest.fixture(scope="module")
def engine():
    return Engine(SMALL, build(SMALL))


@pytest.mark.parametrize("vendor, runs", [(False, 300), (True, 15)], ids=["standard types", "ap_int"])
def test_random_programs(vendor, runs, rng):
    engine, seen = Engine(SMALL, build(SMALL, vendor)), set()
    for _ in range(runs):
        descriptors, streams = random_program(rng, DEPTH, int(rng.integers(1, 6)))
        memory, lane = random_memory(engine, rng), int(rng.integers(6))
        expected = memory.copy()
        execute(expected, descriptors, np.concatenate(streams), 2, 3, lane)
        engine.execute(memory, descriptors, np.concatenate(streams), lane)
        wrong = np.argwhere(memory != expected)
        assert not len(wrong), f"bank, address, lane {wrong[0]} of {len(wrong)}: {descriptors}"
        seen |= {(d.opcode, name) for d in descriptors for name in spec.DESCRIPTOR_FIELDS if getattr(d, name)}
    assert len(seen) > (20 if vendor else 40)


def test_errors_are_the_interpreters(engine, rng):
    seen = set()
    for _ in range(400):
        descriptors, streams = random_program(rng, DEPTH, 3)
        victim = int(rng.integers(3))
        descriptors[victim], streams[victim] = spoil(rng, descriptors[victim], streams[victim])
        stream, memory = np.concatenate(streams), random_memory(engine, rng)
        before = memory.copy()
        try:
            execute(memory, descriptors, stream, 2, 3)
        except EngineError as error:
            with pytest.raises(EngineError) as found:
                engine.execute(before, descriptors, stream)
            expected, found = error, found.value
            assert (found.name, found.index) == (expected.name, expected.index), descriptors[victim]
            assert found.detail == expected.detail or "RANGE" in found.name and found.detail >= DEPTH
            seen.add(expected.name)
        else:
            engine.execute(before, descriptors, stream)
            assert (before == memory).all()
    assert len(seen) == 7, f"only {seen} happened"


def spoil(rng, d, stream):
    """A descriptor and its stream, one of them changed."""
    kind = rng.integers(6)
    if kind == 0:
        d = d.replace(opcode=int(rng.choice([0, *range(4, 16)])))
    elif kind == 1:
        wrong = {"blocks": 0, "groups": 0, "group_outputs": 0, "modulus": 0, "paired": 1, "raw": 1, "duplicate": 1,
                 "residual": 1, "log2s": 7, "stride2": 1, "step_low": 5, "remainder": 99, "taps9": int(rng.integers(2))}
        name = str(rng.choice(list(wrong)))
        bad = d.replace(**{name: wrong[name]})
        d = bad if contradiction(bad) else d
    elif kind == 2:
        d = d.replace(in_base=int(rng.choice([*range(DEPTH - 6, DEPTH + 1), 65535])))
    elif kind == 3:
        d = d.replace(out_base=int(rng.choice([*range(DEPTH - 6, DEPTH + 1), 65535])))
    elif kind == 4 and len(stream):
        stream = stream.copy()
        stream[0, int(rng.integers(6, 8))] ^= 1 << int(rng.integers(8))  # tag, count or a bias
    elif rng.integers(2):
        stream = stream[:-int(rng.integers(1, len(stream) + 1))] if len(stream) else stream
    else:
        stream = np.concatenate([stream, rng.integers(0, 256, (2, spec.STREAM_BYTES), np.uint8)])
    return d, stream


def check_layers(network, image, engine):
    """Run a compiled network descriptor by descriptor; each must leave what the reference computes."""
    program, expected = compile_network(network), run(network, image)
    memory, log = np.zeros(engine.shape, np.int8), np.zeros((spec.DESCRIPTORS, spec.LOG_WORDS), np.uint32)
    words = np.zeros((spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS), np.uint32)
    words[:len(program.descriptors)] = program.descriptors
    program.write_image(memory, input_tensor(network, image))
    for i, record in enumerate(program.records):
        stream = program.stream[record.stream_first:record.stream_first + record.stream_words]
        outcome = engine.run(words, log, memory, stream, i, 1)
        assert outcome.error == 0, (record.layer, outcome)
        maps = expected[record.place.tensor][record.channels]
        assert (program.read(memory, i).reshape(maps.shape) == maps).all(), record.layer
    assert (program.read_result(memory) == expected[network.output]).all()


UNITS = [f"g{groups}-1x-stage{stage}-{kind}" for groups in (1, 2, 3, 4, 8) for stage, kind in
         ((2, "residual"), (3, "stride2"))]


@pytest.mark.parametrize("name", [*UNITS, "g3-1x"])
def test_layers_of_large_networks(name):
    network = catalogue.find(name, seed=1)
    check_layers(network, catalogue.sample_input(network, seed=1), Engine(spec.CONFIGURATIONS["full"]))


def test_a_whole_frame_at_once_with_all_its_weights():
    network = catalogue.find("g3-1x", seed=2)
    image, program = catalogue.sample_input(network, seed=2), compile_network(network)
    engine = Engine(spec.CONFIGURATIONS["full"])
    memory = np.zeros(engine.shape, np.int8)
    program.write_image(memory, input_tensor(network, image))
    engine.execute(memory, program.descriptors, program.stream)
    assert (program.read_result(memory) == run(network, image)[network.output]).all()


@pytest.fixture(scope="module")
def accelerator():
    return Accelerator(HlsBackend())


def test_digits_through_the_driver(accelerator):
    network, (images, labels) = digits.network(), digits.held_out()
    accelerator.load(compile_network(network))
    right = 0
    for image, label in zip(images[:60], labels, strict=False):
        result = accelerator.run(image)
        assert (result.logits == run(network, image)["scores"].reshape(-1)).all()
        right += result.label == str(label)
    assert right >= 57
    busy = sum(entry["BUSY"] for _, entry in accelerator.layer_cycles())
    assert busy == result.busy and result.cycles > busy > 1000


def test_a_whole_frame_through_the_driver(accelerator):
    """Its weights exceed the weight memory and come from shared memory."""
    network = catalogue.find("g3-1x", seed=4)
    image, program = catalogue.sample_input(network, seed=4), compile_network(network)
    assert len(program.stream) > spec.CONFIGURATIONS["full"]["weight_depth"]
    accelerator.load(program)
    assert (accelerator.run(image).output == run(network, image)[network.output]).all()
    accelerator.segment.write("STREAM_ADDRESS", 0)  # where no buffer is
    with pytest.raises(EngineError, match="DDR_RESPONSE"):
        accelerator.start(1000)


def test_a_network_in_passes(accelerator):
    network = catalogue.find("g3-1x-stage3-residual", seed=3)
    image = catalogue.sample_input(network, seed=3)
    accelerator.load(compile_network(network))
    assert (accelerator.run(image).output == run(network, image)[network.output]).all()


def test_errors_through_the_driver_and_the_next_run_is_right(accelerator):
    network, images = digits.network(), digits.held_out()[0]
    program = compile_network(network)
    accelerator.load(program)
    accelerator.write_image(images[0])
    with pytest.raises(EngineError, match="WATCHDOG"):
        accelerator.run_descriptors(0, len(program.records), watchdog=100)
    accelerator.segment.write_window("PROGRAM", 64, np.zeros(1, np.uint32))
    with pytest.raises(EngineError, match="UNKNOWN_OPCODE at descriptor 2"):
        accelerator.run(images[0])
    accelerator.load(program)
    for first, length in ((0, 0), (255, 2), (1, 256)):
        accelerator.segment.write("PROGRAM_FIRST", first)
        accelerator.segment.write("PROGRAM_LENGTH", length)
        with pytest.raises(EngineError, match=f"BAD_PROGRAM at descriptor {first}"):
            accelerator.start(1000)
    assert (accelerator.run(images[0]).logits == run(network, images[0])["scores"].reshape(-1)).all()


@pytest.mark.parametrize("offset, action, error", [
    (0x2, "read", "BUS_MISALIGNED"), (0x3FC, "read", "BUS_UNMAPPED"), (0x400, "write", "BUS_UNMAPPED"),
    (0x10, "write", "BUS_ACCESS"), (0x18000, "write", "BUS_ACCESS"), (0x80000, "read", "BUS_ACCESS"),
    (0x80000 + 200 * 1024 + 255 * 4, "write", "BUS_UNMAPPED"), (0x40000 + 10752 * 16, "read", "BUS_UNMAPPED")])
def test_refused_accesses(offset, action, error):
    backend = HlsBackend()
    backend.write(spec.REGISTERS["IMAGE"], 5 << 16)
    with pytest.raises(BusError) as found:
        backend.read(offset) if action == "read" else backend.write(offset, 0)
    assert found.value.code == ERRORS[error]


def test_activation_window_in_pieces(rng):
    backend = HlsBackend()
    base, size = spec.WINDOWS["ACTIVATIONS"][0], 3 * 256
    data = rng.integers(0, 256, size, np.uint8)
    backend.write_block(base + 512, data.view(np.uint32))
    backend.write_block(base + 516, data[4:40].view(np.uint32))
    found = backend.read_block(base + 512, size // 4).view(np.uint8).reshape(3, 4, 64)
    assert (found[:, :, :49] == data.reshape(3, 4, 64)[:, :, :49]).all() and not found[:, :, 49:].any()
    assert (backend.memory[:, 2:5] == data.view(np.int8).reshape(3, 4, 64)[:, :, :49].transpose(1, 0, 2)).all()
    assert backend.read(base + 512 + 128) == int(data[128:132].view(np.uint32)[0])


def test_a_lane_that_does_not_exist_writes_nothing(engine, rng):
    average = Descriptor(opcode=spec.OPCODES["GLOBAL_AVERAGE"], blocks=1, pair_step=4, groups=1, group_outputs=2,
                         modulus=2, step_low=1, step_high=4, out_base=9)
    memory, log = random_memory(engine, rng), np.zeros((spec.DESCRIPTORS, spec.LOG_WORDS), np.uint32)
    words = np.zeros((spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS), np.uint32)
    words[0] = average.pack()
    header = np.zeros((1, spec.STREAM_BYTES), np.uint8)
    header[0, 7] = spec.STREAM_TAG
    before = memory.copy()
    assert engine.run(words, log, memory, header, 0, 1, lane=60).error == 0 and (memory == before).all()
    assert engine.run(words, log, memory, header, 0, 1, lane=5).error == 0 and (memory != before).any()


def how_it_ends(run_it, *arguments):
    """Name of the error with which a run stops, None where it does not."""
    try:
        run_it(*arguments)
    except EngineError as error:
        return error.name
    return None


def test_reads_and_writes_may_end_with_the_memory(engine, rng):
    """Every place around the memory's end, for every kind of access, ends as the interpreter ends."""
    stopped, memory = 0, np.zeros(engine.shape, np.int8)
    for log2s, taps9, paired, stride2, raw, duplicate in np.ndindex(3, 2, 2, 2, 2, 2):
        d = Descriptor(opcode=CONV, log2s=log2s, taps9=taps9, paired=paired, stride2=stride2, raw=raw, groups=1,
                       duplicate=duplicate, blocks=int(rng.integers(1, 3)), group_outputs=int(rng.integers(1, 4)),
                       modulus=3, step_low=1, step_high=3)
        if contradiction(d):
            continue
        stream = random_stream(rng, d)[2]
        for base in range(DEPTH - 50, DEPTH + 1):
            for moved in (d.replace(in_base=base, out_base=100), d.replace(in_base=0, out_base=base)):
                expected = how_it_ends(execute, memory, [moved], stream, 2, 3)
                assert how_it_ends(engine.execute, memory, [moved], stream) == expected, moved
                stopped += expected is not None
    assert stopped > 100
