"""Python environments as the board has them: PYNQ, NumPy 1, none of our tools. Made once, under build/.

    python tests/pynq_environment.py      make all of them, and print their interpreters
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).resolve().parents[1] / "build"
VERSIONS = ("3.0.1", "3.1.2")
NOTEBOOKS = "3.1.2"  # which of them has Jupyter's parts, too
PACKAGES = ("numpy<2", "pycparser<3", "setuptools>=71,<81", "pytest>=8")  # PYNQ does not start with newer ones
JUPYTER = ("nbclient>=0.10", "nbformat>=5.10", "ipykernel>=6.29", "matplotlib>=3.8", "pillow>=9")


class Unavailable(Exception):
    """PYNQ cannot be installed here; says why."""


def environment(version: str) -> Path:
    """The interpreter of an environment, made if needed.

    Raises
    ------
    Unavailable
        if it cannot be made, as without a network
    """
    packages = [f"pynq=={version}", *PACKAGES, *(JUPYTER if version == NOTEBOOKS else ())]
    folder = BUILD / f"pynq-{version}"
    python, stamp, log = folder / "bin" / "python", folder / "stamp", BUILD / f"pynq-{version}.log"
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "pynq.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == "\n".join(packages):
            return python
        print(f"Installing PYNQ {version} into {folder}: half a minute, once", file=sys.stderr, flush=True)
        with open(log, "w") as output:
            for command in ([sys.executable, "-m", "venv", "--clear", str(folder)],
                            [str(python), "-m", "pip", "install", "--quiet", *packages]):
                if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode:
                    reason = (log.read_text().strip().splitlines() or ["no output"])[-1]
                    raise Unavailable(f"PYNQ {version} cannot be installed: {reason} (all of it: {log})")
        stamp.write_text("\n".join(packages))
    return python


if __name__ == "__main__":
    try:
        for each in VERSIONS:
            print(environment(each))
    except Unavailable as error:
        sys.exit(f"{error}\nTests that need PYNQ will be skipped")
