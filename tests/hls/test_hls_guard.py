"""HLS sources hold nothing that a synthesiser refuses; and the guard finds what it should in sources that do."""

import subprocess

import pytest

import hls_guard
from hls_guard import BRIDGE, HEADERS, KERNELS, VENDOR, WARNINGS

SOURCES = [*KERNELS, *HEADERS, *BRIDGE]


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
@pytest.mark.parametrize("options", [VENDOR, [], ["-D__BAMBU__"]], ids=["ap_ headers", "standard types", "Bambu"])
def test_kernels_compile_as_cpp14(path, options):
    if path.stem == "engine" and "-D__BAMBU__" in options:
        options = [*options, "-Wno-unused-variable"]  # Bambu is not asked to compile the engine
    done = subprocess.run(["g++", "-std=c++14", "-fsyntax-only", *WARNINGS, *options, str(path)], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_that_hls_refuses(path):
    exempt = path.name == "stream.hpp"  # the native stream is a class with state; Vitis gets its own
    assert hls_guard.forbidden(path) == []
    assert exempt or hls_guard.loops(path) == []


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_no_recursion_and_no_library_calls(path, tmp_path):
    assert hls_guard.calls(path, tmp_path) == []


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: path.stem)
def test_directives_are_documented_and_spelt_right(path):
    found = hls_guard.pragmas(path, *VENDOR)
    assert len([text for _, _, text in found if " interface " in text]) > 8
    assert hls_guard.misspelt(found, hls_guard.documented()) == []


def test_directives_of_the_hls4ml_layers(tmp_path):
    source = tmp_path / "all.cpp"
    source.write_text("".join(f'#include "{path}"\n' for path in BRIDGE))
    utils = hls_guard.ap_types().parent / "nnet_utils"
    found = hls_guard.pragmas(source, *VENDOR, f"-I{HEADERS[0].parent}", "-isystem", str(utils))
    assert len([text for file, _, text in found if file.startswith("nnet_riffle")]) > 20
    assert hls_guard.misspelt(found, hls_guard.documented()) == []


@pytest.mark.parametrize("path", [path for path in KERNELS if path.stem != "engine"], ids=lambda path: path.stem)
def test_bambu_gets_no_directive(path):
    assert [text for _, _, text in hls_guard.pragmas(path, "-D__BAMBU__") if "HLS" in text] == []


@pytest.mark.parametrize("bad, complaint", [
    ("int* f() { return new int[3]; }", "allocates memory"),
    ("#include <vector>\nstd::vector<int> f();", "uses the standard library"),
    ("struct A { virtual int f(); };", "needs virtual calls"),
    ("int f(int n) { while (n) n--; return n; }", "no `for`"),
    ("int f() { static int n = 3; return n++; }", "static variable"),
    ("void f() {\n#pragma HLS pipeline\n}", "without the macros"),
    ("void f(int n) { throw n; }", "exceptions"),
    ("double f(int n) { return n; }", "floating point"),
    ("int f(int n) {\n  for (int i = 0; i < 9; i++) n++;\n  return n;\n}", "without a name"),
    ("int f(int n) {\nLoop:\n  for (int i = 0; i < n; i++) {\n    n--;\n  }\n  return n;\n}", "of unknown length"),
    ("int f(int n) {\nLoop:\n  for (;;) {\n    n--;\n  }\n  return n;\n}", "of unknown length"),
])
def test_the_guard_finds(bad, complaint, tmp_path):
    path = tmp_path / "bad.cpp"
    path.write_text(bad)
    assert complaint in "\n".join(hls_guard.forbidden(path) + hls_guard.loops(path))


@pytest.mark.parametrize("bad, complaint", [
    ("extern int g(int);\nint f(int n) { return g(n); }", "calls"),
    ("int f(int n) { return n ? f(n - 1) : 0; }", "calls itself"),
    ("int f(int n);\nint g(int n) { return f(n); }\nint f(int n) { return n ? g(n - 1) : 0; }", "calls itself"),
    ("int f(int (*g)(int)) { return g(3); }", "calls"),
])
def test_the_guard_finds_calls(bad, complaint, tmp_path):
    path = tmp_path / "bad.cpp"
    path.write_text(bad)
    assert complaint in "\n".join(hls_guard.calls(path, tmp_path))


@pytest.mark.parametrize("text, fine", [
    ("#pragma HLS pipeline II=1", True), ("#pragma HLS pipline II=1", False), ("#pragma HLS pipeline I=1", False),
    ("#pragma HLS interface mode=bram port=x storage_type=ram_1p", True),
    ("#pragma HLS interface bram port=x", False), ("#pragma HLS interface mode=bramm port=x", False),
    ("#pragma HLS array_partition variable=x type=complete dim=0", True), ("#pragma hls unroll", False),
    ("#pragma HLS array_partition variable=x complete dim=0", False), ("#pragma HLS unroll", True),
    ("#pragma GCC unroll 4", False)])
def test_the_guard_knows_directives(text, fine):
    assert (hls_guard.misspelt([("x.cpp", 1, text)], hls_guard.documented()) == []) == fine
