"""Make Verilog of HLS kernels with Vitis HLS or Bambu: python hls/synthesise.py [--tool vitis|bambu] [KERNEL ...]

Results lie under build/hls/<tool>/<kernel>: the tool's project, its log, and report.json; Vitis exports IP, too.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from native import HEADERS, KERNELS

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "hls"
CORES = ("grouped_pointwise", "depthwise", "channel_shuffle")
SMALL = "engine_small"  # the engine as its tests build it
TOPS = {"engine": "riffle_engine", SMALL: "riffle_engine"}  # kernels whose top function is not named like them
SMALL_SIZES = {"ROWS": 2, "COLUMNS": 3, "DEPTH": 256}
DEVICE, CLOCK_NS = "xc7z020-1clg484-VVD", 10  # Bambu's name of the part that is nearest to the PYNQ-Z2's
INSTALL = {
    "vitis": "neither vitis-run nor vitis_hls is on PATH: install Vitis (2020.2 or later, free edition, with 7-series "
             "devices) from AMD's download page and source its settings64.sh",
    "bambu": "bambu is not on PATH: download the AppImage of PandA-Bambu 2024.10 from its site (panda.dei.polimi.it), "
             "make it executable and put it on PATH under the name bambu",
}


def command(tool: str) -> list[str] | None:
    """How a tool is called, None where it is not installed."""
    if tool == "bambu":
        return ["bambu"] if shutil.which("bambu") else None
    script = str(ROOT / "hls" / "synthesise.tcl")
    if shutil.which("vitis-run"):  # 2023.1 and later
        return ["vitis-run", "--mode", "hls", "--tcl", script]
    return ["vitis_hls", "-f", script] if shutil.which("vitis_hls") else None


def synthesise(kernel: str, tool: str) -> Path:
    """Verilog and report.json of a kernel; returns their folder.

    Raises
    ------
    RuntimeError
        if there is no such kernel, the tool is missing, refuses the kernel, or fails; names the log
    """
    call = command(tool)
    if call is None:
        raise RuntimeError(INSTALL[tool])
    known = CORES if tool == "bambu" else sorted([*(path.stem for path in KERNELS.glob("*.cpp")), SMALL])
    if kernel not in known:
        raise RuntimeError(f"{tool} compiles no kernel {kernel!r}; it does {', '.join(known)}")
    folder = BUILD / tool / kernel
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log, environment = folder.with_suffix(".log"), dict(os.environ)
    if tool == "bambu":
        call += [str(_source(kernel)), f"--top-fname={kernel}", f"--device-name={DEVICE}",
                 f"--clock-period={CLOCK_NS}", "--generate-interface=INFER", "-O2"]
    else:
        defines = " ".join(f"-DRIFFLE_{name}={value}" for name, value in SMALL_SIZES.items()) if kernel == SMALL else ""
        environment |= {"RIFFLE_KERNEL": _source(kernel).stem, "RIFFLE_DEFINES": defines,
                        "RIFFLE_OUTPUT": str(folder), "RIFFLE_CLOCK_NS": str(CLOCK_NS)}
    with open(log, "w") as output:
        failed = subprocess.run(call, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT).returncode
    if failed or not verilog(kernel, tool):
        print("\n".join(log.read_text(errors="replace").splitlines()[-30:]), file=sys.stderr)
        raise RuntimeError(f"{tool} did not make Verilog of {kernel}, see above and {log}")
    log.replace(folder / "log.txt")
    report = {"kernel": kernel, "tool": tool, **(_bambu_report if tool == "bambu" else _vitis_report)(folder, kernel)}
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    return folder


def verilog(kernel: str, tool: str) -> list[Path]:
    """The Verilog files that a tool has made of a kernel; none where it has not."""
    folder = BUILD / tool / kernel
    return sorted((folder if tool == "bambu" else folder / "solution" / "syn" / "verilog").glob("*.v"))


def up_to_date(kernel: str, tool: str) -> bool:
    """Whether there is Verilog that is newer than the sources."""
    made = verilog(kernel, tool)
    newest = max(path.stat().st_mtime for path in (_source(kernel), *HEADERS.glob("*.hpp")))
    return bool(made) and min(path.stat().st_mtime for path in made) > newest


def _source(kernel: str) -> Path:
    return KERNELS / f"{'engine' if kernel == SMALL else kernel}.cpp"


def _vitis_report(folder: Path, kernel: str) -> dict:
    """Latency, intervals and resources out of Vitis' XML, numbers as they stand there."""
    path = folder / "solution" / "syn" / "report" / f"{TOPS.get(kernel, kernel)}_csynth.xml"
    if not path.exists():
        return {"note": f"no report at {path.name}"}
    root = ElementTree.parse(path).getroot()
    def text(where: str) -> str | None:
        found = root.find(where)
        return found.text if found is not None else None
    area, timing = root.find("AreaEstimates/Resources"), "PerformanceEstimates/SummaryOf"
    return {
        "version": text("ReportVersion/Version"), "part": text("UserAssignments/Part"),
        "clock_ns": text("UserAssignments/TargetClockPeriod"),
        "clock_ns_estimated": text(f"{timing}TimingAnalysis/EstimatedClockPeriod"),
        "latency": {end: text(f"{timing}OverallLatency/{end}-caseLatency") for end in ("Best", "Worst")},
        "loops": {loop.tag: {item.tag: item.text for item in loop if item.text and item.text.strip()}
                  for loop in root.iterfind(f"{timing}LoopLatency/*")},
        "resources": {item.tag: int(item.text) for item in area} if area is not None else {},
        "ip": [path.name for path in (folder / "solution" / "impl").rglob("*.zip")],
    }


def _bambu_report(folder: Path, kernel: str) -> dict:
    """What Bambu's log says of resources and clock."""
    log = (folder / "log.txt").read_text(errors="replace")
    numbers = re.findall(r"^\s*((?:Estimated|Total|Minimum|Number)[^:\n]*?)\s*:\s*([\d.]+)", log, flags=re.M)
    return {"device": DEVICE, "clock_ns": CLOCK_NS,
            "estimates": {name.strip(): float(value) for name, value in numbers},
            "verilog": [path.name for path in verilog(kernel, "bambu")]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", choices=["vitis", "bambu"], default="vitis")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help="by default the three stand-alone cores")
    arguments = parser.parse_args()
    try:
        for kernel in arguments.kernels or CORES:
            folder = synthesise(kernel, arguments.tool)
            print((folder / "report.json").read_text(), end="")
    except RuntimeError as error:
        sys.exit(f"hls: {error}.")


if __name__ == "__main__":
    main()
