"""The comparison names what is wrong: where one flipped bit of one weight in the weight memory shows first."""

import copy

import numpy as np
import pytest

from riffle.analysis.compare import Difference, compare, steps
from riffle.compiler import compile_network
from riffle.graph import reference
from riffle.graph.integer_graph import Convolution, FullyConnected
from sample_networks import Builder


def sample(rng):
    """Every kind of layer: stem, stride-2 unit with fused slices, residual unit with shuffle, head."""
    b = Builder(rng, 3, 16, 24)
    pooled = b.max_pool(b.convolution("image", 8, 3))
    b.head(b.residual_unit(b.stride2_unit(pooled, 2, 6, 20), 2, 6), 5)
    return b.network()


def flip(network, rng):
    """A copy with one bit of one weight flipped, and the layer and the place of the weight in it."""
    changed = copy.deepcopy(network)
    weighty = [layer for layer in changed.layers if isinstance(layer, Convolution | FullyConnected)
               and getattr(layer, "kind", "") != "average_pool"]
    while True:
        layer = weighty[rng.integers(len(weighty))]
        place = tuple(rng.integers(layer.weight.shape))
        value = layer.weight[place] ^ np.int8(1 << rng.integers(7))
        if value != -128:
            layer.weight[place] = value
            return changed, layer, place


def first_pixel(expected, got):
    """Channel, y, x of the first difference."""
    return tuple(map(int, np.argwhere(expected != got)[0]))


def test_flipped_bit_is_named_with_layer_channel_and_pixel(small_hardware, rng):
    found = 0
    for _ in range(20):
        network = sample(rng)
        image = rng.integers(0, 256, (16, 24, 3), np.uint8)
        changed, layer, place = flip(network, rng)
        expected, got = reference.run(network, image), reference.run(changed, image)
        small_hardware.load(compile_network(network, "small"))
        assert compare(small_hardware, network, image) is None
        damaged = compile_network(changed, "small").stream
        differing = np.flatnonzero((damaged != small_hardware.program.stream).any(1))
        assert len(differing) == 1, "one word of the weight memory"
        small_hardware.segment.write_window("WEIGHTS", 16 * int(differing[0]), damaged[differing[0]])
        difference = compare(small_hardware, network, image)
        if (expected[layer.output] == got[layer.output]).all():
            continue  # lost in rounding or the clamp
        found += 1
        assert (difference.layer, difference.tensor) == (layer.name, layer.output)
        at = difference.channel, difference.y, difference.x
        assert at == first_pixel(expected[layer.output], got[layer.output]), str(difference)
        assert (difference.expected, difference.got) == (expected[layer.output][at], got[layer.output][at])
        record = small_hardware.program.records[difference.descriptor]
        assert (record.layer, difference.channel in record.channels) == (layer.name, True)
        assert f"layer {layer.name} (descriptor" in str(difference) and f"pixel ({at[1]}, {at[2]})" in str(difference)
    assert found >= 5


def test_every_descriptor_is_compared(small_hardware, rng):
    network = sample(rng)
    small_hardware.load(compile_network(network, "small"))
    results = list(steps(small_hardware, network, rng.integers(0, 256, (16, 24, 3), np.uint8)))
    assert [layer for layer, _ in results] == [record.layer for record in small_hardware.program.records]
    assert {layer for layer, _ in results} == {layer.name for layer in network.layers}
    assert not any(difference for _, difference in results)


def test_other_network_is_different_from_its_first_layer_on(small_hardware, rng):
    network = sample(rng)
    small_hardware.load(compile_network(network, "small"))
    image = rng.integers(0, 256, (16, 24, 3), np.uint8)
    other = copy.deepcopy(network)
    other.layers[0].bias[:] += 1 << 20
    difference = compare(small_hardware, other, image)
    assert difference.layer == network.layers[0].name and difference.count > 16 * 24


def test_difference_reads_like_a_sentence():
    assert str(Difference("stage2.unit1.reduce", 7, "reduce", 11, 3, 4, -5, 6, 12)) == (
        "layer stage2.unit1.reduce (descriptor 7), tensor reduce, channel 11, pixel (3, 4): expected -5, got 6; 12 "
        "values differ")


def test_wrong_image_is_refused_before_anything_runs(small_hardware, rng):
    network = sample(rng)
    small_hardware.load(compile_network(network, "small"))
    with pytest.raises(ValueError, match="image"):
        compare(small_hardware, network, np.zeros((4, 4), np.uint8))
    assert compare(small_hardware, network, rng.integers(0, 256, (16, 24, 3), np.uint8)) is None
