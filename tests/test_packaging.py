"""What is shipped: sdist, the wheel made of it, that wheel alone, and how PYNQ itself delivers the notebooks."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from pynq_environment import NOTEBOOKS, Unavailable, environment
from riffle import hwh, manifest
from sample_manifest import save_manifest

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2])"
LEFT_OUT = shutil.ignore_patterns("build", ".venv", ".git", "*.egg-info", "__pycache__", ".*_cache")


def call(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def python():
    try:
        return environment(NOTEBOOKS)
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, python):
    """Built from the unpacked sdist, as others would build it."""
    folder = tmp_path_factory.mktemp("dist")
    shutil.copytree(ROOT, folder / "tree", ignore=LEFT_OUT, symlinks=True)
    call(python, "-c", BUILD, "sdist", folder, cwd=folder / "tree")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder / "sdist")
    (source,) = (folder / "sdist").iterdir()
    call(python, "-c", BUILD, "wheel", folder, cwd=source)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_has_everything(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "host" / "riffle"
    wanted = {f"riffle/{path.relative_to(package)}" for path in package.rglob("*.py")}
    wanted |= {f"riffle/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    wanted |= {"riffle/data/digits.npz", "riffle/data/digits_held_out.npz", "riffle/overlays/README.md"}
    assert wanted <= names, sorted(wanted - names)


def test_wheel_needs_numpy_only(wheel):
    file = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in file.namelist() if name.endswith("METADATA"))
    needs = [line for line in file.read(metadata).decode().splitlines() if line.startswith("Requires-Dist")]
    assert [line for line in needs if "extra ==" not in line] == ["Requires-Dist: numpy>=1.22"]


def test_demo_runs_in_an_empty_environment(wheel, tmp_path):
    call(sys.executable, "-m", "venv", tmp_path / "empty")
    pip = subprocess.run([tmp_path / "empty/bin/pip", "install", "--quiet", f"{wheel}[cli]"], stderr=subprocess.PIPE,
                         text=True)
    if pip.returncode:
        pytest.skip(f"its dependencies cannot be installed: {pip.stderr.strip().splitlines()[-1]}")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("RIFFLE", "PYTHON"))}
    text = call(tmp_path / "empty/bin/riffle", "demo", "--count", "4", cwd=tmp_path, env=variables)
    assert "4 of 4 right" in text and "cycles" in text


def test_pynq_delivers_the_notebooks(wheel, python, tmp_path):
    call(python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "installed", wheel)
    variables = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    listed = call(python.parent / "pynq", "get-notebooks", "--list", cwd=tmp_path, env=variables)
    assert "riffle (source: riffle)" in listed
    call(python.parent / "pynq", "get-notebooks", "--device", "Pynq-Z2", "--path", tmp_path / "out", "riffle",
         cwd=tmp_path, env=variables)
    delivered = {path.name for path in (tmp_path / "out" / "riffle").glob("*.ipynb")}
    assert delivered == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.parametrize("whole", [True, False])
def test_pynq_delivers_a_released_bitstream(wheel, python, tmp_path, whole):
    """PYNQ's own code downloads what the .link files name; what is not the released file is not delivered."""
    released, installed, out = (tmp_path / name for name in ("released", "installed", "out"))
    released.mkdir()
    call(python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", installed, wheel)
    (released / "riffle.bit").write_bytes(b"bits")
    hwh.write(released / "riffle.hwh")
    path = save_manifest(released / "riffle.bit")
    made = json.loads(path.read_text())
    for entry in made["files"].values():
        entry["url"] = (released / entry["name"]).as_uri()
    path.write_text(json.dumps(made))
    call(sys.executable, "-m", "riffle.manifest", "link", path, installed / "riffle" / "notebooks")
    if not whole:
        (released / "riffle.bit").write_bytes(b"other bits")
    done = subprocess.run([python.parent / "pynq", "get-notebooks", "--device", "Pynq-Z2", "--path", out, "riffle"],
                          cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(installed)}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    delivered = {path.name for path in out.rglob("*") if path.suffix in (".bit", ".hwh", ".json", ".ipynb", ".link")}
    if whole:
        assert done.returncode == 0, done.stdout
        names = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
        assert delivered == names | {"riffle.bit", "riffle.hwh", "riffle.json"}
        assert manifest.check(out / "riffle" / "riffle.json") == []
    else:
        assert done.returncode and "no valid overlays were found" in done.stdout and not delivered


def test_pynq_finds_overlays_by_name(wheel, python, tmp_path):
    """`Overlay("riffle.bit")` looks into the package."""
    call(python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, wheel)
    script = ("from pynqutils.setup_utils import ExtensionsManager; "
              "print(*ExtensionsManager('pynq.overlays').paths, sep='\\n')")
    paths = call(python, "-W", "ignore", "-c", script, env=os.environ | {"PYTHONPATH": str(tmp_path)}).split()
    assert str(tmp_path / "riffle" / "overlays") in [path.rstrip("/") for path in paths]
