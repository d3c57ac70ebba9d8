"""Batches: every image's scores are those of a run alone, and the next image comes while another is computed."""

import numpy as np
import pytest

from riffle.backends.numpy_engine import NumpyBackend
from riffle.compiler import CompileError, compile_network
from riffle.driver import batch
from riffle.driver.accelerator import Accelerator
from riffle.driver.batch import run_batch
from riffle.errors import EngineError, RiffleError
from riffle.graph import reference
from riffle.isa import spec
from riffle.isa.emulator import execute
from riffle.zoo import catalogue, digits
from sample_networks import Builder


def load(accelerator, network, weights="auto", images="auto"):
    program = compile_network(network, batch=True)
    accelerator.load(program, weights, images)
    return program


def check(network, images, results):
    for image, result in zip(images, results, strict=True):
        np.testing.assert_array_equal(result.output, reference.run(network, image)[network.output])


@pytest.mark.parametrize("count", [1, 2, 49])
def test_digits(full_hardware, count):
    network, (images, labels) = digits.network(), digits.held_out()
    load(full_hardware, network)
    results = full_hardware.run_batch(images[:count])
    check(network, images[:count], results)
    right = sum(result.label == str(label) for result, label in zip(results, labels[:count], strict=True))
    assert right >= count - 1


def test_without_shared_memory(full_hardware, monkeypatch):
    network, (images, _) = digits.network(), digits.held_out()
    monkeypatch.setattr(type(full_hardware.backend), "shares_memory", False)
    load(full_hardware, network)
    check(network, images[:3], full_hardware.run_batch(images[:3]))


def test_next_image_comes_during_the_run(full_hardware, rng):
    """A batch costs little more than its layers: no time goes by in which only an image is fetched, but the first."""
    network = catalogue.find("g3-0.25x-c100")
    program = load(full_hardware, network)
    images = rng.integers(0, 256, (3, 224, 224, 3), np.uint8)
    results = full_hardware.run_batch(images)
    check(network, images, results)
    classifier = program.records[-1].cycles
    alone = 3 * (program.cycles - classifier) + classifier
    assert alone < 3 * results[0].cycles < alone + 26_000 + 3 * 200, "26,000: the first image is waited for"


def test_refusals_and_faults(full_hardware, rng):
    network, (images, _) = digits.network(), digits.held_out()
    full_hardware.load(compile_network(network))
    with pytest.raises(RiffleError, match="keeps no vectors for a batch: compile it with batch=True"):
        full_hardware.run_batch(images[:2])
    load(full_hardware, network)
    for count in (0, 50):
        with pytest.raises(ValueError, match=f"a batch of {count} images, but with .* it may have 1 to 49"):
            full_hardware.run_batch(images[:count])
    with pytest.raises(ValueError, match="the image is uint8 27x28"):
        full_hardware.run_batch([images[0], images[1][1:]])
    ddr = full_hardware.backend.ddr
    for field, value, usual, error in (("fail_from", 0, 0xFFFFFFFF, "IMAGE_RESPONSE"), ("silent", 1, 0, "WATCHDOG")):
        setattr(ddr, field, value)
        with pytest.raises(EngineError, match=error):
            full_hardware.run_batch(images[:3])
        setattr(ddr, field, usual)
        check(network, images[:3], full_hardware.run_batch(images[:3]))


@pytest.mark.parametrize("count", [1, 8, 9])
def test_windows(full_hardware, count):
    """Where the memory is too small for a word of each block, up to nine images share words."""
    network, (images, _) = digits.network(), digits.held_out()
    program = compile_network(network, spec.CONFIGURATIONS["full"] | {"activation_depth": 120}, batch=True)
    assert program.batch == [0, 2, 4, 14, 16, 18, 28, 30, 32]
    full_hardware.load(program)
    check(network, images[:count], full_hardware.run_batch(images[:count]))
    with pytest.raises(ValueError, match="a batch of 10 images, but with .* it may have 1 to 9"):
        full_hardware.run_batch(images[:10])


def test_window_descriptors_leave_what_the_reference_has(rng):
    """Layer by layer in NumPy; 91 channels are no multiple of 16."""
    b = Builder(rng, 3, 8, 12)
    b.head(b.convolution("image", 91, 3), 7)
    network, build = b.network(), {"rows": 2, "columns": 3}
    for depth in range(400, 0, -4):  # the smallest memory takes the smallest vectors
        try:
            program = compile_network(network, build | {"activation_depth": depth}, batch=True)
        except CompileError:
            break
    assert program.batch == [0], "a lattice of 2x3 has one window"
    image = rng.integers(-128, 128, program.image_size, np.int8)
    memory = rng.integers(-128, 128, (4, program.activation_depth, 6), np.int8)
    program.write_image(memory, image)
    tensors, seen = reference.run(network, image), []
    for index, record in enumerate(program.records):
        stream = program.stream[record.stream_first:record.stream_first + record.stream_words]
        execute(memory, program.descriptors[index:index + 1], stream, 2, 3)
        found = program.read(memory, index)
        np.testing.assert_array_equal(found, tensors[record.place.tensor][record.channels], f"{index}: {record.layer}")
        seen += [record.place.lane] * record.place.vector
    assert seen[:4] == [0, 1, 3, 4], "each part of the vector in its lane of the window"
    np.testing.assert_array_equal(program.read_result(memory), tensors[network.output])


def test_networks_that_cannot_be_batched():
    with pytest.raises(CompileError, match="layer stage.* needs 2116 words of activation memory, the limit is 2048"):
        compile_network(catalogue.find("g4-1.5x-c1000"), batch=True)
    with pytest.raises(CompileError, match="which this network does not end with: run its images one by one"):
        compile_network(catalogue.find("g3-1x-stage3-residual"), batch=True)


def test_bad_image_address(full_hardware):
    network, (images, _) = digits.network(), digits.held_out()
    load(full_hardware, network, images="window")
    full_hardware.segment.write("IMAGE_ADDRESS", 0x10000040)
    full_hardware.segment.set_fields("CTRL", START=1, FETCH=1)
    with pytest.raises(EngineError, match="BAD_IMAGE .*Remedy: take buffers from the driver"):
        full_hardware.finish(100_000)
    full_hardware.segment.set_fields("CTRL", FETCH=1)
    assert spec.ERRORS[full_hardware.segment.read("ERROR")][0] == "BAD_IMAGE", "alone it tells at once"
    check(network, images[:1], [full_hardware.run(images[0])])
    check(network, images[:2], run_batch(full_hardware, images[:2]))
    assert spec.ERRORS[full_hardware.segment.read("ERROR")][0] == "NONE"


@pytest.mark.parametrize("lost", [1, 2])
def test_image_that_is_fetched_ahead_and_does_not_come(full_hardware, monkeypatch, lost):
    """No run waits for it yet: it tells by itself, the batch ends with it, and the next one is right."""
    network, (images, _) = digits.network(), digits.held_out()
    load(full_hardware, network)
    made, shared = [], batch.shared

    def lose(backend, data):
        made.append(shared(backend, data))
        if len(made) == 3:  # not before: its place would be given away
            made[lost].free()
        return made[-1]
    monkeypatch.setattr(batch, "shared", lose)
    with pytest.raises(EngineError, match="IMAGE_RESPONSE .*Remedy: check that the buffer still exists"):
        full_hardware.run_batch(images[:3])
    assert full_hardware.segment.fields("CTRL")["IDLE"]
    monkeypatch.undo()
    check(network, images[:3], full_hardware.run_batch(images[:3]))


def test_faults_of_an_image_that_a_run_fetches(full_hardware):
    """START and FETCH are one write; whatever becomes of the image, the run ends, and the next one is right."""
    network, (images, _) = digits.network(), digits.held_out()
    load(full_hardware, network)
    ddr, buffer = full_hardware.backend.ddr, full_hardware.images.buffer
    for held, field, value, error in ((ddr, "fail_from", 0, "IMAGE_RESPONSE"), (ddr, "silent", 1, "WATCHDOG"),
                                      (buffer, "physical_address", buffer.physical_address + 64, "BAD_IMAGE")):
        usual = getattr(held, field)
        setattr(held, field, value)
        with pytest.raises(EngineError, match=error):
            full_hardware.run(images[0])
        setattr(held, field, usual)
        check(network, images[1:2], [full_hardware.run(images[1])])


@pytest.mark.parametrize("kind", ["rtl", "numpy"])
def test_buffers_that_were_freed(full_hardware, kind):
    """An image, or weights, that somebody has given back too early: the run says so, the next one is right."""
    network, (images, _) = digits.network(), digits.held_out()
    accelerator = full_hardware if kind == "rtl" else Accelerator(NumpyBackend("full"))
    load(accelerator, network, "ddr", "ddr")
    accelerator.images.buffer.free()
    with pytest.raises(EngineError, match="IMAGE_RESPONSE .*Remedy: check that the buffer still exists"):
        accelerator.run(images[0])
    check(network, images[:2], accelerator.run_batch(images[:2]))
    load(accelerator, network, "ddr", "ddr")
    accelerator.source.buffer.free()
    with pytest.raises(EngineError, match="DDR_RESPONSE .*Remedy: check that the buffer still exists"):
        accelerator.run(images[0])
    load(accelerator, network, "ddr")
    check(network, images[:2], accelerator.run_batch(images[:2]))
