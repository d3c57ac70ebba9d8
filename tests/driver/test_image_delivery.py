"""Images that are fetched or written: the RTL and the register model agree on what they take, refuse and tell."""

import numpy as np
import pytest

from riffle.backends.numpy_engine import NumpyBackend
from riffle.backends.verilated import RtlBackend, build
from riffle.errors import BusError
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_program

DEPTH, LANES = spec.CONFIGURATIONS["small"]["activation_depth"], 6
START, FETCH, FETCHING, IDLE = (1 << spec.REGISTER_FIELDS["CTRL"][name][0]
                                for name in ("START", "FETCH", "FETCHING", "IDLE"))
POOL = Descriptor(opcode=spec.OPCODES["MAXPOOL"], taps9=1, blocks=1, groups=1, group_outputs=2, modulus=2, step_low=1,
                  step_high=4, out_base=DEPTH - 1)  # leaves every image alone but in the last word


def at(register):
    return spec.REGISTERS[register]


@pytest.fixture(scope="module")
def backends():
    with RtlBackend(build("small")) as rtl:
        model = NumpyBackend("small")
        model.write(at("BUS"), 1)  # as RtlBackend has it
        yield rtl, model


def same(backends, access):
    """What an access gives on both: a value, or the offset and code with which it is refused."""
    found = []
    for backend in backends:
        try:
            found.append(access(backend))
        except BusError as error:
            found.append((error.offset, error.name))
    assert found[0] == found[1]
    return found[0]


def prepare(backends, rng):
    """The same memories on both, a program of one pool, and a buffer with an image; its address."""
    memory = rng.integers(0, 1 << 32, DEPTH * spec.BANKS * 16, dtype=np.uint32)
    pixels = rng.integers(0, 256, 1 << 15, np.uint8)
    for backend in backends:
        buffer = backend.allocate(pixels.size)
        buffer.array[:] = pixels
        backend.write_block(spec.WINDOWS["ACTIVATIONS"][0], memory)
        backend.write_block(spec.WINDOWS["PROGRAM"][0], pack_program([POOL]))
        for register, value in (("PROGRAM_LENGTH", 1), ("ISR", 3), ("ERROR", 0), ("STREAM_LENGTH", 0)):
            backend.write(at(register), value)
    return buffer.physical_address


def finish(backend):
    """Until nothing is under way."""
    for _ in range(100_000):
        if backend.read(at("CTRL")) & (FETCHING | IDLE) == IDLE:
            return
    raise AssertionError("neither image nor run comes to an end")


def draw(rng, buffer):
    """IMAGE and IMAGE_ADDRESS, as a rule near what still fits."""
    log2s = int(rng.choice([0, 1, 2, 3, 3, 4, 5, 6, 7]))
    phases = 1 << 2 * log2s
    base = int(rng.choice([0, max(0, DEPTH - phases), max(0, DEPTH - phases + 1), rng.integers(DEPTH), 2040, 5000,
                           rng.integers(1 << 16)]))
    end = (1 << 32) - 4 * LANES * phases
    address = int(rng.choice([buffer, buffer + 128 * int(rng.integers(64)), buffer, buffer + 64, buffer + (1 << 15),
                              end & ~127, (end & ~127) + 128, rng.integers(1 << 32)]))
    return base | log2s << 16, address % (1 << 32)


def test_random_fetches(backends, rng):
    """Alone, or with a run that waits for the image; whether it comes, and what is told where it does not."""
    buffer, seen, came = prepare(backends, rng), set(), 0
    for _ in range(400):
        image, address = draw(rng, buffer)
        start = START * int(rng.integers(2))
        for backend in backends:
            backend.write(at("IMAGE"), image)
            backend.write(at("IMAGE_ADDRESS"), address)
            backend.write(at("CTRL"), FETCH | start)
            finish(backend)
        assert same(backends, lambda backend: backend.read(at("IMAGE"))) == image, "a register holds what is written"
        code, info, isr = (same(backends, lambda backend, name=name: backend.read(at(name)))
                           for name in ("ERROR", "ERROR_INFO", "ISR"))
        assert (isr, info) == (2 if code else start, 0), (hex(image), hex(address))
        seen.add((spec.ERRORS[code][0], start))
        for backend in backends:
            backend.write(at("ISR"), 3)
        if not code:
            came += 1
            check_memory(backends, came % 4 == 0)
        elif rng.integers(2):  # a run that has nothing to do with it is right, whether ERROR was cleared or not
            for backend in backends:
                backend.write(at("CTRL"), START)
                finish(backend)
            assert same(backends, lambda backend: (backend.read(at("ISR")), backend.read(at("ERROR")))) == (1, 0)
            for backend in backends:
                backend.write(at("ISR"), 3)
        else:
            for backend in backends:
                backend.write(at("ERROR"), 0)
        if spec.ERRORS[code][0] == "IMAGE_RESPONSE":  # what was written before the error may be there
            prepare(backends, rng)
    assert seen == {(name, start) for name in ("NONE", "BAD_IMAGE", "IMAGE_RESPONSE") for start in (0, 1)} and came > 5
    check_memory(backends, True)


def check_memory(backends, whole):
    """All activations, or those at the beginning, where an address that wraps round would lead."""
    words = DEPTH * spec.BANKS * 16 if whole else 2048
    rtl, model = (backend.read_block(spec.WINDOWS["ACTIVATIONS"][0], words) for backend in backends)
    np.testing.assert_array_equal(rtl, model)


def test_random_pixels(backends, rng):
    """Through the window, wherever it leads."""
    buffer, refused = prepare(backends, rng), 0
    for _ in range(300):
        image, _ = draw(rng, buffer)
        y, x = (int(rng.choice([0, 1, 2, 5, rng.integers(80), 255])) for _ in range(2))
        value = int(rng.integers(1 << 32))
        same(backends, lambda backend, image=image: backend.write(at("IMAGE"), image))
        found = same(backends, lambda backend, y=y, x=x, value=value: backend.write(
            spec.WINDOWS["IMAGE"][0] + y * spec.IMAGE_PITCH + 4 * x, value))
        refused += found is not None
    assert 30 < refused < 270
    check_memory(backends, True)


@pytest.mark.parametrize("register, value", [
    ("IMAGE", 8 << 16), ("IMAGE_AFTER", 256), ("LANE", 64), ("PROGRAM_FIRST", 256), ("PROGRAM_LENGTH", 513),
    ("STREAM_SOURCE", 4), ("IER", 4), ("GIER", 2), ("BUS", 2)])
def test_values_beyond_their_fields_are_refused(backends, register, value):
    before = same(backends, lambda backend: backend.read(at(register)))
    assert same(backends, lambda backend: backend.write(at(register), value)) == (at(register), "BUS_VALUE")
    assert same(backends, lambda backend: backend.read(at(register))) == before


def test_image_may_not_change_while_it_is_fetched(backends, rng):
    """And the fetch, which the memory keeps waiting, ends with the image that was asked for."""
    rtl, model = backends
    buffer = prepare(backends, rng)
    for backend in backends:
        backend.write(at("IMAGE"), 2 << 16 | 32)
        backend.write(at("IMAGE_ADDRESS"), buffer)
    rtl.ddr.silent = 1
    rtl.write(at("CTRL"), FETCH)
    for offset in (at("IMAGE"), at("IMAGE_ADDRESS"), at("IMAGE_AFTER"), spec.WINDOWS["ACTIVATIONS"][0],
                   spec.WINDOWS["IMAGE"][0]):
        with pytest.raises(BusError, match="BUS_BUSY.*Remedy: wait for the interrupt; for FETCHING to end"):
            rtl.write(offset, 0)
    for value in (FETCH, START | FETCH):
        with pytest.raises(BusError, match="BUS_BUSY"):
            rtl.write(at("CTRL"), value)
        assert rtl.read(at("CTRL")) & IDLE, "START with FETCH is refused whole"
    rtl.ddr.silent = 0
    finish(rtl)
    model.write(at("CTRL"), FETCH)
    check_memory(backends, True)
