"""The Yosys half of the open flow: riffle_ps7 as a netlist for nextpnr.

    PYTHONPATH=tools python hw/board/open/yosys_half.py FILE.json [CONFIGURATION]    of the spec; default full
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from netlist import read, resources, top_of
from synthesis import parameters_of, synthesise

HERE = Path(__file__).resolve().parent


def build(target: Path, configuration: str = "full") -> dict[str, float]:
    """Write the netlist to `target`; its resources are returned.

    Raises
    ------
    RuntimeError
        if Yosys fails; names the log
    """
    result = synthesise(f"open-{configuration}", wrapper=HERE / "riffle_ps7.sv", **parameters_of(configuration))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(result.flat, target)
    modules = read(target)
    return resources(modules[top_of(modules)].counts)


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    used = build(Path(sys.argv[1]), *sys.argv[2:])
    print("\n".join(f"{name} {value:g}" for name, value in used.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
