"""`make bitstream` from end to end in a copy of the tree, with scripts in the place of Vivado, nextpnr and prjxray."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from block_design import STAND_IN, catalogue, read_ports
from riffle.bitstream import manifest

ROOT = Path(__file__).resolve().parents[2]
REPORT = runpy.run_path(str(ROOT / "hw" / "board" / "open" / "report.py"))


@pytest.fixture
def tree(tmp_path):
    """What the flows need of the project."""
    tree = tmp_path / "tree"
    ignore = shutil.ignore_patterns("__pycache__", "data", "*.bit", "*.hwh")
    for folder in ("hw", "host/riffle", "bitstreams", "tools"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignore)
    shutil.copy(ROOT / "Makefile", tree)
    return tree


def tool(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\nset -e\n{text}\n")
    path.chmod(0o755)


def run(tree, *arguments, **environment):
    command = ["make", "bitstream", f"PYTHON={sys.executable}", *arguments]
    path = f"{tree.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(command, cwd=tree, capture_output=True, text=True,
                          env=os.environ | {"PATH": path} | environment)


@pytest.fixture
def vivado(tree):
    """A `vivado` on PATH that runs the stand-in of tests/hw/vivado."""
    (tree.parent / "interfaces.tcl").write_text(catalogue(read_ports(tree.parent)["riffle_ip"]))
    tool(tree.parent, "vivado", f"""
while [ "$1" != -source ]; do shift; done
script=$2; shift 3
exec tclsh {STAND_IN}/run.tcl {tree.parent}/interfaces.tcl "$script" "$@" """)


def test_one_command_for_a_vivado_user(tree, vivado):
    done = run(tree, "CLOCK_MHZ=120")
    assert done.returncode == 0, done.stdout + done.stderr
    made = manifest.read(tree / "bitstreams" / "riffle.json")
    assert (made["flow"], made["clock_mhz"], made["slack_ns"]) == ("vivado", 120, 0.5)
    assert manifest.check(tree / "bitstreams" / "riffle.json") == []


def test_missed_timing_leaves_no_bitstream(tree, vivado):
    done = run(tree, STAND_IN_SLACK="-0.1")
    assert done.returncode != 0 and "timing is not met" in done.stdout + done.stderr
    assert not list((tree / "bitstreams").glob("riffle.*"))


def test_hls_engine_must_be_made_first(tree, vivado):
    done = run(tree, "ENGINE=hls")
    assert done.returncode != 0 and "run `make hls` first" in done.stdout + done.stderr


@pytest.fixture
def open_tools(tree):
    """nextpnr and prjxray's tools as scripts, a database, and the Yosys half as if made (it has its own test)."""
    tool(tree.parent, "nextpnr-himbaechel", """
case "$*" in *--version*) echo "nextpnr 0.9"; exit;; esac
for word; do case $word in fasm=*) : > ${word#fasm=};; esac; done
while [ $# -gt 0 ]; do
  case $1 in
    --report) echo '{"fmax": {"clk": {"achieved": 125.0, "constraint": 100.0}}}' > $2;;
    --log) echo "Info: Max frequency for clock 'clk': 125.00 MHz (PASS at 100.00 MHz)" > $2;;
  esac
  shift
done""")
    tool(tree.parent, "fasm2frames", 'for last; do :; done; : > "$last"')
    tool(tree.parent, "xc7frames2bit", 'for last; do :; done; echo bits > "$last"')
    (tree.parent / "database" / "zynq7" / "xc7z020clg400-1").mkdir(parents=True)
    built = tree / "build" / "open"
    built.mkdir(parents=True)
    (built / "riffle.json").write_text("{}")
    (built / "resources.txt").write_text("dsp 217\nbram36 133.5\nlut 21588\nff 23241\ncarry4 1318\n")
    return {"PRJXRAY_DB": str(tree.parent / "database")}


def test_open_flow(tree, open_tools):
    done = run(tree, "FLOW=open", **open_tools)
    assert done.returncode == 0, done.stdout + done.stderr
    made = manifest.read(tree / "bitstreams" / "riffle.json")
    assert made["flow"] == "open" and made["slack_ns"] == 2.0 and made["utilisation"]["bram36"] == 133.5
    assert manifest.check(tree / "bitstreams" / "riffle.json") == []
    assert "axi_intc" not in (tree / "bitstreams" / "riffle.hwh").read_text()


def test_placement_only(tree, open_tools):
    done = run(tree, "FLOW=open", "PLACE_ONLY=1")
    assert done.returncode == 0 and "125.00 MHz" in done.stdout
    assert not list((tree / "bitstreams").glob("riffle.*"))


def test_open_flow_without_database(tree, open_tools):
    done = run(tree, "FLOW=open", PRJXRAY_DB="/nowhere")
    assert done.returncode != 0 and "looked for /nowhere/zynq7" in done.stdout + done.stderr


def test_open_flow_fails_where_timing_is_missed():
    used = {"dsp": 1, "bram36": 1, "lut": 1, "ff": 1}
    with pytest.raises(ValueError, match="90.0 MHz of 100"):
        REPORT["results"]({"fmax": {"clk": {"achieved": 90.0}}}, used, 100, "0.9")


def test_yosys_half(tmp_path, monkeypatch):
    """The netlist for nextpnr on a reduced lattice: a processing system, its ports used, one clock buffer, no pads."""
    monkeypatch.syspath_prepend(str(ROOT / "hw" / "board" / "open"))
    import yosys_half
    used = yosys_half.build(tmp_path / "riffle.json", "small")
    modules = json.loads((tmp_path / "riffle.json").read_text())["modules"].values()
    top, = (module for module in modules if "top" in module["attributes"])
    kinds = [cell["type"] for cell in top["cells"].values()]
    assert kinds.count("PS7") == kinds.count("BUFG") == 1 and not top["ports"] and used["dsp"] == 29
    assert not {kind for kind in kinds if kind.startswith("$") or kind.endswith("BUF")}
    ps7, = (cell["connections"] for cell in top["cells"].values() if cell["type"] == "PS7")
    clocks = {tuple(ps7[name]) for name in ("MAXIGP0ACLK", "SAXIHP0ACLK")}
    assert len(clocks) == 1
    for name in ("MAXIGP0RDATA", "MAXIGP0BID", "SAXIHP0ARADDR"):
        assert any(isinstance(bit, int) for bit in ps7[name]), name
    assert top["netnames"]["resetn_q"]["attributes"]["ASYNC_REG"] == "TRUE"
    assert isinstance(ps7["IRQF2P"][0], int) and set(ps7["IRQF2P"][1:]) == {"0"}
