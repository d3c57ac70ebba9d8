"""Every notebook runs from top to bottom on the simulated board, and its page in docs/ shows what it shows."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from pynq_environment import VERSIONS, environment, wanted
from riffle.backends.verilated import build

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", NAMES)
def test_notebook(name):
    python = wanted(environment, VERSIONS[-1])
    variables = os.environ | {"RIFFLE_BACKEND": "board", "RIFFLE_MODEL": str(build("full")),
                              "PYTHONPATH": str(ROOT / "host"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python, "docs/notebooks/render.py", "--check", name], cwd=ROOT, env=variables, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_page_is_that_of_the_notebook(name):
    page = (ROOT / "docs" / "notebooks" / f"{name}.md").read_text()
    for cell in json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"]:
        assert "".join(cell["source"]) in page, "stale: run `python docs/notebooks/render.py`"
        assert not cell.get("outputs"), "notebooks are kept without outputs"


def test_numbers_and_backends():
    """Numbered without gaps; not a word about what they run on."""
    assert [name[:3] for name in NAMES] == [f"{number:02}_" for number in range(1, len(NAMES) + 1)]
    for name in NAMES:
        source = "".join(line for cell in json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"]
                         if cell["cell_type"] == "code" for line in cell["source"])
        assert "riffle.open()" in source and not {"Overlay", "RtlBackend", "verilat", "numpy\")"} & set(source.split())
