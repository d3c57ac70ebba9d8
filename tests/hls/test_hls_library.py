"""Templates of hls/include/riffle that have no core of their own: shuffles at compile time, limits, refusals."""

import ctypes
import subprocess

import numpy as np
import pytest

from hls_native import ROOT, build
from riffle.graph.integer_graph import Shuffle
from riffle.graph.reference import clamp, requantise

HEADERS = ROOT / "hls" / "include" / "riffle"
MAPS = [(12, Shuffle.paper(12, 3)), (12, Shuffle.inverse(12, 4)), (8, Shuffle.paper(8, 8)),
        (25, Shuffle.inverse(25, 5)), (60, Shuffle.paper(60, 1)), (60, Shuffle(4, 1, 4))]


@pytest.fixture(scope="module", params=[False, True], ids=["standard types", "ap_int"])
def library(request):
    return ctypes.CDLL(str(build(ROOT / "tests" / "hls" / "hls_library.cpp", vendor=request.param)))


def pointers(*arrays):
    return [ctypes.c_void_p(array.ctypes.data) for array in arrays]


def test_shuffle_maps_at_compile_time(library):
    found = np.zeros((2, sum(channels for channels, _ in MAPS)), np.uint32)
    library.maps(*pointers(*found))
    positions = [shuffle.positions(channels) for channels, shuffle in MAPS]
    assert (found[0] == np.concatenate(positions)).all()
    assert (found[1] == np.concatenate([np.argsort(places) for places in positions])).all()


def test_requantisation_to_the_ends_of_its_ranges(library, rng):
    ends = [2**24 - 1, -2**24 + 1, 0, 1, -1]
    sums = np.concatenate([rng.integers(-2**24 + 1, 2**24, 500), np.tile(ends, 4)]).astype(np.int32)
    multiplier = rng.integers(0, 2**17, len(sums), np.uint32)
    multiplier[-10:] = 2**17 - 1
    shift = rng.integers(16, 32, len(sums), np.uint32)
    added = rng.integers(-128, 128, len(sums), np.int32)
    out = np.zeros(len(sums), np.int8)
    library.scale(len(sums), *pointers(sums, multiplier, shift, added, out))
    assert (out == clamp(requantise(sums, multiplier.astype(np.int64), shift) + added)).all()


@pytest.mark.parametrize("header, expression, sentence", [
    ("shuffle.hpp", "riffle::PaperShuffle<10, 3>::position(0)", "groups must divide the number of channels"),
    ("shuffle.hpp", "riffle::ShuffleMap<12, 3, 2, 2>::position(0)", "a shuffle must be a permutation"),
    ("lattice.hpp", "sizeof(riffle::Word<9, 7>)", "a lattice has 1 to 8 rows and columns"),
])
def test_wrong_parameters_are_refused_with_a_sentence(header, expression, sentence, tmp_path):
    source = tmp_path / "wrong.cpp"
    source.write_text(f'#include "{HEADERS / header}"\nunsigned f() {{ return {expression}; }}\n')
    done = subprocess.run(["g++", "-std=c++14", "-fsyntax-only", "-Wno-unknown-pragmas", str(source)],
                          capture_output=True, text=True)
    assert done.returncode and sentence in done.stderr
