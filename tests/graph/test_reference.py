"""The reference against the same formulas written out pixel by pixel with Python integers."""

import numpy as np
import pytest

from riffle.graph.integer_graph import (
    Convolution,
    FullyConnected,
    GlobalAverage,
    IntegerNetwork,
    Layer,
    MaxPool,
    Shuffle,
    Tensor,
)
from riffle.graph.reference import (
    convolution,
    execute,
    fully_connected,
    global_average,
    input_tensor,
    layer_outputs,
    max_pool,
    requantise,
    run,
)
from riffle.zoo.random_networks import random_input, random_integer_network, random_unit
from riffle.zoo.shufflenet_v1 import Architecture


def clamp(value):
    return max(-128, min(127, value))


def naive_requantise(accumulator, multiplier, shift):
    return (int(accumulator) * int(multiplier) + (1 << (int(shift) - 1))) >> int(shift)


def naive_sum(maps, weight, bias, groups, stride, fill, o, y, x):
    """One sum of a convolution."""
    outputs, per_group, kernel, _ = weight.shape
    first = o // (outputs // groups) * per_group
    total = int(bias[o])
    for i, ky, kx in np.ndindex(per_group, kernel, kernel):
        qy, qx = stride * y + ky - kernel // 2, stride * x + kx - kernel // 2
        inside = 0 <= qy < maps.shape[1] and 0 <= qx < maps.shape[2]
        total += int(weight[o, i, ky, kx]) * (int(maps[first + i, qy, qx]) if inside else fill)
    return total


def naive_run(network, image):
    """All tensors, int [C][H][W], pixel by pixel."""
    tensors = {network.input: image}
    for layer in network.layers:
        described, maps = network.tensors[layer.output], tensors[layer.input]
        zero = network.tensors[layer.input].zero_point
        out = tensors.setdefault(layer.output, np.zeros((described.channels, described.height, described.width), int))
        for o, y, x in np.ndindex(len(layer.weight), *out.shape[1:]):
            total = naive_sum(maps, layer.weight, layer.bias, layer.groups, layer.stride, zero, o, y, x)
            value = naive_requantise(total, layer.multiplier[o], layer.shift[o])
            place = o
            if layer.shuffle:
                place = o % layer.shuffle.modulus * layer.shuffle.step_low
                place += o // layer.shuffle.modulus * layer.shuffle.step_high
            place += layer.out_channel
            value += int(tensors[layer.residual][place, y, x]) if layer.residual else described.zero_point
            out[place, y, x] = clamp(value)
    return tensors


def random_maps(rng, *shape):
    return rng.integers(-128, 128, shape).astype(np.int8)


def random_weights(rng, *shape):
    return rng.integers(-127, 128, shape).astype(np.int8)


def one_layer(layer, channels, size, out_channels, out_size, zero_point=0, out_zero_point=0):
    tensors = {"image": Tensor(channels, *size, zero_point), "out": Tensor(out_channels, *out_size, out_zero_point)}
    return IntegerNetwork("test", "image", tensors, [layer])


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2, 3, 12])
def test_convolution(rng, kernel, stride, groups):
    inputs, outputs = 12, 12 * int(rng.integers(1, 3))
    maps = random_maps(rng, inputs, *rng.integers(3, 8, 2))
    weight = random_weights(rng, outputs, inputs // groups, kernel, kernel)
    bias = rng.integers(-(2**20), 2**20, outputs).astype(np.int32)
    fill = int(rng.integers(-128, 128))
    result = convolution(maps, weight, bias, groups, stride, fill)
    assert result.shape == (outputs, -(-maps.shape[1] // stride), -(-maps.shape[2] // stride))
    for o, y, x in np.ndindex(result.shape):
        assert result[o, y, x] == naive_sum(maps, weight, bias, groups, stride, fill, o, y, x)


def test_requantise(rng):
    shift = rng.integers(16, 32, 5000)
    multiplier = rng.integers(0, 2**17, 5000)
    wanted = rng.integers(-160, 160, 5000)  # results in and around the range of int8
    accumulator = np.clip((wanted + rng.random(5000)) * 2.0**shift / np.maximum(multiplier, 1), -(2**24), 2**24)
    accumulator = accumulator.astype(np.int64)
    result = requantise(accumulator, multiplier, shift)
    assert (result < -128).any() and (result > 127).any() and len(np.unique(result)) > 200
    for r, a, m, s in zip(result, accumulator, multiplier, shift, strict=True):
        assert r == naive_requantise(a, m, s)


def test_requantise_rounds_halves_up():
    assert list(requantise(np.array([-3, -1, 1, 3]), 1 << 15, 16)) == [-1, 0, 1, 2]


def test_max_pool(rng):
    maps = random_maps(rng, 3, 5, 6)
    result = max_pool(maps)
    assert result.shape == (3, 3, 3)
    for c, y, x in np.ndindex(result.shape):
        assert result[c, y, x] == maps[c, max(2 * y - 1, 0):2 * y + 2, max(2 * x - 1, 0):2 * x + 2].max()


def test_max_pool_padding_never_wins():
    assert (max_pool(np.full((1, 4, 4), -128, np.int8)) == -128).all()
    assert (max_pool(np.full((1, 4, 4), -127, np.int8)) == -127).all()


def test_global_average_and_fully_connected(rng):
    maps, weight = random_maps(rng, 5, 3, 4), random_weights(rng, 7, 5)
    bias = rng.integers(-1000, 1000, 7).astype(np.int32)
    sums = global_average(maps, 17)
    assert sums.ravel().tolist() == [17 + sum(int(v) for v in channel.ravel()) for channel in maps]
    scores = fully_connected(maps[:, :1, :1], weight, bias)
    for o in range(7):
        products = [int(weight[o, i]) * int(maps[i, 0, 0]) for i in range(5)]
        assert scores[o, 0, 0] == int(bias[o]) + sum(products)


@pytest.mark.parametrize("channels, groups", [(12, 3), (12, 4), (50, 2), (17 * 4, 4), (6, 1)])
def test_shuffle_conventions(rng, channels, groups):
    maps = random_maps(rng, channels, 1, 2)
    for shuffle, shape in ((Shuffle.paper(channels, groups), (groups, -1)),
                           (Shuffle.inverse(channels, groups), (-1, groups))):
        placed = np.empty_like(maps)
        placed[shuffle.positions(channels)] = maps
        assert (placed == maps.reshape(*shape, 1, 2).swapaxes(0, 1).reshape(maps.shape)).all()
    both = Shuffle.inverse(channels, groups).positions(channels)[Shuffle.paper(channels, groups).positions(channels)]
    assert (both == np.arange(channels)).all()


@pytest.mark.parametrize("kind", ["residual", "stride2"])
@pytest.mark.parametrize("options", [{}, {"shuffle": "inverse", "pool_first": False}, {"zero_point": 7}])
def test_units_pixel_by_pixel(rng, kind, options):
    seed = int(rng.integers(1 << 30))
    network = random_unit(3, 3, kind, 0.25, size=(4, 6), seed=seed, **options)
    image = random_input(network, seed + 1)
    tensors = run(network, image)
    for name, expected in naive_run(network, image).items():
        assert (tensors[name] == expected).all(), name


def test_a_residual_meets_the_channels_where_they_go(rng):
    shift = np.full(12, 20, np.int32)
    weight, zeros = random_weights(rng, 12, 4, 1, 1), np.zeros(12, np.int32)
    layer = Convolution("c", "image", "out", weight, zeros, 1500 + shift, shift,
                        3, 1, Shuffle.paper(12, 3), "image")
    network = one_layer(layer, 12, (3, 3), 12, (3, 3), 9, 9)
    image = random_maps(rng, 12, 3, 3)
    assert (run(network, image)["out"] == naive_run(network, image)["out"]).all()


def test_grey_is_the_same_three_times(rng):
    network = random_integer_network(Architecture(1, 0.25, (28, 28), 10, (1,), "small"), 0)
    grey = rng.integers(0, 256, (28, 28)).astype(np.uint8)
    maps = input_tensor(network, grey)
    assert maps.dtype == np.int8 and (maps.astype(int) + 128 == grey).all() and len(maps) == 3
    color = np.repeat(grey[..., None], 3, 2)
    color[0, 0] = 1, 2, 3
    assert input_tensor(network, color)[:, 0, 0].tolist() == [-127, -126, -125]
    assert (run(network, grey)["scores"] == run(network, input_tensor(network, grey))["scores"]).all()


@pytest.mark.parametrize("image, message", [
    (np.zeros((28, 27), np.uint8), "28x27, but .* takes 28x28 grey or 28x28x3 RGB: resize"),
    (np.zeros((28, 28, 4), np.uint8), "28x28x4"),
    (np.zeros((28, 28), np.float32), "float32 .* takes uint8 pixels"),
    (np.zeros((28, 28), np.int64), "int64"),
    (np.zeros((28, 28, 3), np.int8), "takes 3x28x28"),
])
def test_wrong_images_are_refused(image, message):
    network = random_integer_network(Architecture(1, 0.25, (28, 28), 10, (1,), "small"), 0)
    with pytest.raises(ValueError, match=message):
        run(network, image)


def test_pictures_are_refused_where_a_unit_wants_its_tensor():
    with pytest.raises(ValueError, match="int8 tensor 60x4x6"):
        run(random_unit(3, 2, "residual", 0.25, size=(4, 6)), np.zeros((4, 6, 3), np.uint8))


def test_a_sum_beyond_the_accumulator_is_refused():
    weight = np.full((1, 2000, 1, 1), 127, np.int8)
    one = np.ones(1, np.int32)
    layer = Convolution("wide", "image", "out", weight, 0 * one, one, 16 * one)
    network = one_layer(layer, 2000, (1, 1), 1, (1, 1))
    most = np.full((2000, 1, 1), 127, np.int8)
    with pytest.raises(ValueError, match="layer wide, output channel 0: sums can reach 32512000, but .*: quantise"):
        run(network, most)
    with pytest.raises(ValueError, match="layer wide: a sum reaches 32258000, but must stay below 16777216"):
        execute(layer, network.tensors, {"image": most})
    layer.weight[:, 1032:] = 0  # 1032 * 127 * 128 = 16776192
    assert run(network, most)["out"][0, 0, 0] == 127


def test_inconsistent_networks_are_refused():
    one = np.ones(4, np.int32)
    layer = Convolution("c", "image", "out", np.ones((4, 2, 1, 1), np.int8), one, one, 16 * one)
    image = np.zeros((2, 3, 3), np.int8)
    with pytest.raises(ValueError, match="c makes 4x3x3, but its output tensor out is declared as 4x2x3"):
        run(one_layer(layer, 2, (3, 3), 4, (2, 3)), image)
    with pytest.raises(ValueError, match="writes channel 3 of tensor out, which has 3"):
        run(one_layer(layer, 2, (3, 3), 3, (3, 3)), image)
    with pytest.raises(ValueError, match="do not fit 3 input channels"):
        run(one_layer(layer, 3, (3, 3), 4, (3, 3)), np.zeros((3, 3, 3), np.int8))
    with pytest.raises(ValueError, match="odd is a Layer, which is none of Convolution, MaxPool, "):
        run(one_layer(Layer("odd", "image", "out"), 2, (3, 3), 4, (3, 3)), image)
    layer.weight = layer.weight.astype(np.int16)
    with pytest.raises(ValueError, match=r"has weights int16 \[4\]\[2\]\[1\]\[1\], which must be int8"):
        run(one_layer(layer, 2, (3, 3), 4, (3, 3)), image)


def test_layer_outputs_name_the_layer_that_differs():
    network = random_unit(3, 2, "stride2", 0.25, size=(8, 8), pool_first=False)
    pool, expand = network.layers[0], network.layers[-1]
    tensors = run(network, random_input(network, 1))
    outputs = layer_outputs(network, tensors)
    assert list(outputs) == [layer.name for layer in network.layers]
    assert len(outputs[pool.name]) == len(pool.weight) == 6 and (outputs[pool.name] == tensors[pool.output][54:]).all()
    assert len(outputs[expand.name]) == expand.weight.shape[0] and pool.out_channel == len(expand.weight)
    changed = {name: maps.copy() for name, maps in tensors.items()}
    changed[pool.output][pool.out_channel, 0, 0] += 1
    different = [n for n, maps in layer_outputs(network, changed).items() if (maps != outputs[n]).any()]
    assert different == [pool.name]


def test_average_and_classifier_in_a_network(rng):
    weight = random_weights(rng, 3, 2)
    layers = [MaxPool("m", "image", "m"), GlobalAverage("a", "m", "a", -40, 65536, 18),
              FullyConnected("f", "a", "scores", weight, np.array([5, -5, 0], np.int32))]
    tensors = {"image": Tensor(2, 4, 4, -128), "m": Tensor(2, 2, 2, -128), "a": Tensor(2, 1, 1, -100),
               "scores": Tensor(3, 1, 1)}
    maps = random_maps(rng, 2, 4, 4)
    result = run(IntegerNetwork("test", "image", tensors, layers), maps)
    average = [clamp(naive_requantise(int(max_pool(maps)[c].sum(dtype=int)) - 40, 65536, 18) - 100) for c in (0, 1)]
    assert result["a"].ravel().tolist() == average and result["scores"].dtype == np.int32
    assert result["scores"].ravel().tolist() == (weight.astype(int) @ average + [5, -5, 0]).tolist()
