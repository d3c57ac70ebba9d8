"""Start, wait for, stop and count runs through the registers. Knows neither programs nor images."""

from __future__ import annotations

from collections.abc import Callable

from riffle.backends.backend import Backend
from riffle.backends.polling import poll
from riffle.driver.registers import Segment
from riffle.driver.weight_delivery import Source
from riffle.errors import BusError, EngineError, HardwareError, RunTimeout
from riffle.isa import spec
from riffle.isa.spec import ERROR_CODES

GRACE = 10_000  # cycles that the host waits longer than the watchdog
ABORT_POLLS = 1000  # reads of CTRL before ABORT counts as ignored
SPURIOUS = 100  # interrupts without a bit in ISR that a run may see
STATE = ("CTRL", "ISR", "ERROR", "ERROR_INFO", "CURRENT", "CYCLES", "BUSY", "STARVED")


class RunControl:
    """The run of one accelerator.

    Parameters
    ----------
    backend, segment
        the way to the hardware
    wait
        how the end of a run is seen: "irq", by the interrupt, or "poll", by reading ISR

    Attributes
    ----------
    written
        values that registers are known to hold; an access from Python takes the board 30 us
    """

    def __init__(self, backend: Backend, segment: Segment, wait: str):
        self.backend, self.segment, self.wait = backend, segment, wait
        self.written: dict[str, int] = {}
        self._ended: dict[str, int] | None = None  # what `finish` has read of the run that ended

    def make_ready(self) -> None:
        """Bring the engine to idle, with interrupts enabled and none pending, and no image on its way.

        Raises
        ------
        HardwareError
            if the engine runs and ignores ABORT
        """
        state = self.segment.fields("CTRL")
        if (not state["IDLE"] or state["FETCHING"]) and not self.abort():
            raise HardwareError("the engine runs and does not react to ABORT: reset or load the hardware again")
        if not self.segment.fields("GIER")["ENABLE"]:  # after a reset
            self.written.clear()
            self.segment.set_fields("IER", DONE=1, ERROR=1)
            self.segment.set_fields("GIER", ENABLE=1)
        self.segment.set_fields("ISR", DONE=1, ERROR=1)

    def start(self, settings: dict[str, int], fetch: bool = False) -> None:
        """Write the registers of a run, and start it; `finish` must follow.

        Parameters
        ----------
        settings
            value by register
        fetch
            whether the run waits for an image that it fetches
        """
        for name, value in settings.items():
            if self.written.get(name) != value:
                self.segment.write(name, value)
        self.written |= settings
        self.segment.set_fields("CTRL", START=1, FETCH=int(fetch))

    def finish(self, cycles: int, source: Source | None, layer: Callable[[int], str]) -> None:
        """Wait for the end of a run.

        Parameters
        ----------
        cycles
            to wait at most
        source
            of the weights, which may need the host meanwhile
        layer
            gives the layer's name of a descriptor

        Raises
        ------
        EngineError, RunTimeout
            if the hardware stopped the run, or does not finish; the next run works
        BusError
            if it has refused an access since the last run
        """
        self._ended = None
        try:
            status = self._wait(cycles, source)
        except BaseException:  # KeyboardInterrupt, too: the engine must not run on
            self.abort()
            raise
        if not status:
            state = {name: self.segment.read(name) for name in STATE}
            raise RunTimeout(cycles, state, self.abort())
        self.segment.write("ISR", status)
        if status >> spec.REGISTER_FIELDS["ISR"]["ERROR"][0] & 1:
            code, info = self.segment.read("ERROR"), self.segment.read("ERROR_INFO")
            self.abort()  # a run goes on where an image failed that it does not wait for
            # START has cleared the code of an image that was fetched ahead and failed just before
            raise EngineError(code or ERROR_CODES["IMAGE_RESPONSE"], info & 0xFF, info >> 8, layer(info & 0xFF))
        try:
            self._ended = self.segment.run_registers()
        except BusError:
            self.written.clear()  # a setting may be what was refused
            raise

    def stop(self) -> None:
        """Stop the run with error ABORTED; no effect where none runs."""
        self.segment.set_fields("CTRL", ABORT=1)

    def abort(self) -> bool:
        """Stop the engine, and clear the error and the interrupt that it leaves; whether it did stop."""
        self.written.clear()
        self.stop()
        idle = any(self.segment.fields("CTRL")["IDLE"] for _ in range(ABORT_POLLS))
        self.segment.set_fields("ISR", DONE=1, ERROR=1)
        self.segment.write("ERROR", 0)
        return idle

    def counters(self, fetched: bool) -> dict[str, int]:
        """CYCLES, BUSY, STARVED and WAITED of the last run; CYCLES without WAITED, which only fetched images have."""
        names, (found, self._ended) = ("CYCLES", "BUSY", "STARVED"), (self._ended, None)
        counters = {name: found[name] if found else self.segment.read(name) for name in names}
        waited = self.segment.read("WAITED") if fetched else 0
        return counters | {"CYCLES": counters["CYCLES"] - waited, "WAITED": waited}

    def _wait(self, cycles: int, source: Source | None) -> int:
        """ISR at the end of a run, 0 where none comes. Only ISR counts: interrupts may be lost, late or spurious."""
        until = self.backend.wait_interrupt if self.wait == "irq" else lambda most: poll(self.backend, most)
        for _ in range(SPURIOUS):
            finished = source.wait(cycles, until) if source else until(cycles)
            if (status := self.segment.read("ISR")) or not finished:
                return status
        return 0
