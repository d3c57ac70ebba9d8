"""Networks that contradict themselves, or ask for what no descriptor can do: refused by name, never run wrongly."""

import dataclasses
import re

import numpy as np
import pytest

from campaigns import campaign
from random_graphs import random_graph
from riffle.compiler import CompileError, compile_network
from riffle.graph import reference
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
from riffle.isa.emulator import execute
from sample_networks import Builder


def sample(rng):
    """A network with a layer of each kind: conv0, average pool "1.pool", 1.a, 1.b, 1.c, pool5, residual 6.a-c, head."""
    b = Builder(rng, 3, 16, 24)
    t = b.stride2_unit(b.convolution("image", 8, 3), 2, 4, 16)
    b.head(b.residual_unit(b.max_pool(t), 2, 6), 5)
    return b.network(["a", "b", "c", "d", "e"])


def convolution(name, weight, groups=1, **options):
    ones = np.ones(len(weight), np.int32)
    return Convolution(name, options.pop("input", "image"), name, weight.astype(np.int8), 0 * ones, ones, 16 * ones,
                       groups, **options)


def of(network, name):
    return next(layer for layer in network.layers if layer.name == name)


def change(layer_name, /, **fields):
    """Other fields of a layer; a function of the old value gives the new one."""
    def apply(network):
        layer = of(network, layer_name)
        for field, value in fields.items():
            setattr(layer, field, value(getattr(layer, field)) if callable(value) else value)
    return apply


def tensor(name, **fields):
    def apply(network):
        network.tensors[name] = dataclasses.replace(network.tensors[name], **fields)
    return apply


def setting(**fields):
    def apply(network):
        for field, value in fields.items():
            setattr(network, field, value)
    return apply


def array(name, field, index, value):
    def apply(network):
        getattr(of(network, name), field)[index] = value
    return apply


def move(name, place):
    def apply(network):
        layer = of(network, name)
        network.layers.remove(layer)
        network.layers.insert(place, layer)
    return apply


def add(layer):
    return lambda network: network.layers.append(layer)


CONTRADICTIONS = [
    (setting(layers=[]), "network sample has no layers: there is nothing to run"),
    (setting(input="picture"), "the input of network sample is 'picture', which is none of its tensors"),
    (setting(classes=["a"]), "names 1 classes, but its output logits is 5x1x1: name one class for each score, or none"),
    (setting(classes=None), "names None as classes"),
    (setting(output_scale=float("nan")), "has output_scale nan, which must be a number above 0"),
    (tensor("conv0", channels=0), "tensor conv0 has channels 0, which must be a whole number from 1 on"),
    (tensor("conv0", height=16.0), "tensor conv0 has height 16.0, which must be a whole number"),
    (tensor("conv0", zero_point=128), "tensor conv0 has zero_point 128, which must be a whole number from -128 to"),
    (change("conv0", name="1.a"), "two layers have the name 1.a: give each layer a name of its own"),
    (change("conv0", name=7), "a Convolution has the name 7, which must be a text"),
    (add(Layer("odd", "image", "conv0")), "layer odd is a Layer, which is none of Convolution, MaxPool"),
    (change("1.a", input="nothing"), "layer 1.a has input 'nothing', which is no tensor of the network"),
    (change("1.a", output=None), "layer 1.a has output None, which is no tensor of the network"),
    (change("6.c", residual="nothing"), "layer 6.c has residual 'nothing', which is no tensor of the network"),
    (move("1.a", 4), "layer 1.b reads tensor 1.a, which no layer before it writes: put the layer"),
    (move("1.c", 6), "layer pool5 reads tensor 1.out before it is complete: of 16 channels 8 are written, channel 8"),
    (lambda network: network.layers.pop(4), "reads tensor 1.out before it is complete"),
    (change("1.c", out_channel=7), "layer 1.c writes channel 7 of tensor 1.out, which layer 1.pool writes"),
    (change("1.c", out_channel=9), "layer 1.c writes channel 16 of tensor 1.out, which has 16: correct out_channel"),
    (change("1.c", out_channel=10**30), f"layer 1.c writes channel {10**30} of tensor 1.out, which has 16: correct"),
    (change("1.c", out_channel=-1), "layer 1.c has out_channel -1, which must be a whole number from 0 on"),
    (change("1.c", output="image"), "layer 1.c writes channel 15 of tensor image, which has 3"),
    (add(convolution("image", np.ones((3, 3, 1, 1)))), "layer image writes tensor image, where the image lies"),
    (change("conv0", stride=4), "layer conv0 has stride 4, which must be a whole number from 1"),
    (change("conv0", stride=2), "layer conv0 makes 8x8x12, but its output tensor conv0 is declared as 8x16x24"),
    (tensor("1.b", channels=3), "layer 1.b writes channel 3 of tensor 1.b, which has 3"),
    (tensor("1.b", channels=5), "weights for 2 groups of 2 inputs and 8 outputs in all, which do not fit 5 input"),
    (tensor("1.out", height=7), "but its output tensor 1.out is declared as 16x7x12: correct the network"),
    (tensor("pool5", zero_point=99), "a maximum keeps scale and zero point"),
    (tensor("6.c", zero_point=99), "layer 6.c adds tensor pool5, .* both must have the same size, scale and zero"),
    (tensor("vector", height=2), "layer average makes 16x1x1, but its output tensor vector is declared as 16x2x1"),
    (change("conv0", groups=2), "which do not fit 3 input channels of tensor image: weights are"),
    (change("conv0", groups=0), "layer conv0 has groups 0, which must be a whole number from 1 on"),
    (change("conv0", groups=1.0), "layer conv0 has groups 1.0"),
    (change("conv0", kind="pool"), "layer conv0 is of kind 'pool', which must be one of convolution, average_pool"),
    (change("conv0", kind="average_pool"), "layer conv0 is an average pool with weights .* of ones in C groups"),
    (array("1.pool", "weight", (0, 0, 1, 1), 2), "layer 1.pool is an average pool with weights"),
    (change("conv0", shuffle=Shuffle(4, 1, 2)), "layer conv0 writes channel 2 of tensor conv0 twice: .* permutation"),
    (change("conv0", shuffle=Shuffle(4, 3, 1)), "layer conv0 writes channel 10 of tensor conv0, which has 8"),
    (change("conv0", shuffle=Shuffle(0, 1, 1)), "whose modulus must be 1 or more, and its steps 0 or more"),
    (change("conv0", shuffle=Shuffle(8, -1, 1)), "whose modulus must be 1 or more, and its steps 0 or more"),
    (change("conv0", shuffle=(8, 1, 8)), r"has the shuffle \(8, 1, 8\)"),
    (change("conv0", weight=lambda w: w.astype(np.int16)), r"has weights int16 \[8\]\[3\]\[3\]\[3\], which must be"),
    (change("conv0", weight=lambda w: w[:0]), r"has weights int8 \[0\]"),
    (change("conv0", weight=None), "has weights of type NoneType"),
    (array("conv0", "weight", (1, 0, 0, 0), -128), "layer conv0 has a weight of -128, but weights are symmetric"),
    (array("conv0", "bias", 2, 1 << 24), "layer conv0 has a bias from .* to 16777216, but it must be -16777215 to"),
    (array("conv0", "bias", 2, (1 << 24) - 1), "layer conv0, output channel 2: sums can reach .*: quantise the"),
    (array("conv0", "multiplier", 3, 1 << 17), "layer conv0 has a multiplier from .* to 131072, but it must be 0 to"),
    (array("conv0", "multiplier", 3, -1), "layer conv0 has a multiplier from -1 "),
    (array("conv0", "shift", 3, 15), "layer conv0 has a shift from 15 to"),
    (array("conv0", "shift", 3, 32), "layer conv0 has a shift from .* to 32, but it must be 16 to 31"),
    (change("conv0", bias=lambda b: b[:5]), r"has bias int32 \[5\], which must be whole numbers \[8\]"),
    (change("conv0", bias=lambda b: b.astype(float)), r"has bias float64 \[8\], which must be whole numbers"),
    (change("average", bias=0.5), "layer average has bias 0.5, which must be a whole number"),
    (change("average", bias=1 << 24), "layer average has a bias from"),
    (change("average", multiplier=1 << 17), "layer average has a multiplier from"),
    (change("average", shift=32), "layer average has a shift from"),
    (change("fc", weight=lambda w: w[:, :-1]), "weights for 15 inputs, which do not fit 16 input channels"),
    (change("fc", weight=lambda w: w[:4], bias=lambda b: b[:4]),
     "layer fc makes 4x1x1, but its output tensor logits is declared as 5x1x1"),
    (change("fc", input="6.c"), "layer fc is fully connected to tensor 6.c, a map of 4x6 pixels: put a global average"),
    (array("fc", "bias", 0, 1 << 24), "layer fc has a bias from .* but it must be"),
]
for size in ((5, 5), (7, 7), (2, 2), (3, 1)):
    CONTRADICTIONS.append((change("conv0", weight=np.ones((8, 3, *size), np.int8)),
                           "layer conv0 has a kernel of {}x{}, but there are 1x1 and 3x3".format(*size)))


@pytest.mark.parametrize("number", range(len(CONTRADICTIONS)))
def test_contradictions_are_refused_by_reference_and_compiler(rng, number):
    """In the same words: what is legal is said in one place."""
    apply, message = CONTRADICTIONS[number]
    network = sample(rng)
    compile_network(network, "small")
    apply(network)
    with pytest.raises(ValueError, match=message) as refused:
        reference.run(network, np.zeros((3, 16, 24), np.int8))
    with pytest.raises(CompileError, match=re.escape(str(refused.value))):
        compile_network(network, "small")
    assert ": " in str(refused.value), "a cause, and a remedy"


def test_what_follows_a_fully_connected_layer_is_refused(rng):
    network = sample(rng)
    network.tensors["more"] = Tensor(2, 1, 1)
    network.classes = []
    network.layers.append(FullyConnected("more", "logits", "more", np.ones((2, 5), np.int8), np.zeros(2, np.int32)))
    with pytest.raises(CompileError, match="layer more reads tensor logits, the 32-bit sums of layer fc"):
        compile_network(network, "small")


def test_a_tensor_that_is_never_complete_is_refused(rng):
    network = sample(rng)
    network.tensors["rest"] = Tensor(9, 16, 24)
    network.layers.insert(1, dataclasses.replace(of(network, "conv0"), name="rest", output="rest"))
    with pytest.raises(CompileError, match="tensor rest, which layer rest writes, is never complete: of 9 channels 8"):
        compile_network(network, "small")


def one(layer, source, output):
    return IntegerNetwork("one", "image", {"image": source, layer.output: output}, [layer])


def impossible():
    """Consistent, but not for this hardware: network, hardware, message."""
    ones, two = np.ones((4, 4, 1, 1)), {"rows": 2, "columns": 2, "activation_depth": 64}
    vector, pair = Tensor(4, 1, 1), Tensor(4, 2, 2)
    yield (one(convolution("c", np.ones((4, 4, 3, 3))), vector, vector), two,
           "layer c needs the neighbours of a pixel, but tensor image is a single one")
    yield one(GlobalAverage("a", "image", "a", 0, 1, 16), vector, vector), two, "layer a needs the neighbours"
    yield one(MaxPool("m", "image", "m"), vector, vector), two, "layer m needs the neighbours of a pixel"
    yield (one(convolution("c", ones, stride=2), vector, vector), two,
           "layer c has stride 2, but tensor image of 1x1 pixels is as small as a lattice of 2x2 can divide: use")
    yield one(convolution("c", ones, stride=2), pair, vector), two, "layer c has stride 2, but tensor image of 2x2"
    yield one(MaxPool("m", "image", "m"), pair, vector), two, "layer m has stride 2, but tensor image of 2x2"
    hidden = one(convolution("p", ones), vector, vector)
    hidden.tensors["d"] = vector
    hidden.layers.append(convolution("d", np.ones((4, 1, 3, 3)), 4, input="p"))
    yield hidden, two, "layer d needs the neighbours of a pixel, but tensor p is a single one"
    deep = {"rows": 1, "columns": 2, "activation_depth": 65535}
    many = np.ones((70000, 1, 1, 1))
    yield (one(convolution("c", many), Tensor(1, 1, 1), Tensor(70000, 1, 1)), deep,
           "layer c needs group_outputs 70000 in a descriptor, which holds 0 to 65535: use")


def test_what_no_descriptor_can_do_is_refused():
    for network, build, message in impossible():
        image = np.zeros(dataclasses.astuple(network.tensors["image"])[:3], np.int8)
        reference.run(network, image)
        with pytest.raises(CompileError, match=message):
            compile_network(network, build)


@pytest.mark.parametrize("build, message", [
    ("huge", "there is no configuration 'huge': choose full, small"),
    ({"rows": 9, "columns": 9, "activation_depth": 64}, "hardware of 9x9 lanes and 64 words .* 1 to 64 lanes"),
    ({"rows": 2, "columns": 3}, "hardware of 2x3 lanes and 0 words"),
    ({"rows": 2, "columns": 3, "activation_depth": 1 << 16}, "1 to 65535 words"),
])
def test_hardware_that_cannot_be_is_refused(rng, build, message):
    with pytest.raises(ValueError, match=message):
        compile_network(sample(rng), build)


NUMBERS = (-1, 0, 1, 2, 3, 4, 5, 7, 16, 31, 32, 127, 128, 1 << 17, 1 << 24, 1 << 31, 1 << 40, 10**30, 1.5, None, "x")


def mutated(rng, network):
    """The network with one thing changed, and what that is."""
    layer = network.layers[rng.integers(len(network.layers))]
    fields = [f.name for f in dataclasses.fields(layer)]
    field = str(rng.choice([*fields, "order", "gone", "twice", "shuffle step", "tensor", "tensor"]))
    number = NUMBERS[rng.integers(len(NUMBERS))] if rng.integers(2) else int(rng.integers(-128, 128))
    names = [name for name in network.tensors if rng.integers(3) or
             network.tensors[name] == network.tensors.get(layer.output)] or [layer.input]
    if field == "order":
        rng.shuffle(network.layers)
    elif field == "gone":
        network.layers.remove(layer)
    elif field == "twice":
        network.layers.insert(int(rng.integers(len(network.layers))), dataclasses.replace(layer, name="again"))
    elif field == "shuffle step" and hasattr(layer, "shuffle"):
        layer.shuffle = Shuffle(*(NUMBERS[i] for i in rng.integers(0, 15, 3)))
    elif field in ("tensor", "shuffle step"):
        name, key = str(rng.choice(names)), str(rng.choice(["channels", "height", "width", *["zero_point"] * 3]))
        network.tensors[name] = dataclasses.replace(network.tensors[name], **{key: number})
        return f"{name}.{key} = {number}"
    elif isinstance(value := getattr(layer, field), np.ndarray):
        setattr(layer, field, other_array(rng, value))
    elif field in ("name", "input", "output", "residual"):
        setattr(layer, field, rng.choice([*names, "nothing"]).item() if rng.integers(9) else None)
    else:
        setattr(layer, field, number)
    return f"{layer.name}.{field}"


def other_array(rng, value):
    """An array with one element, its shape or its type changed."""
    choice, value = int(rng.integers(6)), value.copy()
    if choice < 2:
        limits = np.iinfo(value.dtype)
        value.flat[rng.integers(value.size)] = rng.choice([limits.min, limits.max, 0, *rng.integers(-20, 20, 3)])
    elif choice == 2:
        value = value[:int(rng.integers(len(value) + 1))]
    elif choice == 3:
        value = value.astype(rng.choice(["int8", "int16", "int64", "float32", "uint8"]))
    elif choice == 4:
        value = np.moveaxis(value, 0, -1)
    else:
        value = value[..., None]
    return value


def outcome(rng, network):
    """"refused" by reference and compiler alike, "impossible" for the compiler, or "right"."""
    try:
        program, reason = compile_network(network, "small"), None
    except CompileError as error:
        program, reason = None, str(error)
    image = rng.integers(-128, 128, program.image_size if program else (1, 1, 1), np.int8)
    try:
        tensors = reference.run(network, image)
    except ValueError as error:
        assert program is None, f"compiled, but the reference says: {error}"
        return "refused" if str(error) == reason else "impossible"
    assert program, reason
    memory = rng.integers(-128, 128, (4, program.activation_depth, 6), np.int8)
    program.write_image(memory, image)
    execute(memory, program.descriptors, program.stream, 2, 3)
    np.testing.assert_array_equal(program.read_result(memory), tensors[network.output])
    return "right"


def test_mutated_networks_are_refused_or_right(rng):
    """Whatever is wrong with a network: CompileError, or the same bits. There is no other exception."""
    counts = dict.fromkeys(("refused", "impossible", "right"), 0)
    for number in range(campaign(300, 5000)):
        seed = int(rng.integers(1 << 31))
        own = np.random.default_rng(seed)
        network = random_graph(own)[0] if own.integers(3) else sample(own)
        change = " and ".join(mutated(own, network) for _ in range(int(own.integers(1, 3))) if network.layers)
        try:
            counts[outcome(own, network)] += 1
        except Exception:
            print(f"network {number}, seed {seed}: {change}")
            raise
    print(counts)
    assert counts["refused"] > campaign(300, 5000) // 3 and counts["right"] > campaign(300, 5000) // 20
