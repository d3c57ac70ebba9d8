"""Integer networks on disk."""

import dataclasses
import json

import numpy as np
import pytest

from campaigns import campaign
from riffle.compiler import CompileError, compile_network
from riffle.graph.integer_graph import IntegerNetwork
from riffle.isa import archive
from riffle.isa.program import Program, ProgramError, _digest
from riffle.zoo.random_networks import random_integer_network
from riffle.zoo.shufflenet_v1 import Architecture


@pytest.fixture
def network():
    return random_integer_network(Architecture(3, 0.25, (56, 56), 10, (2, 1), shuffle="inverse"), 5)


def test_save_and_load(network, tmp_path):
    network.classes, network.output_scale, network.metadata = ["a", "b"], 0.125, {"seed": 5}
    network.save(tmp_path / "network.npz")
    loaded = IntegerNetwork.load(tmp_path / "network.npz")
    assert len(loaded.layers) == len(network.layers)
    for a, b in zip(network.layers, loaded.layers, strict=True):
        assert type(a) is type(b)
        for field in dataclasses.fields(a):
            x, y = getattr(a, field.name), getattr(b, field.name)
            if isinstance(x, np.ndarray):
                assert x.dtype == y.dtype and np.array_equal(x, y)
            else:
                assert x == y
    for name in ("name", "input", "output", "tensors", "classes", "output_scale", "metadata"):
        assert getattr(loaded, name) == getattr(network, name)


def test_broken_files_are_refused(network, tmp_path):
    path = tmp_path / "network.npz"
    network.save(path)
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[:-100], whole[:100], whole[:2000] + b"?" * 20 + whole[2020:]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{path} is broken .*: give a file that riffle saved as integer network"):
            IntegerNetwork.load(path)


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "network.npz"
    np.savez(path, other=np.zeros(3))
    with pytest.raises(ValueError, match="is broken or no integer network at all"):
        IntegerNetwork.load(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match="array.npy is a single NumPy array, no integer network: give a file"):
        IntegerNetwork.load(tmp_path / "array.npy")
    archive.write(path, "float network", {}, {})
    with pytest.raises(ValueError, match="is no integer network: it says float network: quantise it: riffle.graph.q"):
        IntegerNetwork.load(path)


@pytest.fixture(scope="module")
def small():
    """One that fits the hardware."""
    return random_integer_network(Architecture(2, 0.25, (28, 28), 10, (1,), "small"), 1)


def test_what_people_try_is_named(small, tmp_path):
    """No advice of NumPy's to allow pickles, and for each kind of file what to do."""
    compile_network(small).save(tmp_path / "network.riffle")
    np.savez(tmp_path / "weights.npz", conv=np.zeros((8, 3, 3, 3), np.float32))
    np.savez(tmp_path / "objects.npz", header=np.array([{}], object))
    contents = {"digit.png": b"\x89PNG\r\n\x1a\n" + bytes(100), "net.onnx": b"\x08\x07\x12\x07pytorch",
                "net.pth": b"PK\x03\x04" + bytes(50), "text.npz": b"hello", "pickle.npz": b"\x80\x04}.",
                "cut.npz": (tmp_path / "weights.npz").read_bytes()[:60]}
    messages = {"network.riffle": "it says compiled program: run it with riffle.load",
                "weights.npz": "it has no header, but conv.*riffle.graph.q",
                "objects.npz": "it holds Python objects",
                "digit.png": "is a picture, no integer network: give", "net.onnx": "is an ONNX model, no integer",
                "net.pth": "is a PyTorch file, no integer network", "text.npz": "it is no .npz file",
                "pickle.npz": "it is no .npz file", "cut.npz": "is broken or no integer network at all"}
    for name, message in messages.items():
        if name in contents:
            (tmp_path / name).write_bytes(contents[name])
        with pytest.raises(ValueError, match=message) as refused:
            IntegerNetwork.load(tmp_path / name)
        assert "allow_pickle" not in str(refused.value) and "give" in str(refused.value), name
        with pytest.raises(ProgramError if name != "network.riffle" else ZeroDivisionError):
            Program.load(tmp_path / name)
            raise ZeroDivisionError


def damaged(rng, data):
    """Bytes of a file with some flipped, cut off, removed, doubled or overwritten."""
    data, choice = bytearray(data), int(rng.integers(5))
    first, last = sorted(int(n) for n in rng.integers(0, len(data), 2))
    if choice == 0:
        return bytes(data[:first])
    if choice == 1:
        return bytes(data[:first] + data[last:])
    if choice == 2:
        return bytes(data[:last] + data[first:])
    if choice == 3:
        data[first:first + 8] = rng.bytes(8)
    near_the_end = rng.integers(max(0, len(data) - 800), len(data), 3)  # where the directory of the archive lies
    for place in [*rng.integers(0, len(data), int(rng.integers(1, 4))), *near_the_end[:int(rng.integers(4))]]:
        data[place] ^= 1 << int(rng.integers(8))
    return bytes(data)


def test_damaged_files_give_the_documented_errors_alone(rng, small, tmp_path):
    """Compressed and not, so that flips reach NumPy's headers and the JSON as well as the archive."""
    path = tmp_path / "file"
    small.save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(tmp_path / "plain.npz", **arrays)
    compile_network(small).save(tmp_path / "program")
    files = [(path.read_bytes(), IntegerNetwork), ((tmp_path / "plain.npz").read_bytes(), IntegerNetwork),
             ((tmp_path / "program").read_bytes(), Program)]
    refused = 0
    for _ in range(campaign(400, 20000)):
        data, kind = files[rng.integers(len(files))]
        broken = damaged(rng, data)
        path.write_bytes(broken)
        try:
            kind.load(path)
        except (ValueError, ProgramError) as error:
            assert isinstance(error, ProgramError) == (kind is Program) and str(path) in str(error)
            refused += 1
    assert refused > campaign(400, 20000) // 2


def test_damaged_headers_give_the_documented_errors_alone(rng, small, tmp_path):
    """Entries removed, or of another type in files that are whole otherwise."""
    small.save(tmp_path / "network")
    compile_network(small).save(tmp_path / "program")
    for name, kind, error in (("network", IntegerNetwork, ValueError), ("program", Program, ProgramError)):
        with np.load(tmp_path / name) as file:
            arrays = {key: file[key] for key in file.files if key != "sha256"}
        header = json.loads(arrays.pop("header").tobytes())
        for _ in range(campaign(60, 2000)):
            changed, mine = json.loads(json.dumps(header)), dict(arrays)
            places = [changed, *(v for v in changed.values() if isinstance(v, dict)), *changed.get("layers", []),
                      *changed.get("records", [])]
            place = places[rng.integers(len(places))]
            key = str(rng.choice(list(place)))
            if rng.integers(4):
                place[key] = [None, "x", [], {}, -1, 1.5][rng.integers(6)]
            elif rng.integers(2):
                del place[key]
            else:
                mine.pop(str(rng.choice(list(mine))))
            mine["header"] = np.frombuffer(json.dumps(changed).encode(), np.uint8)
            if kind is Program:
                mine["sha256"] = _digest(mine)
            with (tmp_path / "changed").open("wb") as file:
                np.savez(file, **mine)
            try:
                loaded = kind.load(tmp_path / "changed")
                if kind is IntegerNetwork:
                    compile_network(loaded)
            except (error, CompileError) as refused:
                assert ": " in str(refused)


def test_other_formats_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FORMAT", 9)
    archive.write(tmp_path / "n.npz", "integer network", {}, {})
    monkeypatch.undo()
    with pytest.raises(ValueError, match="has format 9, this version of riffle reads 1"):
        IntegerNetwork.load(tmp_path / "n.npz")


def test_missing_files_say_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        IntegerNetwork.load(tmp_path / "absent.npz")
