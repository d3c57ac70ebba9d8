"""The one account of time: what a user gets, and of what it is made."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import riffle
from riffle.analysis import profile, timing
from riffle.analysis.bus_traffic import Count, counting
from riffle.analysis.report import charts
from riffle.analysis.timing import ACCESS_US, INTERRUPT_ACCESSES, WORD_US, times
from riffle.backends.backend import SIMULATED_HZ
from riffle.bitstream import hwh
from riffle.driver.result import Result
from riffle.zoo import digits

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def accelerator():
    with riffle.open("numpy") as opened:
        opened.load("digits")
        yield opened


def test_simulated_hardware_counts_at_the_clock_of_a_build(accelerator):
    assert SIMULATED_HZ == accelerator.backend.clock_hz == hwh.CLOCK_MHZ * 1e6
    for flow in ("pynq_z2", "open"):
        makefile = (ROOT / "hw/board" / flow / "Makefile").read_text()
        assert re.search(rf"^CLOCK_MHZ *\?= {hwh.CLOCK_MHZ}$", makefile, re.MULTILINE)


def test_what_a_user_gets_is_the_sum(accelerator):
    image = digits.held_out()[0][0]
    accelerator.run(image)
    taken = timing.measure(accelerator, image)
    cycles = accelerator.counters()["CYCLES"]
    assert taken.cycles == cycles and taken.waited == 28 * 28 * 4 // profile.PORT_BYTES
    accesses, words = 17 - 5 + 1, 17 + 40  # registers, six of them at once, and one copy of ten scores
    host = ((accesses + INTERRUPT_ACCESSES) * ACCESS_US + (words - accesses) * WORD_US) / 1e3
    assert taken.host_ms == pytest.approx(host)
    assert taken.total_ms == pytest.approx((cycles + taken.waited) / hwh.CLOCK_MHZ / 1e3 + host)
    first, *rest = str(taken).splitlines()
    assert first == f"you get  {taken.about}: {taken.total_ms:.2f} ms an image at 100 MHz"
    assert float(taken.about.split()[1].replace(",", "")) == pytest.approx(1e3 / taken.total_ms, rel=0.05)
    assert [line.split()[0] for line in rest] == ["engine", "image", "host"] and "assumed" in rest[-1]
    assert taken.as_json()["ms_per_image"] == pytest.approx(taken.total_ms, abs=1e-4)


def test_images_that_the_host_writes_are_its_part(accelerator):
    """Nothing is waited for, but the words are the host's."""
    image = digits.held_out()[0][0]
    accelerator.run(image)
    fetched = timing.measure(accelerator, image)
    accelerator.load("digits", images="window")
    accelerator.run(image)
    written = timing.measure(accelerator, image)
    assert written.waited == 0 and written.host_ms - fetched.host_ms == pytest.approx(
        ((784 - 1) * WORD_US - ACCESS_US) / 1e3)  # one access less, for the address of the image


def test_waiting_is_no_work_of_the_host(accelerator):
    """How often a register is read in a loop is the simulation's speed, not the board's."""
    with counting(accelerator) as count:
        for _ in range(100):
            accelerator.segment.read("CTRL")
        accelerator.segment.read("ISR")
        accelerator.segment.read("CTRL")
    assert (count.accesses, count.words["REGISTERS"], count.copied) == (3, 3, 0)


def test_on_a_board_the_host_is_measured(accelerator, monkeypatch):
    """Two images in 5 ms of which the engine had 1 ms each."""
    monkeypatch.setattr(accelerator, "backend", SimpleNamespace(cycles=None, clock_hz=1e8, what="a board"))
    result = Result(None, "1", 90_000, 0, 0, 0.9, 10_000)
    taken = times(accelerator, [result, result], Count(), 5e-3)
    assert (taken.engine_ms, taken.image_ms) == (pytest.approx(0.9), pytest.approx(0.1))
    assert taken.host_ms == pytest.approx(1.5) and taken.rate == pytest.approx(400) and taken.how == "measured"


def test_there_is_one_roof():
    """Report and notebooks draw what the one memory port gives; figures.py needs matplotlib, which is not here."""
    assert charts.PORT_BYTES is profile.PORT_BYTES
    source = (ROOT / "host/riffle/analysis/figures.py").read_text()
    assert "from riffle.analysis.profile import PORT_BYTES" in source and "intensity * PORT_BYTES" in source
    width = re.search(r"input +logic \[(\d+):0\] m_axi_rdata", (ROOT / "hw/rtl/riffle.sv").read_text())[1]
    assert 8 * profile.PORT_BYTES == int(width) + 1
