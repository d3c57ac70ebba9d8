"""What is shipped: sdist, the wheel made of it, that wheel alone, and how PYNQ itself delivers the notebooks."""

import json
import os
import shlex
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from installation import OFFLINE, ROOT, call, clean, distribution, installed, tree
from pynq_environment import VERSIONS, environment, wanted
from riffle.bitstream import hwh, manifest
from sample_manifest import save_manifest


@pytest.fixture(scope="module")
def python():
    return wanted(environment, VERSIONS[-1])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the unpacked sdist, as others would build it."""
    folder = tmp_path_factory.mktemp("dist")
    with tarfile.open(distribution("sdist", tree(folder), folder)) as file:
        file.extractall(folder / "sdist")
    (source,) = (folder / "sdist").iterdir()
    return distribution("wheel", source, folder)


@pytest.fixture(scope="module", params=VERSIONS)
def installation(request, wheel):
    context = installed(request.param, wheel)
    yield wanted(context.__enter__)
    context.__exit__(None, None, None)


def test_wheel_has_everything(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "host" / "riffle"
    wanted = {f"riffle/{path.relative_to(package)}" for path in package.rglob("*.py")}
    wanted |= {f"riffle/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    wanted |= {"riffle/zoo/data/digits.npz", "riffle/zoo/data/digits_held_out.npz", "riffle/overlays/README.md"}
    assert wanted <= names, sorted(wanted - names)


def test_wheel_needs_numpy_only(wheel):
    file = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in file.namelist() if name.endswith("METADATA"))
    needs = [line for line in file.read(metadata).decode().splitlines() if line.startswith("Requires-Dist")]
    assert [line for line in needs if "extra ==" not in line] == ["Requires-Dist: numpy>=1.21"]


def test_demo_runs_in_an_empty_environment(wheel, tmp_path):
    call(sys.executable, "-m", "venv", tmp_path / "empty")
    pip = subprocess.run([tmp_path / "empty/bin/pip", "install", "--quiet", f"{wheel}[cli]"], stderr=subprocess.PIPE,
                         text=True)
    if pip.returncode:
        pytest.skip(f"its dependencies cannot be installed: {pip.stderr.strip().splitlines()[-1]}")
    text = call(tmp_path / "empty/bin/riffle", "demo", "--count", "4", cwd=tmp_path, env=clean())
    assert "4 of 4 right" in text and "cycles" in text


def test_make_wheel_builds_the_same(wheel, tmp_path):
    """Also where an older build has left a module behind that is gone."""
    folder = tree(tmp_path)
    (folder / "build/lib/riffle").mkdir(parents=True)
    (folder / "build/lib/riffle/gone.py").touch()
    make = subprocess.run(["make", "wheel", f"PYTHON={sys.executable}"], cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if make.returncode and "No matching distribution found for setuptools" in make.stdout:
        pytest.skip("pip cannot have setuptools, which builds the wheel")
    assert make.returncode == 0, make.stdout
    (built,) = (folder / "dist").iterdir()
    assert built.name == wheel.name and contents(built) == contents(wheel)


def contents(wheel):
    archive = zipfile.ZipFile(wheel)
    return {name: archive.read(name) for name in archive.namelist() if not name.endswith("RECORD")}


def test_licence_is_an_expression(wheel):
    """A table in pyproject.toml ends with setuptools of February 2027."""
    file = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in file.namelist() if name.endswith("METADATA"))
    lines = file.read(metadata).decode().splitlines()
    assert "License-Expression: Apache-2.0" in lines and "License-File: LICENSE" in lines
    assert any(name.endswith("licenses/LICENSE") for name in file.namelist())


def test_editable_install_works(tmp_path):
    """Of the unpacked tree, with the setuptools of this environment."""
    folder = tree(tmp_path)
    call(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--target", tmp_path / "there", "-e", folder)
    script = "import site, sys; site.addsitedir(sys.argv[1]); import riffle; print(riffle.__file__)"
    found = call(sys.executable, "-S", "-c", script, tmp_path / "there", env=clean()).strip()
    assert Path(found) == folder / "host/riffle/__init__.py"


def test_installing_changes_nothing_else(installation, wheel):
    """Offline, with the image's own pip; with [cli], too, where its packages are there."""
    assert not installation.before - installation.after
    (new,) = installation.after - installation.before
    assert new.startswith("riffle @ file:")
    call(installation.python, "-m", "pip", "install", f"{wheel}[cli,board]", env=clean(**OFFLINE))
    after = call(installation.python, "-m", "pip", "freeze", "--all", env=clean()).splitlines()
    assert {line for line in after if not line.startswith("riffle")} == installation.before
    assert {"numpy==1.21.5", "setuptools==59.6.0", f"pynq=={installation.version}"} <= installation.before


def test_command_comes_from_a_folder_of_wheels(installation, wheel, tmp_path):
    """As docs/board.md says it, for the board's platform: nothing in the folder is compiled."""
    download = "--only-binary :all: --platform linux_armv7l --python-version 3.10 'typer>=0.12' 'rich>=13'"
    page = (ROOT / "docs" / "board.md").read_text()
    assert f"pip download --dest wheels {download}" in page
    assert "pip install --no-index --find-links wheels 'riffle-0.1.0-py3-none-any.whl[cli]'" in page
    done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--dest", tmp_path / "wheels",
                           *shlex.split(download)], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        pytest.skip(f"the wheels cannot be downloaded: {done.stderr.strip().splitlines()[-1]}")
    pip = (installation.python, "-m", "pip")
    call(*pip, "uninstall", "--yes", "typer", "rich", "markdown-it-py", "mdurl", "shellingham", env=clean())
    missing = subprocess.run([installation.command("riffle"), "info"], capture_output=True, text=True, env=clean())
    assert missing.returncode == 1 and "needs the Python package rich" in missing.stderr
    call(*pip, "install", "--no-index", "--find-links", tmp_path / "wheels", f"{wheel}[cli]", env=clean(**OFFLINE))
    assert "ShuffleNet" in call(installation.command("riffle"), "info", env=clean())
    after = set(call(*pip, "freeze", "--all", env=clean()).splitlines())
    assert not {line for line in installation.before - after if not line.startswith(("typer", "rich", "markdown"))}


def test_pynq_delivers_the_notebooks(installation, tmp_path):
    pynq, variables = installation.command("pynq"), clean()
    assert "riffle (source: riffle)" in call(pynq, "get-notebooks", "--list", cwd=tmp_path, env=variables)
    call(pynq, "get-notebooks", "--device", "Pynq-Z2", "--path", tmp_path / "out", "riffle", cwd=tmp_path,
         env=variables)
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
    call(sys.executable, "-m", "riffle.bitstream.manifest", "link", path, installed / "riffle" / "notebooks")
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
