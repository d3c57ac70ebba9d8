"""The wheel, and environments of PYNQ's images with it installed as a user installs it: without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pynq_environment import BUILD, copy

ROOT = Path(__file__).resolve().parents[2]
HOOK = "import sys; from setuptools import build_meta; getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2])"
LEFT_OUT = shutil.ignore_patterns("build", "dist", ".venv", ".git", "*.egg-info", "__pycache__", ".*_cache")
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.devnull}


def call(*command: object, **options: object) -> str:
    """Output of a command that succeeds."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def clean(**variables: str) -> dict[str, str]:
    """The environment's variables without those that this process was given for Riffle and Python."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("RIFFLE_", "PYTHON"))} | variables


def tree(folder: Path) -> Path:
    """A copy of what the repository holds."""
    return Path(shutil.copytree(ROOT, folder / "tree", ignore=LEFT_OUT, symlinks=True))


def distribution(kind: str, source: Path, folder: Path) -> Path:
    """An "sdist" or a "wheel" of a tree, with this environment's setuptools."""
    call(sys.executable, "-c", HOOK, kind, folder, cwd=source)
    (built,) = folder.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@dataclass(frozen=True)
class Installation:
    """An environment, and the packages in it (as `pip freeze` lists them) before and after Riffle came."""

    version: str
    python: Path
    before: frozenset[str]
    after: frozenset[str]

    def command(self, name: str) -> Path:
        return self.python.parent / name


@contextmanager
def installed(version: str, wheel: Path) -> Iterator[Installation]:
    """A copy of PYNQ's environment with the wheel in it; errors as `pynq_environment.environment`."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"installed-{version}-", dir=BUILD) as folder:
        python = copy(version, Path(folder, "pynq"))
        pip = (python, "-m", "pip", "--disable-pip-version-check")
        before = frozenset(call(*pip, "freeze", "--all", env=clean()).splitlines())
        call(*pip, "install", wheel, env=clean(**OFFLINE))
        yield Installation(version, python, before, frozenset(call(*pip, "freeze", "--all", env=clean()).splitlines()))
