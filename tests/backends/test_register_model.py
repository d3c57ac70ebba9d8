"""Backends without a clock keep what the registers promise: weights that come from the host, tensors in a batch."""

import numpy as np
import pytest

from riffle.analysis import compare
from riffle.backends.hls_engine import HlsBackend
from riffle.backends.numpy_engine import NumpyBackend
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.errors import EngineError
from riffle.graph import reference
from riffle.isa import spec
from sample_networks import Builder


def case(rng, classes=5):
    b = Builder(rng, 3, 8, 12)
    b.head(b.residual_unit(b.convolution("image", 16, 3), 2, 6), classes)
    return b.network(), rng.integers(-128, 128, (3, 8, 12), np.int8)


def test_weights_that_come_slowly_are_waited_for(rng, small_hardware):
    """Four accesses for each word take longer than the layer: the watchdog must not take that for a fault."""
    b = Builder(rng, 200, 1, 1)
    b.convolution("image", 300)
    network, image = b.network(), rng.integers(-128, 128, (200, 1, 1), np.int8)
    small_hardware.load(compile_network(network, "small"), weights="host")
    np.testing.assert_array_equal(small_hardware.run(image).output, reference.run(network, image)["conv0"])


@pytest.mark.parametrize("backend", [NumpyBackend, HlsBackend])
def test_weights_from_the_host(rng, backend):
    """The weight memory holds another network's weights until the host has written these."""
    accelerator = Accelerator(backend("small"))
    accelerator.load(compile_network(case(rng)[0], "small"), weights="resident")
    network, image = case(rng)
    accelerator.load(compile_network(network, "small"), weights="host")
    for _ in range(2):
        np.testing.assert_array_equal(accelerator.run(image).output, reference.run(network, image)["logits"])
    assert compare.compare(accelerator, network, image) is None


def test_a_run_that_waits_for_the_host_can_be_aborted(rng):
    network, image = case(rng)
    accelerator = Accelerator(NumpyBackend("small"))
    accelerator.load(compile_network(network, "small"), weights="host")
    accelerator.launch(0, len(accelerator.program.records), image=image)
    assert not accelerator.segment.fields("CTRL")["IDLE"] and accelerator.segment.read("STREAM_TAKEN") == 0
    accelerator.segment.set_fields("CTRL", ABORT=1)
    assert accelerator.segment.fields("CTRL")["IDLE"]
    with pytest.raises(EngineError, match="ABORTED"):
        accelerator.finish(1000)
    np.testing.assert_array_equal(accelerator.run(image).output, reference.run(network, image)["logits"])


def test_a_batch_of_tensors_is_written_where_images_would_be_fetched(rng):
    network, _ = case(rng)
    accelerator = Accelerator(NumpyBackend("small"))
    accelerator.load(compile_network(network, spec.CONFIGURATIONS["small"], batch=True))
    assert accelerator.images.name == "ddr"
    images = [rng.integers(-128, 128, (3, 8, 12), np.int8), rng.integers(0, 256, (8, 12, 3)).astype(np.uint8)]
    for image, result in zip(images, accelerator.run_batch(images), strict=True):
        np.testing.assert_array_equal(result.output, reference.run(network, image)["logits"])
