"""The accelerator from Python: load a program, run images, read counters. Needs NumPy only.

    with Accelerator(RtlBackend()) as accelerator:
        accelerator.load("digits")
        print(accelerator.run(image).label)
"""

from __future__ import annotations

import operator
import secrets
import warnings
from collections.abc import Sequence

import numpy as np

from riffle.backends.backend import Backend
from riffle.backends.hardware_lock import HardwareLock
from riffle.backends.quiet import hold, release
from riffle.driver.asynchronous import run_async
from riffle.driver.batch import run_batch
from riffle.driver.image_delivery import WrittenImages, check_ways, way_of_images
from riffle.driver.loading import Loadable, as_program
from riffle.driver.registers import Segment, identify, run_dry
from riffle.driver.result import Result, read_memory
from riffle.driver.run_control import GRACE, RunControl
from riffle.driver.weight_delivery import Source, way_of_weights
from riffle.errors import EngineError, HardwareError, InputError, ProgramError, RiffleError, RunTimeout
from riffle.isa import spec
from riffle.isa.program import Place, Program

WATCHDOG_FACTOR, WATCHDOG_EXTRA = 4, 20_000  # a run may take this times what was predicted, and this many cycles more
NOBODY = 0  # PROGRAM_ID: no program, or half a one


class Accelerator:
    """The hardware behind a backend; a context manager, which closes it.

    Several handles, threads and processes may share the hardware: each operation takes the lock. A handle whose program
    another one has replaced loads it again before it runs.

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
    control
        start and end of runs, with the registers that they use
    exclusive
        lock that whoever uses the hardware holds, reentrant

    Raises
    ------
    InputError
        if `wait` is neither "irq", which waits for the interrupt, nor "poll", which reads ISR again and again
    HardwareError
        if this is not the hardware that the package was made for, which is checked before anything is written; if
        another process holds the lock
    """

    def __init__(self, backend: Backend, wait: str = "irq"):
        if wait not in ("irq", "poll"):
            raise InputError(f"wait is {wait!r}, but must be 'irq' or 'poll'")
        self.backend, self.segment = backend, Segment(backend)
        self.control = RunControl(backend, self.segment, wait)
        self.exclusive: HardwareLock = backend.lock
        self.program: Program | None = None
        self.source: Source | None = None
        self.images: WrittenImages | None = None
        self._program_id, self._closed = NOBODY, False
        with self.exclusive:
            self.configuration = identify(self.segment)
            hold(self)
            self.control.make_ready()

    def __enter__(self) -> Accelerator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        lattice = f"{self.configuration['rows']}x{self.configuration['columns']} lanes"
        loaded = (f"{self.program.name}, weights {self.source.name}, images {self.images.name}" if self.program
                  else "closed" if self._closed else "no program")
        return f"<Accelerator: {type(self.backend).__name__}, {lattice}, {loaded}>"

    def close(self) -> None:
        """Stop what runs, give back the memory, and close the backend; nothing can be run any more."""
        if self._closed:
            return
        try:
            with self.exclusive:
                self.unload()
        finally:
            self._closed = True
            release(self)
            self.backend.close()

    def load(self, program: Loadable, weights: str = "auto", images: str = "auto", batch: bool = False) -> None:
        """Write a program, and put its weights where the accelerator can take them.

        Parameters
        ----------
        program
            a program; an integer network, which is compiled for this hardware; the path of a file of either; or a name,
            see `catalogue.HELP`
        weights
            "resident": in the weight memory; "ddr": in memory that the accelerator reads by itself; "host": written
            while it runs. "auto" takes the first of these that works
        images
            "ddr": the accelerator fetches them by itself; "window": the host writes them word by word. "auto" takes the
            first of these that works
        batch
            compile a network for `run_batch`

        Raises
        ------
        InputError
            if there is no such network, file or place
        ProgramError, CompileError
            if it is for other hardware, damaged or too large; names need and limit
        HardwareError, SharedMemoryError, BusError
            if there is no shared memory, or not enough; or the hardware has refused a write
        """
        check_ways(weights, images)
        program = as_program(program, self.configuration, batch)
        if reason := program.why_not(self.configuration):
            raise ProgramError(reason)
        with self.exclusive:
            self.unload()
            self.source = way_of_weights(weights, self.segment, program, self.configuration)
            self.images = way_of_images(images, self.segment, program)
            self._install(program)
            self.program = program

    def unload(self) -> None:
        """Stop what runs, forget the program, and give back the memory that holds its weights."""
        self._check_open()
        with self.exclusive:
            try:
                self.control.make_ready()  # before memory that it may read is given back
            finally:
                self.program = None  # half a program is none
                self.control.written.clear()
                held, self.source, self.images = (self.source, self.images), None, None
                for one in filter(None, held):
                    one.release()

    def _install(self, program: Program) -> None:
        """Write what the hardware keeps of a program; PROGRAM_ID last, so that half a program is none."""
        self.segment.write("ERROR", 0)
        self.segment.write("PROGRAM_ID", NOBODY)
        self.segment.write_window("PROGRAM", 0, program.descriptors)
        self.source.install()
        self._program_id = secrets.randbits(32) | 1
        self.segment.write("PROGRAM_ID", self._program_id)
        self.segment.run_registers()  # which tells of an access that was refused

    def restore(self) -> None:
        """Install the program again where another handle or a reset has replaced it."""
        program = self.loaded()
        found = self.segment.read("PROGRAM_ID")
        if found == self._program_id:
            return
        if found != NOBODY:
            warnings.warn(f"another handle or process has loaded a program; {program.name} is loaded again, which "
                          "takes time. Remedy: use one handle", RuntimeWarning, stacklevel=4)
        self.control.written.clear()
        self._install(program)

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
        InputError
            if the image is None or does not fit the network, or the lattice has no such lane
        EngineError, RunTimeout
            if the hardware stops the run, or does not finish; the next run works
        BusError
            if the hardware has refused an access; on the board this shows at the end of the run
        HardwareError
            if somebody resets the hardware meanwhile; the next run works
        """
        if image is None:
            raise InputError("the image is None, which is what cv2.imread gives for a file that it cannot read: check "
                             "the path")
        with self.exclusive:
            self.finish(self.launch(0, len(self.loaded().records), lane=lane, image=image))
            result = self.result(lane, self.counters())
            self.confirm()
            return result

    async def run_async(self, image: np.ndarray, lane: int = 0) -> Result:
        """The same without blocking the event loop. Cancelling it stops the hardware."""
        return await run_async(self, image, lane)

    def run_batch(self, images: Sequence[np.ndarray]) -> list[Result]:
        """Run many images with one pass over the weights of the classifier; see `batch.run_batch`."""
        with self.exclusive:
            return run_batch(self, images)

    def result(self, lane: int, counters: dict[str, int]) -> Result:
        """What the last run has left in a lane."""
        program = self.loaded()
        output = program.read_result(self.memory(program.result, np.arange(program.result_channels), lane), lane)
        names, best = program.classes, int(output.argmax())
        label = names[best] if best < len(names) else str(best) if program.result.vector else ""
        cycles = counters["CYCLES"]
        return Result(output, label, cycles, counters["BUSY"], counters["STARVED"],
                      cycles / self.backend.clock_hz * 1e3, counters["WAITED"])

    def classify(self, image: np.ndarray) -> tuple[str, np.ndarray]:
        """Label of an image, and how likely each class is, float [classes] (softmax of the scores)."""
        result = self.run(image)
        scores = result.logits * self.loaded().output_scale
        likely = np.exp(scores - scores.max())
        return result.label, likely / likely.sum()

    def write_image(self, image: np.ndarray) -> None:
        """Put an image (as `run` takes it) where the loaded program reads it: no Python for each pixel."""
        WrittenImages(self.segment, self.loaded()).bring(image)

    def run_descriptors(self, first: int, count: int, *, lane: int = 0, watchdog: int | None = None) -> None:
        """Run a part of the loaded program with its part of the weights to the end; arguments as `launch`."""
        self.finish(self.launch(first, count, lane=lane, watchdog=watchdog))
        self.confirm()

    def launch(self, first: int, count: int, *, lane: int = 0, watchdog: int | None = None,
               image: np.ndarray | None = None, fetch: bool = False, follows: bool = False) -> int:
        """Start a part of the loaded program; `finish` must follow.

        Parameters
        ----------
        first, count
            descriptors
        watchdog
            cycles after which the hardware stops the run; by default a few times what was predicted
        image
            as `run` takes it; without one the program finds what is there
        fetch
            fetch the image that IMAGE_ADDRESS names
        follows
            go on with what is there since `restore`: results of earlier runs, an image that comes or has come, and what
            ISR says of it

        Returns
        -------
        how many cycles `finish` should wait at most
        """
        program, lanes = self.loaded(), self.configuration["rows"] * self.configuration["columns"]
        lane = operator.index(lane)
        records = program.records[first:first + count]
        if first < 0 or count < 1 or len(records) != count:
            raise InputError(f"descriptors {first} to {first + count - 1} are not all in {program.name}, which has "
                             f"{len(program.records)}")
        if not 0 <= lane < lanes:
            raise InputError(f"lane is {lane}, but the lattice has lanes 0 to {lanes - 1}")
        words = sum(record.stream_words for record in records)
        predicted = WATCHDOG_FACTOR * sum(record.cycles for record in records) + WATCHDOG_EXTRA
        limit = watchdog or predicted + self.source.slowness(words)
        settings = {"PROGRAM_FIRST": first, "PROGRAM_LENGTH": count, "LANE": lane, "WATCHDOG": limit}
        settings |= self.source.settings(records[0].stream_first, words)
        if follows:
            self.confirm()
        else:
            self.control.make_ready()
            self.restore()
        if image is not None:
            fetch = self.images.bring(image)
        self.control.start(settings, fetch)
        return limit + GRACE

    def start(self, cycles: int) -> None:
        """Start what the registers say and wait for the interrupt, at most `cycles`. Errors as `run`."""
        self._check_open()
        with self.exclusive:
            self.control.written.clear()
            self.control.make_ready()
            self.control.start({})
            self.control.finish(cycles, self.source, self._layer)

    def stop(self) -> None:
        """Stop the run that somebody waits for, with error ABORTED; no effect where none runs."""
        self._check_open()
        self.control.stop()

    def quiesce(self) -> None:
        """Stop what runs and wait until no read of memory is in flight, so that another bitstream may be loaded.

        The processor's memory port is not reset with the FPGA: what was asked for before comes to whatever is loaded
        next. The program stays loaded.

        Raises
        ------
        HardwareError
            if the engine does not stop, or reads do not come back
        """
        with self.exclusive:
            if not self.control.abort():
                raise HardwareError("the engine runs and does not react to ABORT, so reads of memory may be in flight. "
                                    "Remedy: restart the board before another bitstream is loaded")
            run_dry(self.segment)

    def finish(self, cycles: int) -> None:
        """Wait for the end of what `launch` has started, at most `cycles`. Errors as `run`."""
        try:
            self.control.finish(cycles, self.source, self._layer)
        except (EngineError, RunTimeout) as error:
            self.confirm(error)
            raise

    def confirm(self, error: Exception | None = None) -> None:
        """Refuse a run, or explain its error, where somebody has reset the hardware meanwhile, without the lock."""
        if self.segment.read("PROGRAM_ID") != self._program_id:
            self.control.written.clear()
            raise HardwareError("the accelerator was reset, or another program was loaded, during the run, which has "
                                "no result. Remedy: run it again; whoever resets it, or loads a bitstream, must hold "
                                "its lock, `with accelerator.exclusive`") from error

    def counters(self) -> dict[str, int]:
        """CYCLES, BUSY and STARVED of the last run; WAITED, for an image that is fetched, is not in CYCLES here."""
        self._check_open()
        return self.control.counters(bool(self.images) and self.images.name == "ddr")

    def layer_cycles(self) -> list[tuple[str, dict[str, int]]]:
        """For each descriptor of the last whole run its layer and its counters, as in `spec.LOG_FIELDS`.

        Raises
        ------
        RiffleError
            if another handle has used the hardware since
        """
        records = self.loaded().records
        if self.segment.read("PROGRAM_ID") != self._program_id:
            raise RiffleError("another handle or process, or a reset, has replaced the program: run it again first")
        log = self.segment.read_window("LOG", 0, len(records) * spec.LOG_WORDS).reshape(-1, spec.LOG_WORDS)
        return [(record.layer, dict(zip(spec.LOG_FIELDS, map(int, entry), strict=True)))
                for record, entry in zip(records, log, strict=True)]

    def memory(self, place: Place, positions: np.ndarray, lane: int = 0) -> np.ndarray:
        """Activation memory, int8 [4][depth][lanes]; see `result.read_memory`."""
        return read_memory(self.segment, self.configuration, place, positions, lane)

    def _layer(self, index: int) -> str:
        """Layer of a descriptor."""
        records = self.program.records if self.program else []
        return records[index].layer if index < len(records) else "unknown"

    def loaded(self) -> Program:
        """The program; RiffleError where there is none, or the accelerator is closed."""
        self._check_open()
        if self.program is None:
            raise RiffleError("no program is loaded: call load() first")
        return self.program

    def _check_open(self) -> None:
        if self._closed:
            raise RiffleError("the accelerator is closed: open it again, with riffle.open()")
