"""Folding, scales, the proof of the sums, and whole quantised networks against their float originals."""

import numpy as np
import pytest

from riffle.graph import float_graph
from riffle.graph.bounds import ACCUMULATOR_LIMIT, multiplier_and_shift, prove, worst_sums
from riffle.graph.float_graph import FloatNetwork, Folded, fold
from riffle.graph.quantise import average_pool, best_scale, integer_weights, quantise, shared_scales
from riffle.graph.reference import convolution, run
from riffle.zoo.random_networks import random_integer_network, random_unit
from riffle.zoo.shufflenet_v1 import Architecture


def random_float_network(rng, architecture):
    """Weights and batch norms that keep activations near 1."""
    parameters = {}
    for spec in architecture.layers():
        if not spec.weights:
            continue
        fan_in = spec.in_channels // spec.groups * spec.kernel**2
        n = spec.out_channels
        weight = rng.normal(0, fan_in**-0.5, (n, spec.in_channels // spec.groups, spec.kernel, spec.kernel))
        if spec.kind == "fully_connected":
            values = {"weight": weight[:, :, 0, 0], "bias": rng.normal(0, 0.1, n)}
        else:
            values = {"weight": weight, "gamma": rng.uniform(0.5, 2, n), "beta": rng.normal(0, 0.3, n),
                      "mean": rng.normal(0, 0.2, n), "variance": rng.uniform(0.2, 1, n)}
        parameters |= {f"{spec.name}.{name}": value for name, value in values.items()}
    return FloatNetwork(architecture.name, architecture.layers(), parameters,
                        [str(i) for i in range(architecture.classes)])


def blurred_images(rng, count, size):
    coarse = rng.integers(0, 256, (count, size // 4, size // 4, 3))
    return coarse.repeat(4, 1).repeat(4, 2).astype(np.uint8)


SMALL = {"scale": 0.25, "image": (28, 28), "classes": 10, "repeats": (2, 2), "stem": "small"}


@pytest.mark.parametrize("options", [
    {"groups": 3, **SMALL}, {"groups": 2, **SMALL, "shuffle": "inverse", "pool_first": False},
    {"groups": 3, "scale": 0.25, "image": (56, 56), "classes": 10, "repeats": (2, 1), "bottleneck": "branch"},
])
def test_quantised_network_follows_the_float_one(rng, options):
    network = random_float_network(rng, Architecture(**options))
    images = blurred_images(rng, 24, network.layers[0].size[0])
    integer = quantise(network, images[:16])
    specs = network.layers
    exact = float_graph.run(specs, fold(network), images[16:])
    found = [run(integer, image) for image in images[16:]]
    for name, tensor in integer.tensors.items():
        scale = integer.output_scale if name == integer.output else scales(integer)[name]
        value = (np.array([tensors[name] for tensors in found], float) - tensor.zero_point) * scale
        error = np.square(value - exact[name]).mean() / exact[name].var()
        assert error < 0.08, name  # what a wrong zero point or scale gives is many times that
    assert integer.classes == network.classes and integer.name == network.name


def scales(integer):
    report = integer.metadata["quantisation"]
    return {layer.output: report[layer.name]["scale"] for layer in integer.layers} | {"image": 1 / 255}


def test_one_scale_per_residual_stage(rng):
    network = quantise(random_float_network(rng, Architecture(3, **SMALL)), blurred_images(rng, 4, 28))
    found = scales(network)
    assert found["stage2.unit1"] == found["stage2.unit2"] != found["stage3.unit1"] == found["stage3.unit2"]
    assert network.tensors["stage2.unit2"].zero_point == -128
    assert network.tensors["stage2.unit2.depthwise"].zero_point == 0
    report = network.metadata["quantisation"]
    assert {name: r["worst_sum"] for name, r in report.items() if r["worst_sum"]} == prove(network)


def test_maximum_pool_shares_the_scale_of_its_input():
    groups = shared_scales(Architecture(3).layers())
    assert groups["maxpool"] == groups["conv1"] and groups["average"] != groups["stage4.unit4"]
    assert len({groups[f"stage3.unit{n}"] for n in range(1, 9)}) == 1
    assert groups["stage3.unit2.reduce"] == "stage3.unit2.reduce"


def test_folding_is_batch_norm(rng):
    network = random_float_network(rng, Architecture(1, **SMALL))
    layer = fold(network)["conv1"]
    p = {name: network.parameters[f"conv1.{name}"] for name in ("weight", "gamma", "beta", "mean", "variance")}
    patch = rng.normal(size=27)
    for o in range(len(layer.bias)):
        plain = patch @ p["weight"][o].ravel()
        normed = (plain - p["mean"][o]) / np.sqrt(p["variance"][o] + 1e-5) * p["gamma"][o] + p["beta"][o]
        assert patch @ layer.weight[o].ravel() + layer.bias[o] == pytest.approx(normed)


def test_worst_sums_are_reached_and_never_passed(rng):
    weight = rng.integers(-127, 128, (6, 4, 3, 3)).astype(np.int8)
    bias = rng.integers(-50000, 50000, 6)
    worst = worst_sums(weight, bias)
    flat = weight.reshape(6, -1).astype(int)
    high = (flat * np.where(flat > 0, 127, -128)).sum(1) + bias
    low = (flat * np.where(flat > 0, -128, 127)).sum(1) + bias
    assert (worst == np.maximum(abs(high), abs(low))).all()
    for _ in range(50):
        maps = rng.integers(-128, 128, (4, 3, 3)).astype(np.int8)
        assert (abs(convolution(maps, weight, bias)).max((1, 2)) <= worst).all()


def test_channels_whose_sum_would_not_fit_are_rescaled(rng):
    weight = rng.uniform(0.5, 1, (3, 2000, 1, 1))
    weight[1] *= 1e-3  # one scale per channel: small weights do not help
    weight[2, 500:] = 0
    folded = Folded(weight, np.array([0.0, 0.0, 0.0]))
    integers, bias, scale, rescaled = integer_weights(folded, 0.01, -128)
    assert rescaled == 2 and integers.dtype == np.int8 and bias.dtype == np.int32
    assert worst_sums(integers, bias).max() < ACCUMULATOR_LIMIT
    assert integers[2].max() == 127 and integers[0].max() > 40
    assert np.abs(integers * scale[:, None, None, None] - weight).max() < 0.5 * scale.max() + 1e-9


def test_large_biases_are_rescaled_too():
    folded = Folded(np.full((2, 1, 1, 1), 1e-6), np.array([1.0, 0.0]))
    _, bias, scale, rescaled = integer_weights(folded, 0.01, 0)
    assert rescaled == 1 and abs(bias[0] * scale[0] * 0.01 - 1) < 1e-6


def test_a_channel_without_weights_keeps_its_bias():
    weight, bias, scale, _ = integer_weights(Folded(np.zeros((1, 4, 1, 1)), np.array([-2.5])), 0.02, -128)
    assert not weight.any() and bias[0] * scale[0] * 0.02 == pytest.approx(-2.5, rel=1e-3)


def test_multiplier_and_shift(rng):
    for factor in np.exp2(rng.uniform(-14.9, 1, 500)):
        multiplier, shift = multiplier_and_shift(factor)
        assert 0 < multiplier < 2**17 and 16 <= shift <= 31
        assert multiplier / 2**shift == pytest.approx(factor, rel=2**-16)
    assert multiplier_and_shift(1.0) == (1 << 16, 16)
    assert multiplier_and_shift(1 / 9) == (116508, 20)
    assert multiplier_and_shift(0.0)[0] == 0 and multiplier_and_shift(2**-20) == (2**11, 31)
    assert multiplier_and_shift(1 - 2**-30) == (1 << 16, 16) and multiplier_and_shift(2 - 2**-30) == (2**17 - 1, 16)


@pytest.mark.parametrize("factor", [2.0, -0.1, float("nan"), float("inf")])
def test_impossible_factors_are_refused(factor):
    with pytest.raises(ValueError, match="must be at least 0 and below 2"):
        multiplier_and_shift(factor)


def test_best_scale(rng):
    assert best_scale(np.array([0.0, 255.0] * 100), False) == pytest.approx(1)
    assert best_scale(np.array([-127.0, 127.0] * 100), True) == pytest.approx(1)
    outlier = np.append(rng.uniform(0, 1, 10**6), 1.5)
    assert 1 / 255 < best_scale(outlier, False) < 1.2 / 255  # gives up the outlier
    assert best_scale(np.zeros(3), True) == 1.0


def test_average_pool_is_a_ninth_of_the_sum(rng):
    spec = Architecture(3, **SMALL).unit(3, 1)[0]
    layer = average_pool(spec, -128, 1.0)
    maps = rng.integers(-128, 128, (spec.in_channels, 6, 6)).astype(np.int8)
    sums = convolution(maps, layer.weight, layer.bias, layer.groups, 2, -128)
    padded = np.pad(maps.astype(int) + 128, ((0, 0), (1, 1), (1, 1)))
    for y, x in np.ndindex(3, 3):
        assert (sums[:, y, x] == padded[:, 2 * y:2 * y + 3, 2 * x:2 * x + 3].sum((1, 2))).all()
    assert layer.kind == "average_pool" and layer.multiplier[0] / 2.0**layer.shift[0] == pytest.approx(1 / 9, rel=1e-5)


def test_proof_names_layer_and_channel():
    network = random_unit(1, 2, size=(4, 4))
    assert prove(network)["stage2.unit2.reduce"] < ACCUMULATOR_LIMIT
    network.layers[0].bias[5] = ACCUMULATOR_LIMIT - 1
    with pytest.raises(ValueError, match="layer stage2.unit2.reduce, output channel 5"):
        prove(network)
    network = random_unit(1, 2, size=(4, 4))
    network.layers[1].shift[0] = 15
    with pytest.raises(ValueError, match="shift from 15 .* must be 16 to 31"):
        prove(network)
    network = random_unit(1, 2, size=(4, 4))
    network.layers[1].weight[0] = -128
    with pytest.raises(ValueError, match="weight of -128"):
        prove(network)


@pytest.mark.parametrize("shape, dtype", [((0, 28, 28), np.uint8), ((28, 28), np.uint8), ((1, 28, 28), float)])
def test_wrong_calibration_images_are_refused(rng, shape, dtype):
    images = np.zeros(shape, dtype)
    with pytest.raises(ValueError, match="calibration images are"):
        quantise(random_float_network(rng, Architecture(1, **SMALL)), images)


def test_parameters_of_another_architecture_are_refused(rng):
    network = random_float_network(rng, Architecture(3, **SMALL))
    with pytest.raises(ValueError, match=r"conv1.weight has shape \(6, 3, 3, 3\), but .* belong to another"):
        fold(FloatNetwork("other", Architecture(3, **(SMALL | {"scale": 0.5})).layers(), network.parameters))
    del network.parameters["conv1.gamma"]
    with pytest.raises(ValueError, match="conv1.gamma is missing"):
        fold(network)


def test_float_networks_survive_the_disk(rng, tmp_path):
    network = random_float_network(rng, Architecture(2, **SMALL))
    network.save(tmp_path / "n.npz")
    loaded = FloatNetwork.load(tmp_path / "n.npz")
    assert loaded.layers == network.layers and loaded.name == network.name and loaded.classes == network.classes
    assert all((loaded.parameters[name] == value).all() for name, value in network.parameters.items())
    (tmp_path / "bad.npz").write_bytes(b"something else")
    with pytest.raises(ValueError, match="bad.npz is broken or no float network at all"):
        FloatNetwork.load(tmp_path / "bad.npz")
    random_integer_network(Architecture(1, **SMALL), 0).save(tmp_path / "integer.npz")
    with pytest.raises(ValueError, match="is no float network: it says integer network"):
        FloatNetwork.load(tmp_path / "integer.npz")
