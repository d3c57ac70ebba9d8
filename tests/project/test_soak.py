"""`make soak`: what it runs, what it counts, and that it ends."""

import os
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

import soak

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGNS = '''
import os
def campaign(quick, soak):
    return soak if os.environ.get("RIFFLE_SOAK", "") not in ("", "0") else quick
'''
TESTS = '''
import time, pytest
from campaigns import campaign
@pytest.mark.parametrize("number", range(campaign(2, 5)))
def test_of_many(number):
    assert number < 4
def test_of_one():
    assert [round for round in range(campaign(3, 70))]
@pytest.mark.skipif(True, reason="no")
def test_skipped():
    pass
'''
WHEN = datetime(2030, 1, 2, 3, 4, tzinfo=timezone.utc)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A project with one campaign, whose last case fails, and a test without one."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "tests" / "campaigns.py").write_text(CAMPAIGNS)
    (tmp_path / "tests" / "test_things.py").write_text(TESTS)
    (tmp_path / "tests" / "test_other.py").write_text("def test_nothing():\n    pass\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "tests"))
    monkeypatch.delenv("RIFFLE_SOAK", raising=False)
    monkeypatch.setitem(os.environ, "PYTEST_ADDOPTS", f"-c {tmp_path / 'pytest.ini'} -p no:cacheprovider")
    return tmp_path


def test_counts_of_a_run(tree):
    """Parameters and loops are rounds; the sizes are those of the soak."""
    files = soak.campaigns(tree)
    assert [path.name for path in files] == ["test_things.py"]
    report = tree / "build" / "soak.xml"
    assert soak.run(files, report, ["-q"]) == 1
    (entry,) = soak.read(report).values()
    assert (entry.tests, entry.rounds, entry.skipped, entry.failed) == (7, 5 + 70, 1, ["test_of_many[4]"])


def test_a_run_ends_with_all_that_it_started(tree):
    (tree / "tests" / "test_things.py").write_text("from campaigns import campaign\nimport time\n"
                                                   "def test_long():\n    time.sleep(600)\n")
    begin = time.monotonic()
    assert soak.run(soak.campaigns(tree), tree / "build" / "soak.xml", ["-q"], limit=8) is None
    assert time.monotonic() - begin < 60
    listed = subprocess.run(["ps", "-eo", "args"], stdout=subprocess.PIPE, text=True).stdout
    assert str(tree / "tests" / "test_things.py") not in listed
    text = soak.section({}, 8, None, "abc", WHEN, limit=8 * 60)
    assert "stopped after 8 minutes, before it was through" in text


def test_page_is_rewritten_where_it_says_so(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Top\n\n{soak.BEGIN}\nold\n{soak.END}\n\nbottom\n")
    files = {"test_a": soak.File(3, 1234, 1, [], 90.0), "test_b": soak.File(2, 2, 0, ["test_x[1]"], 60.0)}
    soak.write(page, soak.section(files, 600, 1, "0123456789ab with changes", WHEN))
    text = page.read_text()
    assert text.startswith(f"# Top\n\n{soak.BEGIN}\nLast run: 2030-01-02 03:04 UTC, commit 0123456789ab with changes, ")
    assert text.endswith(f"* failed: `test_b`: `test_x[1]`\n{soak.END}\n\nbottom\n") and "old" not in text
    assert "1,236 rounds, **1 tests failed**, pytest says 1." in text
    assert "| `test_a` | 3 | 1,234 | 0 | 1 | 1.5 |" in text
    soak.write(page, soak.section({"test_a": soak.File(1, 5)}, 60, 0, "abc", WHEN))
    assert "5 rounds, no failure." in page.read_text() and "test_b" not in page.read_text()
    page.write_text("no place")
    with pytest.raises(ValueError, match="has no lines"):
        soak.write(page, "x")


def test_there_is_a_place_and_a_verb():
    text = (ROOT / "docs" / "verification.md").read_text()
    assert text.count(soak.BEGIN) == text.count(soak.END) == 1
    listed = subprocess.run(["make", "-n", "soak"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    assert listed.splitlines()[-1].endswith("bin/python tests/support/soak.py")


def test_nothing_to_soak_is_an_error(tmp_path):
    (tmp_path / "tests").mkdir()
    with pytest.raises(ValueError, match="nothing to soak"):
        soak.campaigns(tmp_path)


