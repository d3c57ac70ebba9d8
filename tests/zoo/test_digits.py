"""The committed network on images that its training never saw, and pictures of one's own."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from riffle.graph import float_graph
from riffle.graph.bounds import prove
from riffle.graph.float_graph import fold
from riffle.graph.reference import run
from riffle.zoo import digits


@pytest.fixture(scope="module")
def held_out():
    return digits.held_out()


@pytest.fixture(scope="module")
def network():
    return digits.network()


def test_integer_accuracy_is_what_the_file_says(network, held_out):
    images, labels = held_out
    right = [run(network, image)["scores"].argmax() == label for image, label in zip(images, labels, strict=True)]
    accuracy = np.mean(right)
    assert accuracy == pytest.approx(network.metadata["integer_accuracy"], abs=1e-9)
    assert accuracy >= 0.98 and accuracy >= network.metadata["float_accuracy"] - 0.005


def test_float_accuracy_is_what_the_file_says(held_out):
    images, labels = held_out
    network = digits.float_network()
    specs = network.layers
    scores = float_graph.run(specs, fold(network), images)["scores"].reshape(len(images), -1)
    accuracy = (scores.argmax(1) == labels).mean()
    assert accuracy == pytest.approx(network.metadata["float_accuracy"], abs=1e-9)
    assert accuracy >= 0.985


def test_held_out_images_are_a_fifth_of_every_class(network, held_out):
    images, labels = held_out
    assert images.dtype == np.uint8 and images.shape == (359, 28, 28) and images.max() == 255
    assert network.metadata["held_out_images"] == 359 and network.metadata["training_images"] == 1797 - 359
    assert np.bincount(labels).min() >= 34 and np.bincount(labels).max() <= 38


def test_the_network_is_what_it_says(network):
    assert network.name == "shufflenet_v1 g3 0.25x" and network.classes == [str(n) for n in range(10)]
    assert {"seed", "data", "versions"} <= set(network.metadata)
    assert max(prove(network).values()) < 1 << 24
    assert sum(path.stat().st_size for path in digits.DATA.glob("*.npz")) < 1 << 20


def test_enlarging_is_bilinear_and_exact():
    small = np.add.outer(np.arange(8), np.arange(8))  # a plane stays one
    large = digits.enlarge(small)
    place = np.clip((np.arange(28) + 0.5) * 8 / 28 - 0.5, 0, 7)
    assert (large == np.floor(np.add.outer(place, place) * 255 / 16 + 0.5 + 1e-9)).all()
    assert (digits.enlarge(np.full((2, 8, 8), 16)) == 255).all() and not digits.enlarge(np.zeros((8, 8), int)).any()


def test_enlarging_refuses_other_images():
    for small in (np.zeros((8, 9), int), np.full((8, 8), 17), np.full((8, 8), -1)):
        with pytest.raises(ValueError, match="small images are 8x8 of 0 to 16"):
            digits.enlarge(small)


@pytest.mark.parametrize("dark_on_light", [True, False])
@pytest.mark.parametrize("color", [True, False])
def test_pictures_of_digits_are_recognised(network, held_out, dark_on_light, color):
    images, labels = held_out
    right = 0
    for image, label in zip(images[::6], labels[::6], strict=True):
        paper = np.zeros((180, 240), np.uint8)
        paper[30:114, 100:184] = image.repeat(3, 0).repeat(3, 1)
        paper = 255 - paper if dark_on_light else paper // 2
        picture = np.repeat(paper[..., None], 3, 2) if color else paper
        prepared = digits.prepare(picture)
        assert prepared.shape == (28, 28) and prepared.dtype == np.uint8
        right += run(network, prepared)["scores"].argmax() == label
    assert right >= 0.9 * len(labels[::6])


@pytest.mark.parametrize("picture, message", [
    (np.zeros((28, 28)), "must be uint8"),
    (np.zeros((28, 28, 4), np.uint8), "convert it to 8-bit grey or RGB"),
    (np.zeros((7, 28), np.uint8), "has 28x7 pixels, but needs 8x8"),
    (np.full((28, 28), 200, np.uint8), "shows nothing"),
])
def test_pictures_of_nothing_are_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        digits.prepare(picture)


def printed(font, text):
    """Black on white, uint8 [200][200]."""
    paper = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(paper).text((100, 100), text, font=font, fill=0, anchor="mm")
    return np.asarray(paper)


def own_font(size):
    """Pillow's own."""
    try:
        return ImageFont.load_default(size)
    except TypeError:
        pytest.skip("Pillow's own font has one size before Pillow 10.1")


def read(network, picture):
    return str(run(network, digits.prepare(picture))["scores"].argmax())


@pytest.mark.parametrize("name", [None, "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"])
@pytest.mark.parametrize("size", [60, 120])
def test_printed_digits_are_read(network, name, size):
    """Pillow's own font, whose 6 stays hard, and upright ones without serifs; their strokes are thin."""
    try:
        font = ImageFont.truetype(name, size) if name else own_font(size)
    except OSError as error:
        pytest.skip(f"font {name} is not installed: {error}")
    texts = "0123456789" if name else "012345789"
    assert [read(network, printed(font, text)) for text in texts] == list(texts)


@pytest.mark.parametrize("width", [4, 6, 10, 16, 24])
def test_ones_of_any_pen_are_read(network, width):
    """A bar, a slanted bar, and one with a flag and a foot."""
    for points in ([(50, 10), (50, 90)], [(60, 10), (45, 90)], [(35, 30), (50, 12), (50, 90)],
                   [(35, 30), (50, 12), (50, 88), (30, 88), (70, 88)]):
        paper = Image.new("L", (100, 100), 255)
        ImageDraw.Draw(paper).line(points, fill=0, width=width, joint="curve")
        assert read(network, np.asarray(paper)) == "1", points


def test_prepared_pictures_have_the_ink_of_the_data_set(network, held_out):
    images, _ = held_out
    ink = images.mean((1, 2)) / 255
    thin = printed(own_font(120), "1")
    assert ink.min() - 0.02 < digits.prepare(thin).mean() / 255 < ink.max()
