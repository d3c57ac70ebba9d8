"""Random networks: repeatable, provably within the accumulator, and alive."""

import warnings

import numpy as np
import pytest

import riffle
from riffle.graph.bounds import prove
from riffle.graph.integer_graph import Convolution
from riffle.graph.reference import layer_outputs, run
from riffle.zoo.random_networks import random_input, random_integer_network, random_unit
from riffle.zoo.shufflenet_v1 import STAGE2_CHANNELS, Architecture


def check_activations(network, image):
    """Every tensor spreads over its range, few values sit at a limit, and no channel is constant."""
    outputs = layer_outputs(network, run(network, image))
    for layer in network.layers:
        if not isinstance(layer, Convolution):
            continue
        maps = outputs[layer.name]
        zero_point = network.tensors[layer.output].zero_point
        assert maps.std() > 20, layer.name
        assert (maps == 127).mean() < 0.05, layer.name
        assert (maps == -128).mean() < (0.6 if zero_point == -128 else 0.05), layer.name
        alive = maps.reshape(len(maps), -1).std(1) > 0
        assert alive.mean() > 0.97, layer.name


@pytest.mark.parametrize("groups", STAGE2_CHANNELS)
@pytest.mark.parametrize("kind", ["residual", "stride2"])
def test_units(rng, groups, kind):
    for stage in (2, 3, 4):
        network = random_unit(groups, stage, kind, seed=int(rng.integers(1 << 30)))
        assert network.input == "image" and network.tensors["image"].zero_point == -128
        check_activations(network, random_input(network, int(rng.integers(1 << 30))))
        assert prove(network)


def test_whole_network(rng):
    network = random_integer_network(Architecture(3, 0.25, classes=10), int(rng.integers(1 << 30)))
    image = random_input(network, int(rng.integers(1 << 30)))
    assert image.dtype == np.uint8 and image.shape == (224, 224, 3)
    check_activations(network, image)
    scores = run(network, image)["scores"]
    assert scores.shape == (10, 1, 1) and len(np.unique(scores)) == 10
    assert network.name == "shufflenet_v1 g3 0.25x"


def test_the_same_seed_gives_the_same_network():
    architecture = Architecture(2, 0.25, (28, 28), 10, (2,), "small")
    a, b, c = (random_integer_network(architecture, seed) for seed in (1, 1, 2))
    for x, y, z in zip(a.layers, b.layers, c.layers, strict=True):
        if isinstance(x, Convolution) and x.kind == "convolution":
            assert (x.weight == y.weight).all() and (x.bias == y.bias).all() and (x.weight != z.weight).any()


def test_unit_options():
    network = random_unit(3, 3, size=(4, 6), zero_point=5, shuffle="none")
    image, reduce, output = (network.tensors[n] for n in ("image", "stage3.unit2.reduce", "stage3.unit2"))
    assert (image.channels, image.height, image.width, image.zero_point) == (480, 4, 6, 5)
    assert (reduce.channels, reduce.zero_point, output.zero_point) == (120, -128, 5)
    assert network.layers[0].shuffle is None and network.layers[-1].residual == "image"
    stride2 = random_unit(3, 2, "stride2", bottleneck="branch", size=(8, 8))
    assert stride2.tensors["image"].height == 8 and stride2.tensors["stage2.unit1"].height == 4
    assert [layer.weight.shape[0] for layer in stride2.layers] == [24, 54, 54, 216]


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="must be residual or stride2"):
        random_unit(3, 2, "plain")


@pytest.mark.parametrize("name, random", [("g3-0.25x-stage4-residual", True), ("digits", False)])
def test_loading_random_weights_warns(name, random):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        riffle.load(name)
    messages = [str(w.message) for w in caught]
    assert [f"{name} is an architecture: its weights are random" in m and "load 'digits'" in m
            for m in messages] == [True] * random
    assert all(w.filename == __file__ for w in caught), "it points at the caller"
