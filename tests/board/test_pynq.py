"""Real PYNQ on the simulated board: on_pynq/ as the board has it, in the versions of its images; and the tests of
what the board needs, with the board's Python and NumPy."""

import os
import subprocess
from pathlib import Path

import pytest

import pynq_environment
from pynq_environment import VERSIONS, Unavailable, environment, python310, wanted
from riffle.backends.verilated import build

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
SMALL = ("asynchronous", "compare", "descriptor", "digits", "doctor", "accelerator", "integer_graph", "emulator",
         "layout", "manifest", "shufflenet_v1", "open_backend", "program", "reference", "random_networks", "linux_uio")
FULL = ("batch", "cli", "bus_traffic")
ELSEWHERE = ("choice", "importing_and_numpy_need_numpy_only",  # of an environment with Verilator, and riffle installed
             "images_are_fetched_or_written")  # takes both sizes of the hardware, $RIFFLE_MODEL is one

IMPORT_EACH = """
import importlib, os, pkgutil, sys, traceback
import numpy, pynq
names = ["riffle." + str(each.name) for each in pkgutil.iter_modules(["host/riffle"])]
FOLDERS = ("analysis", "analysis/report", "backends", "bitstream", "board", "board/simulated", "cli", "compiler",
           "driver", "export", "export/hls4ml", "graph", "isa", "zoo")
names += [f"riffle.{folder}.{each.name}".replace("/", ".") for folder in FOLDERS
          for each in pkgutil.iter_modules([f"host/riffle/{folder}"]) if each.name != "__main__"]
wrong = []
for name in names:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
            os._exit(0)
        except ImportError as error:  # of what an extra installs; a circle names the module
            os._exit((error.name or "").startswith("riffle"))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        wrong.append(name)
print(wrong or len(names))
"""


def run(version, configuration, *arguments, timeout):
    python = wanted(environment, version)
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    variables = os.environ | {"RIFFLE_MODEL": str(build(configuration)), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=timeout, env=variables)
    print(done.stdout)
    assert done.returncode == 0, f"PYNQ {version}: see above"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["overlay", "interrupts", "manifest", "shared", "reload"])
def test_on_pynq(version, name):
    run(version, "small", TESTS / "board/on_pynq" / f"{name}.py", timeout=300)


@pytest.mark.parametrize("version, configuration, names", [(VERSIONS[0], "small", SMALL), (VERSIONS[1], "full", FULL)])
def test_tests_pass_with_the_boards_python(version, configuration, names):
    files = [path for name in names for path in TESTS.rglob(f"test_{name}.py")]
    assert len(files) == len(names)
    run(version, configuration, *files, "-k", " and ".join(f"not {name}" for name in ELSEWHERE), timeout=1200)


def test_every_module_can_be_imported_first():
    """In a process of its own: another order of imports would hide a circle."""
    done = subprocess.run([wanted(environment, VERSIONS[1]), "-c", IMPORT_EACH], cwd=ROOT, text=True,
                          env=os.environ | {"PYTHONPATH": "host"}, capture_output=True)
    print(done.stderr)
    assert done.returncode == 0 and int(done.stdout) > 80, done.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_environment_is_that_of_the_image(version):
    python = wanted(environment, version)
    script = ("import sys, importlib.metadata as m; "
              "print(sys.version_info[:2], *map(m.version, ('numpy', 'setuptools', 'pip', 'pynq')))")
    found = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout
    assert found == f"(3, 10) 1.21.5 59.6.0 22.0.2 {version}\n"


def test_python_310_is_looked_for(tmp_path, monkeypatch):
    """One on the path that does not run, as pyenv's shim without $PYENV_VERSION, leads to pyenv's versions."""
    shim, real = tmp_path / "shims/python3.10", tmp_path / "versions/3.10.13/bin/python3.10"
    for path, code in ((shim, 127), (real, 0)):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\nexit {code}\n")
        path.chmod(0o755)
    monkeypatch.setattr(pynq_environment.pwd, "getpwuid", lambda _: type("Entry", (), {"pw_dir": "/nowhere"}))
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.setattr(pynq_environment.shutil, "which", lambda _: str(shim))
    assert python310() == real
    shim.write_text("#!/bin/sh\n")
    assert python310() == shim
    monkeypatch.setattr(pynq_environment.shutil, "which", lambda _: None)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert python310() == real
    monkeypatch.delenv("PYENV_ROOT")
    with pytest.raises(Unavailable, match="there is no Python 3.10 .*Remedy: `pyenv install 3.10`"):
        python310()


@pytest.mark.parametrize("required, outcome", [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_without_python_310_tests_are_skipped_or_fail(monkeypatch, required, outcome):
    """.ci/run wants them."""
    def make():
        raise Unavailable("there is no Python 3.10")
    monkeypatch.setenv(pynq_environment.REQUIRED, required)
    with pytest.raises(outcome, match="there is no Python 3.10"):
        wanted(make)
    assert f"{pynq_environment.REQUIRED}=1" in (ROOT / ".ci" / "run").read_text()
