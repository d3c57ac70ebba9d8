"""Run the campaigns of the tests at full length, and write into docs/verification.md what came of it.

    python tests/support/soak.py [pytest's options ...]

A campaign is a test that asks `campaigns.campaign` how much to try. The tests of every file that does are run with
RIFFLE_SOAK=1, two hours at most.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
PAGE, REPORT = ROOT / "docs" / "verification.md", ROOT / "build" / "soak.xml"
BEGIN, END = "<!-- soak: written by tests/support/soak.py -->", "<!-- end of soak -->"
LIMIT = 7200  # seconds


@dataclass
class File:
    """What the tests of a file have done."""

    tests: int = 0
    rounds: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0


def campaigns(root: Path) -> list[Path]:
    """The files of tests with a campaign.

    Raises
    ------
    ValueError
        if there is none
    """
    wanted = re.compile(r"^(from campaigns import|import campaigns)\b", re.MULTILINE)
    found = [path for folder in ("tests", "sim") for path in sorted((root / folder).rglob("test_*.py"))
             if wanted.search(path.read_text(encoding="utf-8"))]
    if not found:
        raise ValueError("no test in tests/ or sim/ imports `campaigns`: there is nothing to soak")
    return found


def run(files: list[Path], report: Path, options: list[str], limit: float = LIMIT) -> int | None:
    """pytest's exit code; None where it was stopped at the limit, in seconds, with everything that it had started."""
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "pytest", "-p", "soak_rounds", "-n", "auto", f"--junit-xml={report}", *options,
               *map(str, files)]
    with subprocess.Popen(command, env=os.environ | {"RIFFLE_SOAK": "1", "PYTHONPATH": path},
                          start_new_session=True) as process:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def read(report: Path) -> dict[str, File]:
    """What each file's tests have done, by the file's name."""
    result: dict[str, File] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = next(part for part in case.get("classname", "?").split(".") if part.startswith("test_") or part == "?")
        entry = result.setdefault(name, File())
        entry.tests += 1
        entry.seconds += float(case.get("time", 0))
        entry.skipped += case.find("skipped") is not None
        if case.find("failure") is not None or case.find("error") is not None:
            entry.failed.append(case.get("name", "?"))
        rounds = [int(p.get("value")) for p in case.iter("property") if p.get("name") == "rounds"]
        entry.rounds += sum(rounds)
    return result


def commit() -> str:
    """What is checked out, and whether it was changed since."""
    found = subprocess.run(["git", "describe", "--always", "--dirty= with changes", "--exclude=*", "--abbrev=12"],
                           cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip() or f"unknown commit ({found.stderr.strip() or 'git says nothing'})"


def section(files: dict[str, File], seconds: float, code: int | None, where: str, when: datetime,
            limit: float = LIMIT) -> str:
    """What the page says of a run."""
    failed = sum(len(entry.failed) for entry in files.values())
    outcome = (f"**stopped after {limit / 60:.0f} minutes, before it was through**" if code is None
               else "no failure" if not code and not failed else f"**{failed} tests failed**, pytest says {code}")
    rounds = sum(entry.rounds for entry in files.values())
    lines = [BEGIN, f"Last run: {when:%Y-%m-%d %H:%M} UTC, commit {where}, {seconds / 60:.0f} minutes on "
                    f"{os.cpu_count()} cores: {rounds:,} rounds, {outcome}.", ""]
    if files:
        lines += ["| tests | cases | rounds | failed | skipped | minutes of a core |", "|---|--:|--:|--:|--:|--:|"]
        lines += [f"| `{name}` | {entry.tests:,} | {entry.rounds:,} | {len(entry.failed)} | {entry.skipped} | "
                  f"{entry.seconds / 60:.1f} |" for name, entry in sorted(files.items())]
        lines += ["", *(f"* failed: `{name}`: `{test}`" for name, entry in files.items() for test in entry.failed)]
    return "\n".join(lines).rstrip() + f"\n{END}"


def write(page: Path, text: str) -> None:
    """Put it where the page has the last one.

    Raises
    ------
    ValueError
        if the page has no place for it
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no lines {BEGIN!r} and {END!r}: put them where the result belongs")
    page.write_text(before + text + after, encoding="utf-8")


def main() -> int:
    begin = time.monotonic()
    try:
        code = run(campaigns(ROOT), REPORT, sys.argv[1:])
        files = read(REPORT) if REPORT.exists() else {}
        write(PAGE, section(files, time.monotonic() - begin, code, commit(), datetime.now(timezone.utc)))
    except ValueError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    print(f"soak: wrote {PAGE.relative_to(ROOT)}")
    if code is None:
        print(f"soak: not through after {LIMIT // 60} minutes, and stopped. Remedy: make the campaigns smaller (the "
              "second number of campaigns.campaign), or use a faster machine", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
