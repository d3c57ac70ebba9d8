"""The network that PyTorch trains is the one that NumPy quantises; nothing held out is trained on."""

import numpy as np
import pytest

from riffle.graph import float_graph
from riffle.graph.float_graph import FloatNetwork, fold
from riffle.zoo import digits
from riffle.zoo.shufflenet_v1 import Architecture

torch = pytest.importorskip("torch", reason="training needs the [train] extra")
pytest.importorskip("sklearn", reason="training needs the [train] extra")
train = pytest.importorskip("riffle.zoo.train_digits")


@pytest.mark.parametrize("options", [
    {"groups": 3, "stem": "small"}, {"groups": 2, "shuffle": "inverse", "pool_first": False},
])
def test_torch_and_numpy_compute_the_same(rng, options):
    architecture = Architecture(scale=0.25, image=(28, 28), classes=10, repeats=(2, 2), **options)
    torch.manual_seed(int(rng.integers(1 << 30)))
    model = train.Model(architecture.layers())
    images = rng.integers(0, 256, (8, 28, 28, 3)).astype(np.uint8)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    model.train()
    model(pixels)  # moves the statistics of the batch norms
    model.eval()
    with torch.no_grad():
        expected = model(pixels).numpy()
    network = FloatNetwork(architecture.name, architecture.layers(), model.parameters_by_name())
    found = float_graph.run(architecture.layers(), fold(network), images)["scores"].reshape(expected.shape)
    assert np.abs(found - expected).max() < 1e-4 * max(np.abs(expected).max(), 1)


def test_held_out_images_are_not_trained_on():
    data = train.load_digits()
    training, held = train.split(data.target, digits.network().metadata["seed"])
    assert len(training) + len(held) == len(data.target) and not set(training) & set(held)
    images, labels = digits.held_out()
    assert (digits.enlarge(data.images[held].astype(np.uint8)) == images).all() and (data.target[held] == labels).all()


def test_augmented_images_stay_near(rng):
    images = torch.zeros(4, 1, 28, 28)
    images[:, :, 12:16, 12:16] = 1
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 30)))
    moved = train.augment(images, generator)
    assert moved.shape == images.shape and (moved.sum((1, 2, 3)) > 8).all()
    assert not torch.equal(moved[0], moved[1])
