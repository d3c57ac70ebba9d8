"""Program files: what is saved comes back, and every file that is not one says so."""

import dataclasses
import json

import numpy as np
import pytest

from riffle.compiler import compile_network
from riffle.errors import ProgramError
from riffle.isa import program as program_module
from riffle.isa import spec
from riffle.isa.program import Program, _digest
from sample_networks import Builder


@pytest.fixture
def program(rng):
    b = Builder(rng, 3, 8, 12)
    b.head(b.residual_unit(b.convolution("image", 8, 3), 2, 6), 5)
    network = b.network(["a", "b", "c", "d", "e"])
    network.metadata, network.output_scale = {"accuracy": 0.5}, 0.25
    return compile_network(network, "small")


@pytest.fixture
def path(program, tmp_path):
    program.save(tmp_path / "x.riffle")
    return tmp_path / "x.riffle"


def test_file_holds_everything(program, path):
    loaded = Program.load(path)
    for f in dataclasses.fields(Program):
        mine, its = getattr(program, f.name), getattr(loaded, f.name)
        if f.name == "records":
            assert len(mine) == len(its)
            for one, two in zip(mine, its, strict=True):
                np.testing.assert_equal(dataclasses.asdict(one), dataclasses.asdict(two))
        else:
            np.testing.assert_equal(its, mine)
    assert loaded.cycles == program.cycles > 0 and loaded.macs == program.macs > 0
    assert loaded.descriptors.dtype == np.uint32 and loaded.stream.dtype == np.uint8


def rewrite(path, change):
    """Change the arrays of a program file and make its checksum right again."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "sha256"}
    header = json.loads(arrays["header"].tobytes())
    change(header, arrays)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with path.open("wb") as file:
        np.savez(file, sha256=_digest(arrays), **arrays)


@pytest.mark.parametrize("change, message", [
    ({"format": 99}, r"has format 99, this version reads 1: compile the network again"),
    ({"spec_hash": 0x1234}, r"compiled for specification 0x00001234 \(version 0.1.0\), this is 0x[0-9a-f]{8}.*compile"),
    ({"magic": "other"}, "is not a Riffle program: compile the network again"),
])
def test_foreign_headers_are_refused(path, change, message):
    rewrite(path, lambda header, arrays: header.update(change))
    with pytest.raises(ProgramError, match=message):
        Program.load(path)


def test_file_that_is_no_program_is_refused(tmp_path):
    path = tmp_path / "file"
    for content in (b"", b"hello", bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(ProgramError, match="is not a Riffle program: compile the network again"):
            Program.load(path)
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ProgramError, match="is not a Riffle program"):
        Program.load(tmp_path / "other.npz")
    with pytest.raises(ProgramError, match="cannot read program .*missing: No such file.*Check the path"):
        Program.load(tmp_path / "missing")
    with pytest.raises(ProgramError, match="cannot read program"):
        Program.load(tmp_path)


def test_damaged_files_are_refused(rng, path):
    data = path.read_bytes()
    for length in (10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ProgramError, match="is damaged .*copy it again"):
            Program.load(path)
    harmless = 0
    for _ in range(200):
        broken = bytearray(data)
        broken[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(broken)
        try:
            assert (Program.load(path).stream == Program.load(path).stream).all()
            harmless += 1  # a time stamp or an attribute in the zip directory
        except ProgramError:
            pass
    assert harmless < 100


def test_changed_contents_are_refused(path):
    with np.load(path) as file:
        arrays = {name: file[name].copy() for name in file.files}
    arrays["stream"][0, 3] ^= 1
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(ProgramError, match="its checksum is wrong"):
        Program.load(path)


def test_hardware_that_does_not_fit_is_named(program):
    small, full = spec.CONFIGURATIONS["small"], spec.CONFIGURATIONS["full"]
    assert program.fits_resident(small) and program.why_not_resident(small) is None
    for configuration, message in (
        (full, "program sample is for a lattice of 2x3, the hardware has 7x7: compile the network for this hardware"),
        (small | {"weight_depth": 7}, f"program sample has {len(program.stream)} stream words of weights, 24 of them "
                                      "in layer conv0; the weight memory holds 7: use a smaller network, or stream "
                                      "the weights while it runs"),
        (small | {"activation_depth": 100}, "program sample was compiled for 512 words of activation memory, the "
                                            "hardware has 100: compile the network for this hardware"),
    ):
        assert not program.fits_resident(configuration)
        assert program.why_not_resident(configuration) == message
        assert program.why_not(configuration) == (None if "stream" in message else message)


def test_wrong_image_is_refused(program):
    memory = np.zeros((4, 512, 6), np.int8)
    for image in (np.zeros((3, 12, 8), np.int8), np.zeros((3, 8, 12), np.uint8)):
        with pytest.raises(ValueError, match=r"but must be int8 \(3, 8, 12\)"):
            program.write_image(memory, image)


def test_format_is_the_one_of_this_version():
    assert program_module.FORMAT == 1, "a new format needs a test that the old one is refused or read"
