"""Shapes, multiply-accumulates and the paper's tables."""

import numpy as np
import pytest

from riffle.graph.integer_graph import Shuffle
from riffle.zoo import shufflenet_v1
from riffle.zoo.shufflenet_v1 import (
    PAPER_MFLOPS,
    STAGE2_CHANNELS,
    Architecture,
    complexity,
    complexity_table,
    unit_costs,
)


def test_complexity_table_is_the_paper():
    table = complexity_table()
    assert len(table) == len(PAPER_MFLOPS) == 7
    for architecture, paper, ours in table:
        assert ours == pytest.approx(paper, rel=0.015), architecture.name


@pytest.mark.parametrize("bottleneck", ["output", "branch"])
@pytest.mark.parametrize("scale", [0.25, 0.5, 1, 1.5, 2])
@pytest.mark.parametrize("groups", STAGE2_CHANNELS)
def test_layers_fit_together(groups, scale, bottleneck):
    for pool_first in (True, False):
        architecture = Architecture(groups, scale, bottleneck=bottleneck, pool_first=pool_first)
        tensors = {"image": (3, (224, 224))}
        written = {}
        for layer in architecture.layers():
            assert tensors[layer.input] == (layer.in_channels, layer.size), layer.name
            assert layer.in_channels % layer.groups == layer.out_channels % layer.groups == 0, layer.name
            spans = written.setdefault(layer.output, [])
            spans.append((layer.out_channel, layer.out_channel + layer.out_channels))
            tensors[layer.output] = max(end for _, end in spans), layer.out_size
            if layer.residual:
                assert tensors[layer.residual] == (layer.out_channels, layer.out_size)
        for spans in written.values():  # no gap, no overlap
            assert [a for a, _ in sorted(spans)] == [0, *(b for _, b in sorted(spans))][:-1]
        assert tensors["scores"] == (1000, (1, 1))


def test_1x_g3_is_the_published_network():
    architecture = Architecture(3)
    assert architecture.name == "shufflenet_v1 g3 1x"
    assert [architecture.stage_channels(s) for s in (2, 3, 4)] == [240, 480, 960]
    layers = {layer.name: layer for layer in architecture.layers()}
    assert len(layers) == 2 + 16 * 3 + 3 + 2
    reduce, expand = layers["stage2.unit1.reduce"], layers["stage2.unit1.expand"]
    assert (reduce.groups, reduce.out_channels, expand.groups, expand.out_channels) == (1, 60, 3, 216)
    assert layers["stage3.unit1.reduce"].groups == 3 and layers["stage3.unit1.expand"].out_channels == 240
    assert layers["maxpool"].out_size == (56, 56) and layers["stage4.unit4.expand"].out_size == (7, 7)
    assert sum(layer.weights for layer in layers.values()) == 1840248


def test_bottleneck_widths():
    def widths(bottleneck):
        architecture = Architecture(3, bottleneck=bottleneck)
        return [architecture.unit(s, n)[n == 1].out_channels for s in (2, 3, 4) for n in (1, 2)]

    assert widths("output") == [60, 60, 120, 120, 240, 240]
    assert widths("branch") == [54, 60, 60, 120, 120, 240]


def test_quarter_scale():
    architecture = Architecture(3, 0.25)
    assert architecture.name == "shufflenet_v1 g3 0.25x"
    assert [architecture.stem_channels, *(architecture.stage_channels(s) for s in (2, 3, 4))] == [6, 60, 120, 240]


def test_shuffle_is_between_the_pointwise_layers():
    for shuffle, steps in (("paper", (20, 3, 1)), ("inverse", (3, 20, 1)), ("none", None)):
        for layer in Architecture(3, shuffle=shuffle).unit(2, 2):
            found = layer.shuffle and (layer.shuffle.modulus, layer.shuffle.step_low, layer.shuffle.step_high)
            assert found == (steps if layer.name.endswith("reduce") else None)
    assert all(layer.shuffle is None for layer in Architecture(1).layers())


def test_relu_is_where_the_paper_has_it():
    relu = {layer.name.split(".")[-1]: layer.relu for layer in Architecture(3).layers()}
    assert [name for name, yes in relu.items() if not yes] == ["maxpool", "depthwise", "average", "classifier"]


@pytest.mark.parametrize("groups", STAGE2_CHANNELS)
def test_unit_costs_are_the_sum_of_the_layers(groups):
    unit = Architecture(groups).unit(2, 2)
    channels, middle = unit[0].in_channels, unit[0].out_channels
    costs = unit_costs(28, 28, channels, middle, groups)
    assert costs["ShuffleNet"] == sum(layer.macs for layer in unit)
    assert costs["ResNet"] == 784 * (2 * channels * middle + 9 * middle**2)
    assert costs["ResNeXt"] == 784 * (2 * channels * middle + 9 * middle**2 // groups)


def test_small_stem_and_fewer_stages():
    architecture = Architecture(3, 0.25, (28, 28), 10, (4, 4), "small")
    layers = architecture.layers()
    assert layers[0].stride == 1 and layers[1].size == (28, 28) and layers[1].name == "stage2.unit1.pool"
    assert layers[-2].size == (7, 7) and layers[-1].out_channels == 10
    assert complexity(architecture) == pytest.approx(1.263, abs=0.001)


def test_parameters_count_one_bias_per_output():
    conv1, maxpool = Architecture(3).layers()[:2]
    assert (conv1.parameters, maxpool.parameters) == (24 * 27 + 24, 0)


@pytest.mark.parametrize("options, message", [
    ({"groups": 5}, "groups is 5, but must be one of 1, 2, 3, 4, 8"),
    ({"scale": 0}, "scale is 0"),
    ({"stem": "large"}, "imagenet, small"),
    ({"bottleneck": "x"}, "output, branch"),
    ({"shuffle": True}, "paper, inverse, none"),
])
def test_impossible_architectures_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Architecture(**options)


def test_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="has no unit 5 in stage 2: stages 2 to 4"):
        Architecture(3).unit(2, 5)


def test_the_authors_depthwise_parameters_are_permuted(rng):
    """They shuffle behind the depthwise convolution, here it is before: the module says how they fit."""
    shuffle = Shuffle.inverse(12, 3)
    channels, scales = rng.integers(1, 100, (2, 12))
    theirs, ours, new = np.zeros(12, int), np.zeros(12, int), np.zeros(12, int)
    theirs[shuffle.positions(12)] = channels * scales
    ours[shuffle.positions(12)] = channels
    new[shuffle.positions(12)] = scales
    assert (ours * new == theirs).all()
    assert "new[shuffle.positions(channels)] = old" in shufflenet_v1.__doc__
    assert "pools have no padding" in shufflenet_v1.__doc__
