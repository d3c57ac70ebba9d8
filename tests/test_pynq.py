"""Real PYNQ on the simulated board: tests/on_pynq as the board has it, in the versions of its images."""

import os
import subprocess
from pathlib import Path

import pytest

from pynq_environment import VERSIONS, Unavailable, environment
from riffle.backends.rtl import build

TESTS = Path(__file__).resolve().parent


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["overlay", "interrupts", "manifest", "shared"])
def test_on_pynq(version, name):
    try:
        python = environment(version)
    except Unavailable as error:
        pytest.skip(str(error))
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS / "on_pynq" / f"{name}.py"]
    variables = os.environ | {"RIFFLE_MODEL": str(build("small")), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=TESTS.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120, env=variables)
    print(done.stdout)
    assert done.returncode == 0, f"PYNQ {version}: see above"
