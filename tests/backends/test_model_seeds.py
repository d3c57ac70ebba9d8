"""Simulated hardware whose registers and memories hold anything in the beginning: a run without faults is right."""

import numpy as np
import pytest

from campaigns import campaign
from riffle.backends.verilated import RtlBackend, build
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.graph import reference
from sample_networks import Builder


@pytest.fixture
def network(rng):
    b = Builder(rng, 3, 8, 12)
    b.head(b.residual_unit(b.stride2_unit(b.convolution("image", 8, 3), 2, 6, 20), 2, 6), 5)
    return b.network()


def test_the_first_run_with_all_in_ddr_is_right_with_any_seed(rng, network):
    """Five seeds; 20 with RIFFLE_SOAK=1."""
    program, wrong = compile_network(network, "small"), []
    for seed in map(int, rng.integers(0, 2**32, campaign(5, 20))):
        with RtlBackend(build("small"), seed=seed) as backend:
            try:
                first_run(Accelerator(backend), program, network, rng.integers(0, 256, (8, 12, 3), np.uint8))
            except Exception as error:  # whatever it is: all that are wrong are counted
                wrong.append(f"seed {seed}: {type(error).__name__} {error}")
    assert not wrong, "\n".join([f"{len(wrong)} seeds are wrong", *wrong])


def first_run(accelerator, program, network, image):
    backend = accelerator.backend
    assert not accelerator.segment.fields("CTRL")["READING"] and not backend.ddr_waiting, "nothing has been asked for"
    accelerator.load(program, "ddr", "ddr")
    np.testing.assert_array_equal(accelerator.run(image).output, reference.run(network, image)[network.output])
    assert not backend.ddr_violations


def test_a_reset_must_have_a_length():
    with RtlBackend(build("small")) as backend, pytest.raises(ValueError, match="a reset of 0 cycles is none"):
        backend.reset(0)
