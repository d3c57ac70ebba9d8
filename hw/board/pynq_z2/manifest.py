"""Write the manifest of a bitstream that has just been built, and put all three files into bitstreams/.

    PYTHONPATH=host python3 manifest.py DESIGN FLOW CLOCK_MHZ ENGINE FOLDER

FOLDER holds <name>.bit, <name>.hwh and results.txt.
"""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from pathlib import Path

from riffle.bitstream.manifest import BOARD, contradictions, describe

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

PART = "xc7z020clg400-1"
TOOLS = {"vivado": "Vivado", "open": "nextpnr-xilinx"}


def results(folder: Path) -> dict[str, str]:
    """results.txt, one `name value` a line."""
    return dict(line.split(" ", 1) for line in (folder / "results.txt").read_text().splitlines())


def manifest(design: str, flow: str, clock_mhz: float, engine: str, folder: Path, facts: dict) -> dict:
    """The manifest of what lies in `folder`; `facts` as facts.py has them.

    Raises
    ------
    ValueError
        if a result is missing
    """
    found = results(folder)
    name = facts["name"] if design == "system" else facts["cores_name"]
    made = {
        "name": name, "design": design, "board": BOARD, "part": PART, "flow": flow, "engine": engine,
        "clock_mhz": clock_mhz, "version": facts["version"], "git_commit": facts["git_commit"],
        "spec_hash": facts["spec_hash"], "build_hash": facts["build_hash"], "tool": TOOLS[flow],
        "tool_version": found.get("tool_version"), "slack_ns": float(found.get("slack_ns", "nan")),
        "utilisation": {"dsp": int(found["dsp"]), "bram36": int(found["bram36"]) + int(found["bram18"]) / 2,
                        "lut": int(found["lut"]), "ff": int(found["ff"])},
        "files": {kind: describe(folder / f"{name}.{kind}") for kind in ("bit", "hwh")},
    }
    if problems := contradictions(made):
        raise ValueError(f"results of {folder} are incomplete: {'; '.join(problems)}")
    return made


def main() -> int:
    if len(sys.argv) != 6:
        print(__doc__, file=sys.stderr)
        return 2
    design, flow, clock_mhz, engine, folder = sys.argv[1:]
    facts = runpy.run_path(str(HERE / "facts.py"))["facts"](engine)
    made = manifest(design, flow, float(clock_mhz), engine, Path(folder), facts)
    target = ROOT / "bitstreams"
    for entry in made["files"].values():
        shutil.copy(Path(folder) / entry["name"], target)
    (target / f"{made['name']}.json").write_text(json.dumps(made, indent=2) + "\n")
    print(f"bitstreams/{made['name']}.bit, .hwh and .json: {clock_mhz} MHz, slack {made['slack_ns']} ns")
    return 0


if __name__ == "__main__":
    sys.exit(main())
