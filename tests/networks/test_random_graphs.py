"""Random legal networks through the compiler and every engine, layer by layer, against the reference."""

import functools

import numpy as np
import pytest

from campaigns import campaign
from random_graphs import random_graph
from riffle.analysis import compare
from riffle.backends.hls_engine import HlsBackend
from riffle.backends.numpy_engine import NumpyBackend
from riffle.compiler import CompileError, compile_network
from riffle.driver.accelerator import Accelerator
from riffle.graph import reference
from riffle.graph.integer_graph import FullyConnected, GlobalAverage, written_channels
from riffle.isa import spec
from riffle.isa.emulator import execute

SMALL = spec.CONFIGURATIONS["small"]
MEMORY = r"words of activation memory, the limit is \d+: use|needs \d+ descriptors, the program memory holds 256: use"


def compiled(network, build, batch=False):
    """The program; None where the memory is too small, which is the only reason that there may be."""
    try:
        return compile_network(network, build, batch)
    except CompileError as error:
        with pytest.raises(CompileError, match=MEMORY):
            raise error
    return None


def tightly(rng, network, build):
    """The program for about the smallest memory that holds it, in most cases; None where it does not fit."""
    best, low, high = compiled(network, build), 1, build["activation_depth"]
    for _ in range(7 if best and rng.integers(4) else 0):
        middle = (low + high) // 2
        program = compiled(network, build | {"activation_depth": middle})
        best, low, high = (program, low, middle) if program else (best, middle, high)
    return best


def drawn(rng, build):
    """A network that fits, its program and an image."""
    for _ in range(20):
        network, image = random_graph(rng, build["rows"], build["columns"])
        if program := tightly(rng, network, build):
            return network, program, image if rng.integers(2) else rng.integers(-128, 128, image.shape, np.int8)
    raise AssertionError("twenty networks in a row do not fit")


def interpret(rng, network, program, image):
    """Descriptor by descriptor on a memory full of rubbish: each leaves what the reference has, of every layer all."""
    lanes = program.rows * program.columns
    memory, lane = rng.integers(-128, 128, (4, program.activation_depth, lanes), np.int8), int(rng.integers(lanes))
    program.write_image(memory, image)
    tensors, seen = reference.run(network, image), {}
    for index, record in enumerate(program.records):
        stream = program.stream[record.stream_first:record.stream_first + record.stream_words]
        execute(memory, program.descriptors[index:index + 1], stream, program.rows, program.columns, lane)
        found = program.read(memory, index, lane)
        np.testing.assert_array_equal(found, tensors[record.place.tensor][record.channels], f"{index}: {record.layer}")
        seen.setdefault(record.layer, set()).update(record.channels.tolist())
    np.testing.assert_array_equal(program.read_result(memory, lane), tensors[network.output])
    for layer in network.layers:
        assert seen[layer.name] == set(written_channels(layer, network.tensors[layer.output]).tolist()), layer.name
    return tensors[network.output]


def check_engine(rng, accelerator, network, program, image):
    """All of a run, and descriptor by descriptor; weights wherever they may be."""
    ways = ["ddr", "host", *["resident"] * program.fits_resident(accelerator.configuration)]
    accelerator.load(program, weights=str(rng.choice(ways)))
    expected = reference.run(network, image)[network.output]
    lane = int(rng.integers(program.rows * program.columns))
    np.testing.assert_array_equal(accelerator.run(image, lane).output, expected)
    assert compare.compare(accelerator, network, image) is None


def check_batch(rng, accelerator, network, program):
    """Several images at once, where the network ends as a batch wants it."""
    averages = [layer for layer in network.layers if isinstance(layer, GlobalAverage)]
    ends = network.layers[-2:]
    if len(ends) < 2 or averages != ends[:1] or not isinstance(ends[1], FullyConnected):
        return
    shared = compiled(network, SMALL, batch=True)
    if shared is None:
        return
    images = [rng.integers(-128, 128, program.image_size, np.int8) for _ in range(min(3, len(shared.batch)))]
    accelerator.load(shared)
    for image, result in zip(images, accelerator.run_batch(images), strict=True):
        np.testing.assert_array_equal(result.output, reference.run(network, image)[network.output])


@functools.lru_cache(maxsize=2)
def engines(configuration):
    return Accelerator(NumpyBackend(configuration)), Accelerator(HlsBackend(configuration))


@pytest.mark.parametrize("number", range(campaign(60, 500)))
def test_graph(rng, small_hardware, number):
    network, program, image = drawn(rng, SMALL)
    interpret(rng, network, program, image)
    for accelerator in (*engines("small"), small_hardware):
        check_engine(rng, accelerator, network, program, image)
        check_batch(rng, accelerator, network, program)


@pytest.mark.parametrize("number", range(campaign(6, 100)))
def test_graph_on_the_lattice_of_the_board(rng, number):
    network, program, image = drawn(rng, spec.CONFIGURATIONS["full"])
    interpret(rng, network, program, image)
    check_engine(rng, engines("full")[1], network, program, image)


@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 2), (2, 2), (3, 5), (8, 8)])
def test_graph_on_other_lattices(rng, rows, columns):
    build = {"rows": rows, "columns": columns, "activation_depth": 512}
    for _ in range(campaign(4, 40)):
        network, program, image = drawn(rng, build)
        interpret(rng, network, program, image)


def test_most_graphs_fit(rng):
    """What is refused is refused for memory alone, and seldom: the campaign tries what it says."""
    count = campaign(60, 500)
    fit = sum(compiled(random_graph(rng)[0], SMALL) is not None for _ in range(count))
    assert fit > count * 2 // 3
