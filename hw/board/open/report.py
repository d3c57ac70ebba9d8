"""results.txt of the open flow, as hw/board/pynq_z2/manifest.py reads it, from nextpnr's report and Yosys' counts.

    python3 report.py REPORT.json RESOURCES CLOCK_MHZ VERSION > results.txt
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def results(report: dict, used: dict[str, float], clock_mhz: float, version: str) -> list[str]:
    """One `name value` a line.

    Raises
    ------
    ValueError
        if the clock is not met; says what was
    """
    achieved = min(entry["achieved"] for entry in report["fmax"].values())
    slack = 1000 / clock_mhz - 1000 / achieved
    if slack < 0:
        raise ValueError(f"timing is not met: {achieved:.1f} MHz of {clock_mhz:g}; build with a lower CLOCK_MHZ")
    whole = int(used["bram36"])
    counts = used | {"bram36": whole, "bram18": round((used["bram36"] - whole) * 2)}
    return [f"tool_version {version}", f"slack_ns {slack:.3f}",
            *(f"{name} {int(counts[name])}" for name in ("dsp", "bram36", "bram18", "lut", "ff"))]


def main() -> int:
    if len(sys.argv) != 5:
        print(__doc__, file=sys.stderr)
        return 2
    report, used, clock_mhz, version = sys.argv[1:]
    counts = {name: float(value) for name, value in map(str.split, Path(used).read_text().splitlines())}
    try:
        print("\n".join(results(json.loads(Path(report).read_text()), counts, float(clock_mhz), version)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
