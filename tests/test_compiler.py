"""Whole networks through the compiler and the interpreter, descriptor by descriptor, against plain sums."""

import dataclasses

import numpy as np
import pytest
from sample_networks import Builder, oracle, shufflenet

from riffle import spec
from riffle.compiler import CompileError, compile_network
from riffle.compiler.buffers import make_needs, tensor_log2s
from riffle.compiler.cycles import predict
from riffle.compiler.plan import make_plan
from riffle.compiler.slices import pool_slices
from riffle.compiler.steps import make_steps
from riffle.descriptor import unpack_program
from riffle.integer import Shuffle
from riffle.interpreter import execute
from riffle.program import ProgramError

SMALL = {"rows": 2, "columns": 3, "activation_depth": 512, "weight_depth": 512}


def run_and_compare(rng, network, configuration, lane=0):
    """Run descriptor by descriptor on a memory full of rubbish; each must leave what the layer's formula gives."""
    program = compile_network(network, configuration)
    memory = rng.integers(-128, 128, (4, program.activation_depth, program.rows * program.columns), np.int8)
    image = rng.integers(-128, 128, (3, *program.image_size), np.int8)
    program.write_image(memory, image)
    expected = dict(oracle(network, image))
    covered = {name: set() for name in expected}
    for index, record in enumerate(program.records):
        stream = program.stream[record.stream_first:record.stream_first + record.stream_words]
        execute(memory, program.descriptors[index:index + 1], stream, program.rows, program.columns, lane)
        found = program.read(memory, index, lane)
        np.testing.assert_array_equal(found, expected[record.layer][record.channels], f"{index}: {record.layer}")
        covered[record.layer] |= set(record.channels.tolist())
    for layer in network.layers:
        first = getattr(layer, "out_channel", 0)
        count = len(layer.weight) if hasattr(layer, "weight") else len(expected[layer.name])
        assert covered[layer.name] == set(range(first, first + count)), f"{layer.name} is not checked as a whole"
    np.testing.assert_array_equal(program.read_result(memory, lane), expected[network.layers[-1].name])
    return program, np.concatenate([expected[x.name].ravel() for x in network.layers if x.output != "logits"])


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


@pytest.mark.parametrize("log2s", [2, 3])
@pytest.mark.parametrize("style", ["paper", "inverse"])
@pytest.mark.parametrize("pool_first", [True, False])
@pytest.mark.parametrize("groups, per_group", [(1, 6), (2, 5), (3, 4), (4, 7), (8, 3)])
def test_units(rng, style, groups, per_group, pool_first, log2s):
    network = random_network(rng, style, groups, per_group, pool_first, log2s)
    _, values = run_and_compare(rng, network, SMALL | {"activation_depth": 2048}, lane=int(rng.integers(6)))
    if log2s > 2:  # many enough
        assert values.min() < -90 and values.max() > 90 and len(set(values)) > 100, "stimulus misses the output range"


def test_slices_forced_by_a_small_memory_change_nothing(rng):
    b = Builder(rng, 3, 16, 24)
    t = b.max_pool(b.convolution("image", 26, 3, stride=2))
    t = b.convolution(t, 8)
    b.head(b.residual_unit(b.residual_unit(t, 4, 28), 2, 26), 5)
    network, counts = b.network(), []
    for depth in range(480, 0, -16):
        try:
            program, _ = run_and_compare(rng, network, SMALL | {"activation_depth": depth})
        except CompileError as error:
            assert f"the limit is {depth}" in str(error)
            break
        counts.append(len(program.records))
    assert counts == sorted(counts) and len(set(counts)) >= 4, f"memory sizes were to force more slices: {counts}"
