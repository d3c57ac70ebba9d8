"""Runs that share the accelerator, are cancelled, polled, or whose interrupt is lost, late or spurious; all on RTL."""

import asyncio
import threading

import numpy as np
import pytest

from cases import Case, Proxy, begun, cancel
from riffle.backends import verilated
from riffle.driver.accelerator import WATCHDOG_EXTRA, Accelerator
from riffle.errors import EngineError, RunTimeout
from riffle.isa import spec


@pytest.fixture
def case(small_hardware, rng):
    return Case(small_hardware, rng)


def proxied(case, **options):
    """Another driver on the same hardware, with some of the backend's methods replaced."""
    wait = options.pop("wait", "irq")
    other = Accelerator(Proxy(case.accelerator.backend, **options), wait=wait)
    other.load(case.program)
    return other


def test_run_async_gives_what_run_gives(case):
    result = asyncio.run(case.accelerator.run_async(case.image))
    np.testing.assert_array_equal(result.output, case.expected)
    case.check()


def test_event_loop_lives_on_during_a_run(case):
    """The run does not end before the loop has done something else."""
    def wait(cycles):
        assert elsewhere.wait(timeout=20), "the event loop stood still"
        return case.accelerator.backend.wait_interrupt(cycles)

    async def main():
        run = asyncio.ensure_future(other.run_async(case.image))
        await asyncio.sleep(0.01)
        elsewhere.set()
        return await run
    elsewhere, other = threading.Event(), proxied(case, wait_interrupt=wait)
    np.testing.assert_array_equal(asyncio.run(main()).output, case.expected)


def test_run_works_inside_an_event_loop(case):
    """As in Jupyter, whose cells run in one."""
    async def cell():
        return case.accelerator.run(case.image)
    np.testing.assert_array_equal(asyncio.run(cell()).output, case.expected)


def test_tasks_take_turns(case, rng):
    images = rng.integers(0, 256, (6, *case.image.shape), np.uint8)
    alone = [case.accelerator.run(image).output for image in images]

    async def main():
        return await asyncio.gather(*(case.accelerator.run_async(image) for image in images))
    for result, expected in zip(asyncio.run(main()), alone, strict=True):
        np.testing.assert_array_equal(result.output, expected)


def test_threads_take_turns(case, rng):
    images = rng.integers(0, 256, (4, *case.image.shape), np.uint8)
    alone, got = [case.accelerator.run(image).output for image in images], {}

    def run(index):
        got[index] = case.accelerator.run(images[index]).output
    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, expected in enumerate(alone):
        np.testing.assert_array_equal(got[index], expected)


def test_cancelled_run_stops_the_engine(case, monkeypatch):
    """At once: long before the watchdog would."""
    monkeypatch.setattr(verilated, "CHUNK", 100)
    case.never_end()

    async def main():
        task = await begun(case.accelerator, case.image)
        await cancel(task)
        assert case.accelerator.segment.fields("CTRL")["IDLE"], "the engine runs on"
        assert case.accelerator.segment.read("ISR") == case.accelerator.segment.read("ERROR") == 0
    asyncio.run(main())
    assert case.accelerator.counters()["CYCLES"] < WATCHDOG_EXTRA
    case.check(reload=True)


def test_cancelling_one_task_leaves_the_other_alone(case):
    """It waits for its turn while the other one's run is under way."""
    gate, backend = threading.Event(), case.accelerator.backend
    other = proxied(case, wait_interrupt=lambda cycles: gate.wait(20) and backend.wait_interrupt(cycles))

    async def main():
        running = await begun(other, case.image)
        waiting = asyncio.ensure_future(other.run_async(case.image))
        await asyncio.sleep(0.01)
        asyncio.get_running_loop().call_later(0.05, gate.set)
        await cancel(waiting)
        return await running
    np.testing.assert_array_equal(asyncio.run(main()).output, case.expected)
    case.check()


def test_timeout_of_asyncio_stops_the_engine(case):
    case.never_end()

    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(case.accelerator.run_async(case.image), 0.02)
    asyncio.run(main())
    assert case.accelerator.segment.fields("CTRL")["IDLE"]
    case.check(reload=True)


def test_polling_needs_no_interrupt(case):
    def refuse(cycles):
        raise AssertionError("waited for an interrupt")
    other = proxied(case, wait="poll", wait_interrupt=refuse)
    for weights in ("host", "ddr", "resident"):
        other.load(case.program, weights)
        np.testing.assert_array_equal(other.run(case.image).output, case.expected)
    case.never_end()
    with pytest.raises(EngineError, match="WATCHDOG at descriptor 1"):
        other.run(case.image)
    case.check(reload=True)
    with pytest.raises(ValueError, match="wait is 'dma', but must be 'irq' or 'poll'"):
        Accelerator(case.accelerator.backend, wait="dma")


def test_polling_a_clock_that_stands_still_ends(case):
    read = case.accelerator.backend.read
    frozen = {spec.REGISTERS["ISR"]: 0, spec.REGISTERS["CYCLES"]: 7}
    other = proxied(case, wait="poll", read=lambda offset: frozen[offset] if offset in frozen else read(offset))
    with pytest.raises(RunTimeout, match=r"CYCLES 0x7, .*Remedy: "):
        other.run(case.image)
    case.check()


def test_spurious_interrupts_are_not_the_end(case):
    backend, calls = case.accelerator.backend, []

    def wait(cycles):
        calls.append(cycles)
        return len(calls) < 4 or backend.wait_interrupt(cycles)
    np.testing.assert_array_equal(proxied(case, wait_interrupt=wait).run(case.image).output, case.expected)
    assert len(calls) == 4


def test_interrupt_that_says_nothing_for_ever_is_a_timeout(case):
    other = proxied(case, wait_interrupt=lambda cycles: True)
    case.never_end()
    with pytest.raises(RunTimeout, match=r"CTRL 0x1, ISR 0x0, .*CURRENT 0x\d, CYCLES 0x\w+, .*Remedy: the run was"):
        other.run(case.image)
    case.check(reload=True)


def test_lost_interrupt_of_a_run_that_has_ended_is_no_error(case):
    def lose(cycles):
        assert case.accelerator.backend.wait_interrupt(cycles)
        return False
    np.testing.assert_array_equal(proxied(case, wait_interrupt=lose).run(case.image).output, case.expected)


def test_registers_are_written_again_after_a_reset(case):
    """Settings that have not changed are not written for every run; a reset forgets them."""
    written, backend = [], case.accelerator.backend

    def write(offset, value):
        written.append(offset)
        backend.write(offset, value)
    other, length = proxied(case, write=write), spec.REGISTERS["PROGRAM_LENGTH"]
    for _ in range(2):
        np.testing.assert_array_equal(other.run(case.image).output, case.expected)
    assert written.count(length) == 1
    backend.reset()
    np.testing.assert_array_equal(other.run(case.image).output, case.expected)
    assert written.count(length) == 2
