"""Python environments as the board's images have them: Python 3.10, NumPy 1.21.5, setuptools 59.6, PYNQ, Jupyter.

    python tests/support/pynq_environment.py      make all of them, and print their interpreters

Made once, under build/; only the compiled model comes from elsewhere ($RIFFLE_MODEL).
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"
VERSIONS = ("3.0.1", "3.1.2")
REQUIRED = "RIFFLE_REQUIRE_BOARD_PYTHON"  # set: tests that find no such environment fail, instead of being skipped
PIP = ("pip==22.0.2", "setuptools==59.6.0", "wheel==0.37.1")  # Ubuntu 22.04's
# also Ubuntu's, and from the images' recipe: sdbuild/packages/python_packages_jammy/requirements.txt of PYNQ
IMAGE = ("numpy==1.21.5", "setuptools==59.6.0", "matplotlib==3.5.1", "pillow==9.0.1", "pycparser==2.19",
         "matplotlib-inline==0.1.3", "pydantic==1.9.1", "typing_extensions==4.3.0", "ipython==8.10.0",
         "ipykernel==6.15.1", "jupyter-client==7.3.4", "jupyter-core==4.11.1", "nbclient==0.5.13", "nbformat==5.4.0",
         "traitlets==5.3.0", "jsonschema==4.9.0", "tqdm==4.64.0", "nest-asyncio==1.5.5")
PACKAGES = ("numpy", "setuptools", "matplotlib", "pillow", "pycparser", "ipykernel", "nbclient", "nbformat",  # image
            "typer>=0.12", "rich>=13", "pytest>=8")  # riffle[cli], tests


class Unavailable(Exception):
    """There can be no such environment here; says why."""


def python310() -> Path:
    """Python 3.10: on the path, or among pyenv's versions.

    Raises
    ------
    Unavailable
        if there is none that runs
    """
    question = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 10))"
    for python in _candidates():
        if not subprocess.run([python, "-c", question], capture_output=True).returncode:
            return python
    raise Unavailable("there is no Python 3.10 (with venv) as the board has it: neither python3.10 on the path nor "
                      "3.10.* among pyenv's versions. Remedy: `pyenv install 3.10`, or the packages python3.10 and "
                      "python3.10-venv")


def _candidates() -> Iterator[Path]:
    found = shutil.which("python3.10")
    roots = [os.environ.get("PYENV_ROOT"), Path.home() / ".pyenv", Path(pwd.getpwuid(os.getuid()).pw_dir, ".pyenv")]
    if found:
        yield Path(found)
        roots.append(Path(found).parents[1])  # of pyenv's shim, which runs only where $PYENV_VERSION allows it
    for root in filter(None, roots):
        yield from sorted(Path(root).glob("versions/3.10*/bin/python3.10"), reverse=True)


def environment(version: str) -> Path:
    """The interpreter of an environment with a version of PYNQ, made if needed.

    Raises
    ------
    Unavailable
        if it cannot be made, as without Python 3.10 or a network
    """
    folder, packages = BUILD / f"pynq-{version}", [f"pynq=={version}", *PACKAGES]
    python, stamp, log = folder / "bin" / "python", folder / "stamp", BUILD / f"pynq-{version}.log"
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "pynq.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = "\n".join([*PIP, *IMAGE, *packages])
        if stamp.exists() and stamp.read_text() == content:
            return python
        base, constraints = python310(), BUILD / "pynq-image.txt"
        constraints.write_text("\n".join(IMAGE) + "\n")
        print(f"Installing PYNQ {version} into {folder}: a minute or two, once", file=sys.stderr, flush=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        _call(log, [base, "-m", "venv", "--clear", folder], [*pip, *PIP], [*pip, "-c", constraints, *packages])
        stamp.write_text(content)
    return python


def _call(log: Path, *commands: list[str | Path]) -> None:
    with open(log, "w") as output:
        for command in commands:
            if subprocess.run(command, stdout=output, stderr=subprocess.STDOUT).returncode:
                reason = (log.read_text().strip().splitlines() or ["no output"])[-1]
                raise Unavailable(f"{command[-1]} cannot be installed: {reason} (all of it: {log})")


def copy(version: str, folder: Path) -> Path:
    """The interpreter of an environment of its own, for what changes it; `folder` should lie under build/: files are
    linked. Errors as `environment`."""
    source = environment(version).parents[1]
    shutil.copytree(source, folder, symlinks=True, copy_function=os.link, ignore=shutil.ignore_patterns("__pycache__"))
    for script in (folder / "bin").iterdir():
        content = b"" if script.is_symlink() else script.read_bytes()
        if bytes(source) in content:
            mode = script.stat().st_mode
            script.unlink()  # the link, not the other one's content
            script.write_bytes(content.replace(bytes(source), bytes(folder)))
            script.chmod(mode)
    return folder / "bin" / "python"


def wanted(make: object, *arguments: object) -> Path:
    """What `environment` or `copy` gives; without one the test is skipped, or fails where $RIFFLE_REQUIRE_BOARD_PYTHON
    says that it must run."""
    import pytest
    try:
        return make(*arguments)
    except Unavailable as error:
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(str(error))


if __name__ == "__main__":
    try:
        for each in VERSIONS:
            print(environment(each))
    except Unavailable as error:
        sys.exit(f"{error}\nTests that need the board's Python will be skipped")
