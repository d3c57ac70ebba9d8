"""Integer networks on disk."""

import dataclasses

import numpy as np
import pytest

from riffle import archive
from riffle.integer import IntegerNetwork
from riffle.network import Architecture
from riffle.synthetic import random_integer_network


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
    with pytest.raises(ValueError, match="is broken or no integer network at all"):
        IntegerNetwork.load(tmp_path / "array.npy")
    archive.write(path, "float network", {}, {})
    with pytest.raises(ValueError, match="is no integer network: it says float network"):
        IntegerNetwork.load(path)


def test_other_formats_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FORMAT", 9)
    archive.write(tmp_path / "n.npz", "integer network", {}, {})
    monkeypatch.undo()
    with pytest.raises(ValueError, match="has format 9, this version of riffle reads 1"):
        IntegerNetwork.load(tmp_path / "n.npz")


def test_missing_files_say_so(tmp_path):
    with pytest.raises(FileNotFoundError):
        IntegerNetwork.load(tmp_path / "absent.npz")
