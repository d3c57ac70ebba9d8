"""The accelerator from Python: load a program, run images, read counters. Needs NumPy only.

    accelerator = Accelerator(RtlBackend())
    accelerator.load(Program.load("digits.riffle"))
    print(accelerator.run(image).label)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from . import spec
from .asynchronous import run_async
from .backends import Backend
from .backends.waiting import poll
from .batch import run_batch
from .errors import EngineError, HardwareError, RiffleError, RunTimeout
from .images import WrittenImages, way_of_images
from .program import Place, Program, ProgramError
from .result import Result, read_memory
from .segment import Segment, identify
from .sources import Ddr, HostRing, Resident, Source

WATCHDOG_FACTOR, WATCHDOG_EXTRA = 4, 20_000  # a run may take this times what was predicted, and this many cycles more
GRACE = 10_000  # cycles that the host waits longer than the watchdog
ABORT_POLLS, SPURIOUS = 1000, 100  # looks at CTRL; interrupts of one run that say nothing, until something is wrong
STATE = ("CTRL", "ISR", "ERROR", "ERROR_INFO", "CURRENT", "CYCLES", "BUSY", "STARVED")


class Accelerator:
    """The hardware behind a backend.

    Attributes
    ----------
    segment
        registers and windows, for those who want them
    configuration
        what was built: rows, columns, activation_depth, weight_depth
    program
        what was loaded last
    source
        where its weights are: `source.name` is "resident", "ddr" or "host"
    images
        how images come: `images.name` is "ddr" or "window"
    wait
        how the end of a run is seen: "irq", by the interrupt, or "poll", by looking at ISR all the time
    exclusive
        lock that whoever uses the hardware holds; tasks and threads may share an accelerator

    Raises
    ------
    HardwareError
        if this is not the hardware that the package was made for; checked before anything is written
    """

    def __init__(self, backend: Backend, wait: str = "irq"):
        if wait not in ("irq", "poll"):
            raise ValueError(f"wait is {wait!r}, but must be 'irq' or 'poll'")
        self.backend, self.segment, self.wait = backend, Segment(backend), wait
        self.exclusive = threading.RLock()
        self._written: dict[str, int] = {}  # registers that hold what the last run needed
        self.program: Program | None = None
        self.source: Source | None = None
        self.images: WrittenImages | None = None
        self.configuration = identify(self.segment)
        self._make_ready()

    def load(self, program: Program, weights: str = "auto", images: str = "auto") -> None:
        """Write a program, and put its weights where the accelerator can take them.

        Parameters
        ----------
        weights
            "resident": in the weight memory; "ddr": in memory that the accelerator reads by itself; "host": written
            while it runs. "auto" takes the first of these that works
        images
            "ddr": the accelerator fetches them by itself; "window": the host writes them word by word. "auto" takes the
            first of these that works

        Raises
        ------
        ProgramError
            if it is for other hardware, or too large; names need and limit
        HardwareError, MemoryError
            if there is no shared memory, or not enough
        ValueError
            if there is no such place
        """
        if weights not in ("auto", "resident", "ddr", "host"):
            raise ValueError(f"weights is {weights!r}, but must be 'auto', 'resident', 'ddr' or 'host'")
        if reason := program.why_not(self.configuration):
            raise ProgramError(reason)
        with self.exclusive:
            self.unload()
            self._make_ready()
            self.segment.write_window("PROGRAM", 0, program.descriptors)
            self.source = self._source(program, weights)
            self.images = way_of_images(images, self.segment, program, self.configuration)
            self.program = program

    def unload(self) -> None:
        """Forget the program and give back the memory that holds its weights."""
        self.program = None  # half a program is none
        self._written.clear()
        for held in (self.source, self.images):
            if held:
                held.release()
        self.source = self.images = None

    def _source(self, program: Program, weights: str) -> Source:
        reason = program.why_not_resident(self.configuration)
        if weights == "resident" or (weights == "auto" and not reason):
            if reason:
                raise ProgramError(reason)
            return Resident(self.segment, program.stream)
        if not self.configuration["stream"]:
            raise ProgramError(f"{reason or 'weights are to be streamed'}; this hardware takes them from its weight "
                               "memory only")
        if weights == "host" or (weights == "auto" and not self.backend.shares_memory):
            return HostRing(self.segment, program.stream, self.configuration["weight_depth"])
        return Ddr(self.segment, program.stream)

    def run(self, image: np.ndarray, lane: int = 0) -> Result:
        """Run the loaded program on one image.

        Parameters
        ----------
        image
            uint8 [H][W] (grey) or [H][W][3] (R, G, B); or the input tensor itself, int8 [C][H][W]
        lane
            place of the image in a batch, which the global average uses

        Raises
        ------
        ValueError
            if the image does not fit the network, or the lattice has no such lane
        EngineError, RunTimeout
            if the hardware stops the run, or does not finish; the next run works
        """
        with self.exclusive:
            self.finish(self.launch(0, len(self._loaded().records), lane=lane, image=image))
            return self.result(lane, self.counters())

    async def run_async(self, image: np.ndarray, lane: int = 0) -> Result:
        """The same without blocking the event loop. Cancelling it stops the hardware."""
        return await run_async(self, image, lane)

    def run_batch(self, images: Sequence[np.ndarray]) -> list[Result]:
        """Run many images with one pass over the weights of the classifier; see `batch.run_batch`."""
        with self.exclusive:
            return run_batch(self, images)

    def result(self, lane: int, counters: dict[str, int]) -> Result:
        """What the last run has left in a lane."""
        program = self._loaded()
        output = program.read_result(self.memory(program.result, np.arange(program.result_channels), lane), lane)
        names, best = program.classes, int(output.argmax())
        label = names[best] if best < len(names) else str(best) if program.result.vector else ""
        cycles = counters["CYCLES"]
        return Result(output, label, cycles, counters["BUSY"], counters["STARVED"],
                      cycles / self.backend.clock_hz * 1e3, counters["WAITED"])

    def classify(self, image: np.ndarray) -> tuple[str, np.ndarray]:
        """Label of an image, and how likely each class is, float [classes] (softmax of the scores)."""
        result = self.run(image)
        scores = result.logits * self._loaded().output_scale
        likely = np.exp(scores - scores.max())
        return result.label, likely / likely.sum()

    def write_image(self, image: np.ndarray) -> None:
        """Put an image (as `run` takes it) where the loaded program reads it: no Python for each pixel."""
        WrittenImages(self.segment, self._loaded()).bring(image)

    def run_descriptors(self, first: int, count: int, *, lane: int = 0, watchdog: int | None = None) -> None:
        """Run a part of the loaded program with its part of the weights to the end; arguments as `launch`."""
        self.finish(self.launch(first, count, lane=lane, watchdog=watchdog))

    def launch(self, first: int, count: int, *, lane: int = 0, watchdog: int | None = None,
               image: np.ndarray | None = None) -> int:
        """Start a part of the loaded program; `finish` must follow.

        Parameters
        ----------
        first, count
            descriptors
        watchdog
            cycles after which the hardware stops the run; by default a few times what was predicted
        image
            as `run` takes it; without one the program finds what is there

        Returns
        -------
        how many cycles `finish` should wait at most
        """
        program, lanes = self._loaded(), self.configuration["rows"] * self.configuration["columns"]
        records = program.records[first:first + count]
        if first < 0 or count < 1 or len(records) != count:
            raise ValueError(f"descriptors {first} to {first + count - 1} are not all in {program.name}, which has "
                             f"{len(program.records)}")
        if not 0 <= lane < lanes:
            raise ValueError(f"lane is {lane}, but the lattice has lanes 0 to {lanes - 1}")
        words = sum(record.stream_words for record in records)
        limit = watchdog or WATCHDOG_FACTOR * sum(record.cycles for record in records) + WATCHDOG_EXTRA
        settings = {"PROGRAM_FIRST": first, "PROGRAM_LENGTH": count, "LANE": lane, "WATCHDOG": limit}
        settings |= self.source.settings(records[0].stream_first, words)
        self._make_ready()
        fetch = image is not None and self.images.bring(image)
        for name, value in settings.items():
            if self._written.get(name) != value:  # an access from Python takes the board 30 us
                self.segment.write(name, value)
        self._written |= settings
        self.segment.set_fields("CTRL", START=1, FETCH=int(fetch))
        return limit + GRACE

    def start(self, cycles: int) -> None:
        """Start what the registers say and wait for the interrupt, at most `cycles`. Errors as `run`."""
        self._written.clear()
        self._make_ready()
        self.segment.set_fields("CTRL", START=1)
        self.finish(cycles)

    def stop(self) -> None:
        """Stop the run that somebody waits for, with error ABORTED; no effect where none runs."""
        self.segment.set_fields("CTRL", ABORT=1)

    def finish(self, cycles: int) -> None:
        """Wait for the end of a run, at most `cycles`. Errors as `run`."""
        try:
            status = self._wait(cycles)
        except BaseException:  # also from the keyboard: nothing runs on unseen
            self._abort()
            raise
        if not status:
            state = {name: self.segment.read(name) for name in STATE}
            raise RunTimeout(cycles, state, self._abort())
        self.segment.write("ISR", status)
        if status >> spec.REGISTER_FIELDS["ISR"]["ERROR"][0] & 1:
            self._written.clear()
            code, info = self.segment.read("ERROR"), self.segment.read("ERROR_INFO")
            self.segment.write("ERROR", 0)
            records = self.program.records if self.program else []
            layer = records[info & 0xFF].layer if info & 0xFF < len(records) else "unknown"
            raise EngineError(code, info & 0xFF, info >> 8, layer)

    def counters(self) -> dict[str, int]:
        """CYCLES, BUSY and STARVED of the last run; WAITED, for an image that is fetched, is not in CYCLES here."""
        counters = {name: self.segment.read(name) for name in ("CYCLES", "BUSY", "STARVED")}
        waited = self.segment.read("WAITED") if self.images and self.images.name == "ddr" else 0
        return counters | {"CYCLES": counters["CYCLES"] - waited, "WAITED": waited}

    def layer_cycles(self) -> list[tuple[str, dict[str, int]]]:
        """For each descriptor of the last whole run its layer and its counters, as in `spec.LOG_FIELDS`."""
        records = self._loaded().records
        log = self.segment.read_window("LOG", 0, len(records) * spec.LOG_WORDS).reshape(-1, spec.LOG_WORDS)
        return [(record.layer, dict(zip(spec.LOG_FIELDS, map(int, entry), strict=True)))
                for record, entry in zip(records, log, strict=True)]

    def memory(self, place: Place, positions: np.ndarray, lane: int = 0) -> np.ndarray:
        """Activation memory, int8 [4][depth][lanes]; see `result.read_memory`."""
        return read_memory(self.segment, self.configuration, place, positions, lane)

    def _wait(self, cycles: int) -> int:
        """ISR at the end of a run, 0 where none comes. Only ISR counts: interrupts may be lost, late or spurious."""
        until = self.backend.wait_interrupt if self.wait == "irq" else lambda most: poll(self.backend, most)
        for _ in range(SPURIOUS):
            finished = self.source.wait(cycles, until) if self.source else until(cycles)
            if (status := self.segment.read("ISR")) or not finished:
                return status
        return 0

    def _loaded(self) -> Program:
        if self.program is None:
            raise RiffleError("no program is loaded: call load() first")
        return self.program

    def _make_ready(self) -> None:
        """Idle, with interrupts on and none pending, whatever was before."""
        if not self.segment.fields("CTRL")["IDLE"] and not self._abort():
            raise HardwareError("the engine runs and does not react to ABORT: reset or load the hardware again")
        if not self.segment.fields("GIER")["ENABLE"]:  # after a reset
            self._written.clear()
            self.segment.set_fields("IER", DONE=1, ERROR=1)
            self.segment.set_fields("GIER", ENABLE=1)
        self.segment.set_fields("ISR", DONE=1, ERROR=1)

    def _abort(self) -> bool:
        """Stop the engine and clear what it leaves behind; whether it did stop."""
        self._written.clear()
        self.segment.set_fields("CTRL", ABORT=1)
        idle = any(self.segment.fields("CTRL")["IDLE"] for _ in range(ABORT_POLLS))
        self.segment.set_fields("ISR", DONE=1, ERROR=1)
        self.segment.write("ERROR", 0)
        return idle
