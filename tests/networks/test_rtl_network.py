"""Whole networks and units on the full Verilated accelerator: the bits of the reference, and the cycles promised.

The accelerator runs each program as a whole and once more descriptor by descriptor; every result is compared.
"""

import numpy as np
import pytest

from campaigns import campaign
from riffle.analysis.compare import steps
from riffle.compiler import compile_network
from riffle.graph import reference
from riffle.isa import spec
from riffle.zoo import catalogue, digits

IMAGES = 120
UNITS = [(groups, stage, kind) for groups in (1, 2, 3, 4, 8) for stage in (2, 3) for kind in ("residual", "stride2")]
LARGEST_WITHOUT_CLASSIFIER = 60_000  # cycles of 0.25x, g = 3 at 224x224
TOLERANCE = 0.05  # of cycles around a model


@pytest.fixture
def seed(rng):
    return int(rng.integers(1 << 31))


def run(accelerator, network, image):
    """A whole run, which must give the reference's bits."""
    program = compile_network(network)
    accelerator.load(program)
    result = accelerator.run(image)
    np.testing.assert_array_equal(result.output, reference.run(network, image)[network.output])
    return program, result


def check_layers(accelerator, network, image):
    """What every descriptor leaves in memory must be the reference's; returns the layers that were compared."""
    layers = []
    for layer, difference in steps(accelerator, network, image):
        assert difference is None, str(difference)
        layers.append(layer)
    assert len(layers) == len(accelerator.program.records)
    return set(layers)


def test_digits_are_the_references(full_hardware, rng):
    network = digits.network()
    images, labels = digits.held_out()
    full_hardware.load(compile_network(network))
    right, cycles = 0, set()
    for index in rng.choice(len(images), IMAGES, replace=False):
        result = full_hardware.run(images[index])
        expected = reference.run(network, images[index])[network.output]
        np.testing.assert_array_equal(result.output, expected, f"held-out image {index}")
        right += result.label == network.classes[labels[index]]
        cycles.add(result.cycles)
    assert right > 0.97 * IMAGES
    assert len(cycles) == 1, "what an image shows does not change how long it takes"


def test_digits_layer_by_layer(full_hardware, rng):
    network = digits.network()
    images, _ = digits.held_out()
    full_hardware.load(compile_network(network))
    layers = check_layers(full_hardware, network, images[rng.integers(len(images))])
    assert layers == {layer.name for layer in network.layers}


def test_large_image_layer_by_layer(full_hardware, seed):
    """ShuffleNet V1 0.25x, g = 3 with 10 classes at 224x224."""
    network = catalogue.find("g3-0.25x-c10", seed)
    image = catalogue.sample_input(network, seed)
    assert image.shape == (224, 224, 3)
    program, result = run(full_hardware, network, image)
    classifier = sum(log["CYCLES"] for layer, log in full_hardware.layer_cycles() if layer == "classifier")
    assert classifier and result.cycles - classifier <= LARGEST_WITHOUT_CLASSIFIER
    assert result.cycles == pytest.approx(program.cycles, rel=TOLERANCE)
    assert check_layers(full_hardware, network, image) == {layer.name for layer in network.layers}


@pytest.mark.parametrize("groups, stage, kind", UNITS)
def test_unit_layer_by_layer(full_hardware, seed, groups, stage, kind):
    network = catalogue.find(f"g{groups}-1x-stage{stage}-{kind}", seed)
    tensor = catalogue.sample_input(network, seed)
    program, result = run(full_hardware, network, tensor)
    assert result.cycles == pytest.approx(program.cycles, rel=TOLERANCE)
    if stage > 2 or campaign(0, 1):  # to read maps of 28x28 through the bus takes most of the time
        assert check_layers(full_hardware, network, tensor) == {layer.name for layer in network.layers}


@pytest.mark.parametrize("stage", [2, 3, 4])
def test_residual_unit_takes_the_cycles_of_the_model(full_hardware, seed, stage):
    network = catalogue.find(f"g3-1x-stage{stage}-residual", seed)
    program, result = run(full_hardware, network, catalogue.sample_input(network, seed))
    channels, phases = 240 << (stage - 2), 16 >> 2 * (stage - 2)
    middle, blocks = channels // 4, channels // 3 // spec.BANKS  # bottleneck channels; input blocks of a group
    reduce = middle // 2 * phases * blocks
    depthwise = middle // 2 * phases * spec.DRAIN_SLOTS
    expand = channels // 2 * phases * (middle // 3 // spec.BANKS + 1)  # a cycle to read what is added
    assert result.cycles == pytest.approx(reduce + depthwise + expand, rel=TOLERANCE)
    assert result.cycles == pytest.approx(program.cycles, rel=TOLERANCE)


@pytest.mark.parametrize("groups, stage, kind", [(3, 2, "residual"), (8, 3, "stride2")])
def test_shuffle_costs_nothing(full_hardware, seed, groups, stage, kind):
    name = f"g{groups}-1x-stage{stage}-{kind}"
    shuffled, plain = catalogue.find(name, seed), catalogue.find(f"{name}-unshuffled", seed)
    assert any(getattr(layer, "shuffle", None) for layer in shuffled.layers)
    assert not any(getattr(layer, "shuffle", None) for layer in plain.layers)
    tensor = catalogue.sample_input(shuffled, seed)
    (_, one), (_, other) = (run(full_hardware, network, tensor) for network in (shuffled, plain))
    assert (one.output != other.output).any()
    assert one.cycles == other.cycles
