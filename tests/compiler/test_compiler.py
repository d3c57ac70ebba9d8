"""Whole networks through the compiler and the interpreter, descriptor by descriptor, against the reference."""

import numpy as np
import pytest

from riffle.compiler import CompileError, compile_network
from riffle.compiler.tiling import pool_slices
from riffle.graph import reference
from riffle.graph.integer_graph import Shuffle, Tensor, written_channels
from riffle.isa import spec
from riffle.isa.cost import LAUNCH, OVERLAPPED
from riffle.isa.descriptor import unpack_program
from riffle.isa.emulator import execute
from riffle.zoo import digits
from riffle.zoo.random_networks import random_input, random_unit
from sample_networks import Builder, shufflenet

SMALL = {"rows": 2, "columns": 3, "activation_depth": 512, "weight_depth": 512}


def run_and_compare(rng, network, configuration, lane=0, image=None):
    """Run descriptor by descriptor on a memory full of rubbish; each must leave what the reference has."""
    program = compile_network(network, configuration)
    memory = rng.integers(-128, 128, (4, program.activation_depth, program.rows * program.columns), np.int8)
    if image is None:
        image = rng.integers(-128, 128, program.image_size, np.int8)
    program.write_image(memory, image)
    tensors = reference.run(network, image)
    covered = {layer.name: set() for layer in network.layers}
    for index, record in enumerate(program.records):
        stream = program.stream[record.stream_first:record.stream_first + record.stream_words]
        execute(memory, program.descriptors[index:index + 1], stream, program.rows, program.columns, lane)
        found = program.read(memory, index, lane)
        np.testing.assert_array_equal(found, tensors[record.place.tensor][record.channels], f"{index}: {record.layer}")
        covered[record.layer] |= set(record.channels.tolist())
    for layer in network.layers:
        own = set(written_channels(layer, network.tensors[layer.output]).tolist())
        assert covered[layer.name] == own, f"{layer.name} is not checked as a whole"
    np.testing.assert_array_equal(program.read_result(memory, lane), tensors[network.output])
    return program, np.concatenate([maps.ravel() for maps in tensors.values() if maps.dtype == np.int8])


def random_network(rng, style, groups, per_group, pool_first, log2s):
    """A stem, one unit with stride 2, one without, a head, with odd channel counts."""
    b = Builder(rng, 3, 2 << log2s, 3 << log2s)
    stem = groups * int(rng.integers(1, 4))
    t = b.convolution("image", stem, 3, stride=2)
    if log2s > 2:
        t = b.max_pool(t)
    outputs = stem + groups * int(rng.integers(1, 5))
    order = bool(rng.integers(2))
    t = b.stride2_unit(t, groups, groups * per_group, outputs, rng.choice([1, groups]), style, pool_first, order)
    t = b.residual_unit(t, groups, groups * per_group, style)
    b.head(t, 7)
    return b.network()


@pytest.mark.parametrize("style", ["paper", "inverse"])
@pytest.mark.parametrize("pool_first", [True, False])
@pytest.mark.parametrize("groups, per_group", [(1, 6), (2, 5), (3, 4), (4, 7), (8, 3)])
def test_units(rng, style, groups, per_group, pool_first):
    values = set()
    for log2s in (2, 3, 2, 3):
        network = random_network(rng, style, groups, per_group, pool_first, log2s)
        _, found = run_and_compare(rng, network, SMALL | {"activation_depth": 2048}, lane=int(rng.integers(6)))
        values |= set(found.tolist())
    assert min(values) < -90 and max(values) > 90 and len(values) > 100, "the stimulus misses the output range"


@pytest.mark.parametrize("fused", ["conv + max pool", "pointwise + depthwise"])
def test_slices_forced_by_a_small_memory_change_nothing(rng, fused):
    b = Builder(rng, 3, 16, 24) if fused == "conv + max pool" else Builder(rng, 3, 8, 12)
    if fused == "conv + max pool":
        t = b.max_pool(b.convolution("image", 26, 3, stride=2))
    else:
        t = b.residual_unit(b.residual_unit(b.convolution("image", 20), 4, 28), 2, 26, "inverse")
    b.head(t, 5)
    network, counts = b.network(), []
    for depth in range(480, 0, -16):
        try:
            program, _ = run_and_compare(rng, network, SMALL | {"activation_depth": depth})
        except CompileError as error:
            assert f"the limit is {depth}" in str(error)
            break
        counts.append(len(program.records))
    assert counts == sorted(counts) and len(set(counts)) >= 4, f"memory sizes were to force more slices: {counts}"


@pytest.mark.parametrize("kind", ["residual", "stride2"])
@pytest.mark.parametrize("stage", [2, 3])
@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
def test_units_of_the_paper(rng, groups, stage, kind):
    """Real channel counts, both shuffles, bottlenecks and orders of concatenation, on two lanes instead of 49."""
    phases = 16 >> (stage - (kind == "stride2"))
    seed = int(rng.integers(2**31))
    network = random_unit(groups, stage, kind, shuffle=rng.choice(["paper", "inverse", "none"]), seed=seed,
                          bottleneck=rng.choice(["output", "branch"]), pool_first=bool(rng.integers(2)),
                          size=(phases, 2 * phases), zero_point=int(rng.integers(-128, 0)))
    image = reference.input_tensor(network, random_input(network, seed))
    _, values = run_and_compare(rng, network, {"rows": 1, "columns": 2, "activation_depth": 2048}, image=image)
    assert len(set(values.tolist())) > 150, "the stimulus misses the output range"


def test_digits(rng):
    """The trained network on held-out images, in any lane of a batch."""
    network = digits.network()
    images, _ = digits.held_out()
    for index in rng.choice(len(images), 3, replace=False):
        lane = int(rng.integers(49))
        image = reference.input_tensor(network, images[index])
        program, _ = run_and_compare(rng, network, "full", lane, image)
    assert program.fits_resident(spec.CONFIGURATIONS["full"])


SHUFFLENETS = [(1, 1), (2, 1), (3, 1), (4, 1), (8, 1), (3, 0.25), (3, 0.5), (3, 1.5)]


@pytest.mark.parametrize("pool_first", [True, False])
@pytest.mark.parametrize("groups, scale", SHUFFLENETS)
def test_shufflenet_at_full_depth(rng, groups, scale, pool_first):
    """The plan does not depend on the lattice, so 32x64 pixels on two lanes stand for 224x224 on 49."""
    network = shufflenet(rng, groups, scale, pool_first=pool_first)
    narrow = shufflenet(np.random.default_rng(1), groups, scale, size=(32, 64), pool_first=pool_first)
    lanes = spec.CONFIGURATIONS["full"] | {"rows": 1, "columns": 2}
    small, _ = run_and_compare(rng, narrow, lanes)
    full = compile_network(network, "full")
    addresses = [[(d.in_base, d.out_base) for d in unpack_program(p.descriptors)] for p in (full, small)]
    assert addresses[0] == addresses[1]
    assert len(full.descriptors) <= spec.DESCRIPTORS and full.image.log2s == 5 and full.result.layout == "raw"
    assert [r.stream_first for r in full.records] == [0, *np.cumsum([r.stream_words for r in full.records])[:-1]]


@pytest.mark.parametrize("groups, cycles, macs", [(1, 465e3, 143.1e6), (2, 503e3, 140.8e6), (3, 510e3, 137.5e6),
                                                   (4, 534e3, 134.3e6), (8, 616e3, 138.4e6)])
def test_predicted_cycles_are_those_of_the_design(rng, groups, cycles, macs):
    program = compile_network(shufflenet(rng, groups))
    assert program.cycles == pytest.approx(cycles, rel=0.025)  # the average pool's plain input costs 1 % more
    assert program.macs == pytest.approx(macs, rel=0.001)


def test_residual_unit_costs_what_the_model_says(rng):
    """Stage 2 of 1x g=3: 240 -> 60 -> 240 channels, three groups, 16 phases."""
    program = compile_network(shufflenet(rng, 3))
    names = [r.layer for r in program.records]
    first = names.index("6.a")
    unit = program.records[first:names.index("9.a")]
    first_pointwise, depthwise = 3 * 10 * 16 * 20, 30 * 16 * 5
    second_pointwise = 3 * 20 * 16 * ((5 + 1) + 5)  # a block's first pair reads the residuals of both
    assert sum(r.cycles for r in unit) == (
        first_pointwise + depthwise + second_pointwise + len(unit) * (LAUNCH + OVERLAPPED))


def test_shuffle_is_free(rng):
    """The same unit with the paper's shuffle, its inverse and none: as many descriptors and cycles."""
    programs = []
    for shuffle in (None, Shuffle.paper(12, 3), Shuffle.inverse(12, 3)):
        b = Builder(rng, 3, 8, 12)
        t = b.convolution("image", 9, 3)
        u = b.convolution(t, 12, groups=3, shuffle=shuffle)
        b.convolution(b.convolution(u, 12, 3, groups=12), 9, groups=3, residual=t)
        programs.append(run_and_compare(rng, b.network(), SMALL)[0])
    assert len({(len(p.descriptors), p.cycles) for p in programs}) == 1


def test_layers_that_are_not_fused(rng):
    """Two readers of a shuffled convolution, shuffles and residuals on a depthwise, a shuffled last layer."""
    b = Builder(rng, 3, 16, 24, zero_point=11)
    t = b.convolution("image", 10, 3, stride=2, shuffle=Shuffle.paper(10, 5))
    a = b.convolution(t, 15, groups=5, shuffle=Shuffle.inverse(15, 5))
    c = b.convolution(a, 15, 3, groups=15)
    c = b.convolution(c, 15, shuffle=Shuffle.paper(15, 5))
    c = b.convolution(c, 15, 3, groups=15, shuffle=Shuffle.paper(15, 3))
    c = b.convolution(b.convolution(c, 15, shuffle=Shuffle.paper(15, 3)), 15, 3, groups=15, residual=c)
    d = b.convolution(a, 12, groups=3, shuffle=Shuffle.paper(12, 3), output="sum", channels=19, out_channel=7)
    b.convolution(c, 7, output=d, out_channel=0)
    e = b.max_pool(d)
    b.convolution(e, 6, stride=2, shuffle=Shuffle.inverse(6, 2))
    program, _ = run_and_compare(rng, b.network(), SMALL)
    assert not any(r.place.layout == "duplicated" for r in program.records) and program.result.layout == "plain"


def test_blocks_beyond_a_tensor_stay_in_memory(rng):
    """Groups of three channels read one block more than the last one needs: never beyond the memory."""
    b = Builder(rng, 3, 4, 6)
    t = b.convolution("image", 16)
    b.convolution(b.convolution(t, 12), 16, groups=4, residual=t)
    for depth in (40, 32, 28):  # 16 + 12 words are taken
        run_and_compare(rng, b.network(), SMALL | {"activation_depth": depth})
    with pytest.raises(CompileError, match="conv1 needs 28 words of activation memory, the limit is 27"):
        compile_network(b.network(), SMALL | {"activation_depth": 27})


def test_average_pool_never_overwrites_what_it_still_reads(rng):
    found = set()
    for _ in range(400):
        channels, out_channel, log2s = int(rng.integers(1, 60)), int(rng.integers(0, 60)), int(rng.integers(1, 3))
        wi, wo = 4**log2s, 4**log2s // 4
        distance = int(rng.integers(-(out_channel + channels) // 4 * wo, channels // 4 * wi + 4))
        slices = pool_slices(distance, channels, out_channel, log2s)
        found.add(len(slices or ()))
        written, done = set(), []
        for part in slices or ():
            for channel in range(part.first, part.first + part.count):
                pair_writes = distance + (out_channel + channel) // 4 * wo
                assert not written & set(range(channel // 4 * wi, channel // 4 * wi + wi)), (distance, channels, part)
                written |= set(range(pair_writes, pair_writes + wo))
                # the second pair of a block, and the later phases of this one, still read it
                assert not written & set(range(channel // 4 * wi, channel // 4 * wi + wi)), (distance, channels, part)
                done.append(channel)
        assert not slices or sorted(done) == list(range(channels))
    assert {0, 1, 2} <= found


@pytest.mark.parametrize("turns", [2, 4, 8])
def test_interleaved_pools_in_a_small_memory(rng, turns):
    """ShuffleNet V2's concatenation with shuffle, of pools; the last reader of its input must not lie on it."""
    b = Builder(rng, 3, 8, 12)
    source = b.convolution("image", 16)
    branch = b.convolution(source, 4, stride=2)
    places = dict(shuffle=Shuffle(16, turns, 1), output="whole", channels=16 * turns)
    b.convolution(source, 16, 3, 16, 2, out_channel=turns - 1, kind="average_pool", **places)
    for part in range(turns - 1):
        b.convolution(branch, 16, out_channel=part, **places)
    b.convolution("whole", 5)
    fits = []
    for depth in range(300, 0, -4):
        try:
            run_and_compare(rng, b.network(), SMALL | {"activation_depth": depth})
        except CompileError as error:
            assert f"the limit is {depth}" in str(error)
            break
        fits.append(depth)
    assert len(fits) > 5


def pool_before_a_sum(b, t):
    b.convolution(t, 8, 3, 8, 2, output="whole", channels=16, kind="average_pool")
    b.convolution(b.convolution("image", 8, residual=t), 8, stride=2, output="whole", out_channel=8)


def pool_of_what_is_written_late(b, t):
    b.convolution(b.convolution("image", 4), 8, stride=2, output="whole", channels=16, out_channel=8)
    b.convolution(t, 4, output="late", channels=8)
    b.convolution("image", 4, output="late", out_channel=4)
    b.convolution("late", 8, 3, 8, 2, output="whole", kind="average_pool")


def pointwise_before_a_sum(b, t):
    a = b.convolution(t, 8)
    b.convolution("image", 8, residual=t)
    b.convolution(a, 8, 3, groups=8)


def depthwise_onto_the_input(b, t):
    b.convolution(b.convolution(t, 8), 8, 3, groups=8, residual=t)


@pytest.mark.parametrize("layers", [pool_before_a_sum, pool_of_what_is_written_late, pointwise_before_a_sum,
                                    depthwise_onto_the_input])
def test_layers_are_not_moved_past_what_changes_their_input(rng, layers):
    b = Builder(rng, 3, 8, 12)
    layers(b, b.convolution("image", 8))
    run_and_compare(rng, b.network(), SMALL)


def wrong_networks(rng):
    """Name, network, what the message must say."""
    def chain(height, width, *convolutions):
        b = Builder(rng, 3, height, width)
        t = "image"
        for arguments in convolutions:
            t = b.convolution(t, **arguments)
        return b
    yield shufflenet(rng, 3, 2), r"layer \S+ \+ \S+ needs \d+ words of activation memory, the limit is 2048: use"
    yield chain(30, 30, {"outputs": 4}).network(), "tensor image: a map of 30x30 pixels does not fit a lattice of 7x7"
    yield (chain(7, 7, {"outputs": 8, "kernel": 3, "stride": 2}).network(),
           "tensor conv0: a map of 4x4 pixels does not fit a lattice of 7x7; .*: resize the image")
    big = chain(7, 7, {"outputs": 452}, {"outputs": 4, "kernel": 3})
    big.layers[1].weight[:] = 1
    yield big.network(), "conv1 needs 1017 weight words for each pair of output channels, the limit is 1008"
    yield chain(7, 7, *[{"outputs": 4}] * 257).network(), "needs 257 descriptors, the program memory holds 256"
    b = chain(7, 7, {"outputs": 4}, {"outputs": 4})
    b.convolution("conv1", 4, residual="conv0")
    b.convolution("conv0", 4)
    yield b.network(), "conv3 reads tensor conv0, onto which layer conv2 has added its output"
    b = chain(7, 7, {"outputs": 4})
    b.convolution("conv0", 4, residual="conv0")
    yield b.network(), "conv1 reads conv0, onto which it also writes its sum"
    b = chain(7, 7, {"outputs": 4}, {"outputs": 4})
    b.convolution("conv1", 4, residual="conv0", shuffle=Shuffle.paper(4, 2))
    yield b.network(), "conv2 adds tensor conv0: the sum must be a whole tensor"
    b = chain(7, 7, {"outputs": 4}, {"outputs": 4})
    b.layers.reverse()
    yield b.network(), "conv1 reads tensor conv0, which no layer before it writes"
    b = chain(7, 7, {"outputs": 4})
    b.head("conv0", 3)
    b.tensors["wide"] = Tensor(3, 1, 1)
    b.convolution("vector", 4, kernel=3)
    yield b.network(), "conv3 needs the neighbours of a pixel, but tensor vector is a single one"
    b = chain(7, 7, {"outputs": 5})
    b.layers[0].groups = 2
    yield b.network(), "conv0 has weights for 2 groups of 3 inputs and 5 outputs"


def test_what_cannot_run_is_refused(rng):
    for network, message in wrong_networks(rng):
        with pytest.raises(CompileError, match=message):
            compile_network(network)
