"""The installed wheel on a pretended board: PYNQ and Riffle take this computer for a PYNQ-Z2 (pretended_board/).

Every command, notebook and script goes through PYNQ's overlay to the simulated hardware; its runs are counted there.
"""

import re
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from campaigns import campaign
from installation import clean, distribution, installed, tree
from pynq_environment import VERSIONS, wanted
from riffle.backends.verilated import build
from riffle.bitstream import hwh
from riffle.zoo import digits
from sample_manifest import save_manifest

PRETENDED = Path(__file__).resolve().with_name("pretended_board")
NOTEBOOKS = sorted(path.stem for path in (PRETENDED.parents[2] / "notebooks").glob("*.ipynb"))
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
NotebookClient(nbformat.read(sys.argv[1], 4), timeout=300, kernel_name="python3").execute()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    return distribution("wheel", tree(folder), folder)


@pytest.fixture(scope="module", params=VERSIONS)
def installation(request, wheel):
    context = installed(request.param, wheel)
    yield wanted(context.__enter__)
    context.__exit__(None, None, None)


class Board:
    """A folder on the board; `call` gives exit code and output of a command there, `log` says what it did."""

    def __init__(self, installation, folder):
        self.installation, self.folder, self.log = installation, folder, Counter()

    def bitstream(self, folder=None):
        path = (folder or self.folder) / "riffle.bit"
        path.write_bytes(b"bits")
        hwh.write(path.with_suffix(".hwh"))
        save_manifest(path)
        return path

    def call(self, *command, folder=None):
        log = self.folder / "log"
        log.write_text("")
        variables = clean(PYTHONPATH=str(PRETENDED), RIFFLE_MODEL=str(build("full")), RIFFLE_PRETENDED_LOG=str(log),
                          BOARD="Pynq-Z2", COLUMNS="100")
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, cwd=folder or self.folder, env=variables, timeout=600)
        self.log = Counter(line.split()[0] for line in log.read_text().splitlines())
        assert "Traceback" not in done.stdout, done.stdout
        return done.returncode, " ".join(re.sub("[│╭╮╰╯─]", " ", done.stdout).split())

    def riffle(self, *arguments):
        return self.call(self.installation.command("riffle"), *arguments)


@pytest.fixture
def board(request, installation, tmp_path):
    number = sum(index for name, index in request.node.callspec.indices.items() if name != "installation")
    if installation.version != VERSIONS[-1] and number % 3 and not campaign(0, 1):
        pytest.skip(f"PYNQ {installation.version} gets a third of these; all are for the soak")
    found = Board(installation, tmp_path)
    found.bitstream()
    image = digits.held_out()[0][3]
    np.save(tmp_path / "x.npy", image)
    Image.fromarray(image).resize((250, 300)).save(tmp_path / "x.png")
    return found


@pytest.mark.parametrize("arguments, runs, shown", [
    (("demo", "--count", 2), 2, "2 of 2 right"), (("demo", "--count", 1, "--save", "x.svg"), 1, "saved x.svg"),
    (("classify", "x.npy", "x.png"), 2, "cut out, centred"),
    (("classify", "x.png", "--network", "g3-0.25x-c10"), 1, "resized to 224x224"),
    (("compare",), 29, "equal: shufflenet_v1"), (("compare", "g2-1x-stage3-stride2"), 4, "equal: "),
    (("bench", "--only", "digits"), 1, "in the board's DDR"), (("bench", "--json", "--only", "digits"), 1, '"board"'),
    (("bench", "--host", "--only", "digits"), 44, "Host work"), (("bench", "--layers", "digits"), 1, "that of NumPy"),
    (("bench", "--baselines", "--only", "digits"), 1, "Riffle with all that Python does"),
    (("report", "digits"), 1, "open it in a browser"), (("trace", "digits"), 1, "ui.perfetto.dev")])
def test_command_runs_through_pynq(board, arguments, runs, shown):
    code, output = board.riffle(*arguments)
    assert code == 0 and shown in output, output
    assert board.log["download"] == 1 and board.log["run"] >= runs  # and those that measure
    where = (board.folder / "x.svg").read_text().replace("&#160;", " ") if "--save" in arguments else output
    assert f"Backend board: Pynq-Z2 through PYNQ {board.installation.version}" in where


@pytest.mark.parametrize("arguments, code, shown", [
    (("info",), 0, "ShuffleNet V1"), (("compile", "digits", "-o", "x.riffle"), 0, "29 descriptors"),
    (("hls4ml", "digits", "-o", "x"), 1, "needs the Python package hls4ml. Remedy: "), (("--help",), 0, "Commands"),
    (("doctor",), 1, "no UIO device called fabric"),  # and no profile scripts; nothing else is wrong
    (("compare", "--waves", "x.fst"), 1, "backend 'board' cannot write waveforms. Remedy: "),
    (("demo", "--backend", "gpu"), 1, "there is no backend 'gpu'"),
    (("demo", "--count", 1, "--backend", "numpy"), 0, "Backend numpy: "),
    (("demo", "--backend", "hls"), 1, "which this installation does not have: clone the repository")])
def test_command_without_the_board(board, arguments, code, shown):
    found, output = board.riffle(*arguments)
    assert found == code and shown in output, output
    assert not board.log and output.count("WRONG") == 2 * ("doctor" in arguments)


@pytest.mark.parametrize("change, message", [
    (lambda path: path.unlink(), "there is no bitstream riffle.bit .*Remedy: put it and its .hwh into this folder"),
    (lambda path: path.write_bytes(b"others"), "riffle.bit is not the file that was built: fetch or build it again"),
    (lambda path: path.with_suffix(".hwh").unlink(), "PYNQ cannot read the .hwh of riffle.bit .*Remedy: take the .hwh"),
    (lambda path: path.with_suffix(".hwh").write_text("<x"), "PYNQ cannot read the .hwh of riffle.bit .*Remedy: take"),
    (lambda path: save_manifest(path, build_hash="00000001"), "FPGA holds build 00000000.*Remedy: load it again")])
def test_bitstream_is_looked_at_as_on_a_board(board, change, message):
    change(board.folder / "riffle.bit")
    code, output = board.riffle("demo")
    assert code == 1 and re.search(message, output), output
    assert not board.log["run"]


def test_script_runs_through_pynq(board):
    script = board.folder / "script.py"
    script.write_text("import riffle\nfrom riffle.zoo import digits\nimages, labels = digits.held_out()\n"
                      "accelerator = riffle.open()\naccelerator.load(riffle.load('digits'))\n"
                      "print(*(accelerator.run(image).label for image in images[:3]), '=', *labels[:3])\n")
    code, output = board.call(board.installation.python, script)
    left, right = output.split(" = ")
    assert code == 0 and left == right and board.log == {"download": 1, "run": 3}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_delivered_notebook_runs_through_pynq(board, name):
    """As `pynq get-notebooks` puts it there, with the bitstream beside it."""
    code, output = board.call(board.installation.command("pynq"), "get-notebooks", "--path", board.folder, "riffle")
    assert code == 0, output
    delivered = board.folder / "riffle"
    assert sorted(path.stem for path in delivered.glob("*.ipynb")) == NOTEBOOKS
    board.bitstream(delivered)
    code, output = board.call(board.installation.python, "-c", EXECUTE, f"{name}.ipynb", folder=delivered)
    assert code == 0, output
    assert board.log["download"] == 1 and board.log["run"] >= ("layout" not in name)
