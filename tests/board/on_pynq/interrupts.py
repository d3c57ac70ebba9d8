"""The way of the interrupt: accelerator, axi_intc, PYNQ's handler, driver; and all that can happen to it on the way."""

import asyncio
import threading
import time
import warnings

import numpy as np
import pytest

from cases import begun, cancel
from riffle.board import backend as board_backend
from riffle.board.interrupt_loop import interrupt_loop
from riffle.board.simulated import device
from riffle.driver.accelerator import Accelerator
from riffle.errors import EngineError, RunTimeout


@pytest.fixture
def quick(monkeypatch):
    """Give up on an interrupt after a moment."""
    monkeypatch.setattr(board_backend, "HEARD_WITHIN", 0.05)


def test_end_of_a_run_comes_as_an_interrupt(board, case, monkeypatch):
    heard = []
    fire = board.line.fire
    monkeypatch.setattr(board.line, "fire", lambda: (heard.append(threading.current_thread().name), fire()))
    case.check()
    assert heard == ["riffle interrupts"]


def test_no_interrupt_in_a_row_is_lost(board, case):
    """A controller in level mode would lose every second one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(20):
            case.check()


def test_await_in_an_event_loop(case):
    async def main():
        return await asyncio.gather(*(case.accelerator.run_async(case.image) for _ in range(3)))
    for _ in range(2):  # a second loop, as every asyncio.run makes one
        for result in asyncio.run(main()):
            np.testing.assert_array_equal(result.output, case.expected)


def test_run_inside_a_running_loop(case):
    async def cell():
        return case.accelerator.run(case.image)
    np.testing.assert_array_equal(asyncio.run(cell()).output, case.expected)


def test_polling(board, case, monkeypatch):
    monkeypatch.setattr(board.line, "add_event", None)
    other = Accelerator(case.accelerator.backend, wait="poll")
    other.load(case.program)
    np.testing.assert_array_equal(other.run(case.image).output, case.expected)


def test_lost_interrupt_costs_time_only(board, case, quick, monkeypatch):
    case.check()
    backend = case.accelerator.backend
    backend._told = False
    with pytest.warns(RuntimeWarning, match="finished, but no interrupt came .*Remedy: `riffle doctor`"):
        for _ in range(50):  # a run that ends before the wait begins needs no interrupt
            board.intc.lose = 1
            case.check()
            if backend._told:
                break
    assert board.intc.lose == 0
    monkeypatch.setattr(board_backend, "HEARD_WITHIN", 60)  # what a second lost one would cost
    start = time.perf_counter()
    case.check()
    assert time.perf_counter() - start < 30, "the next interrupt did not come either"


def test_spurious_interrupts(board, case, monkeypatch):
    """The handler fires at once, then the real one comes."""
    add_event, early = board.line.add_event, []
    monkeypatch.setattr(device, "CHUNK", 20)  # the run does not end meanwhile

    def add(event, number):
        add_event(event, number)
        if len(early) < 3:
            early.append(board.intc.status)
            board.intc.status |= 1
            asyncio.get_running_loop().call_soon(board.line.fire)
    monkeypatch.setattr(board.line, "add_event", add)
    case.check()
    assert len(early) == 3
    case.check()


def test_late_interrupt_of_the_run_before(board, case, quick, monkeypatch):
    """It comes when the next run is under way; that one does not end for it."""
    kept = []

    def keep():
        kept.extend(board.line.events)
        board.line.events = []
    monkeypatch.setattr(board.line, "fire", keep)
    case.accelerator.backend._told = True
    case.check()
    monkeypatch.undo()
    late = list(kept)
    assert late, "the interrupt was not kept back"

    def deliver():
        while late:
            late.pop().set()
    interrupt_loop().loop.call_soon_threadsafe(interrupt_loop().loop.call_later, 0.005, deliver)
    case.check()
    assert not late
    case.check()


def test_timeout_says_everything(board, case, quick):
    case.never_end()
    case.accelerator.segment.write("WATCHDOG", 0xFFFFFFFF)
    case.accelerator.control.written["WATCHDOG"] = 4 * case.program.cycles + 20_000  # what the driver believes
    with pytest.raises(RunTimeout, match=r"within \d+ cycles \(CTRL 0x1, ISR 0x0, ERROR 0x0, .*CURRENT 0x1, "
                                         r"CYCLES 0x\w+, BUSY 0x\w+, STARVED 0x\w+\). Remedy: the run was aborted"):
        case.accelerator.run(case.image)
    assert case.accelerator.segment.fields("CTRL")["IDLE"]
    case.check(reload=True)


def test_error_comes_as_an_interrupt(case):
    case.damage(0, opcode=15)
    case.stopped("UNKNOWN_OPCODE", 0, lambda: case.accelerator.run(case.image))
    case.check(reload=True)
    case.never_end()
    with pytest.raises(EngineError, match="WATCHDOG"):
        case.accelerator.run_descriptors(0, len(case.program.records))
    case.check(reload=True)


def test_cancellation_in_mid_run(case):
    case.never_end()

    async def main():
        task = await begun(case.accelerator, case.image)
        await cancel(task)
    asyncio.run(main())
    assert case.accelerator.segment.fields("CTRL")["IDLE"]
    case.check(reload=True)


def test_no_time_passes_when_nobody_waits(board, case, quick):
    """A wait that was given up leaves its event with PYNQ; the simulation rests all the same."""
    case.accelerator.backend._told = True
    board.intc.lose = 1
    case.check()
    time.sleep(0.02)
    before = board.accelerator.cycles
    time.sleep(0.1)
    assert board.accelerator.cycles - before < 10_000
