"""A simulated board in another process, which may have other clients, too; see `board_process`."""

from __future__ import annotations

import itertools
import mmap
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from riffle.backends.backend import SIMULATED_HZ
from riffle.backends.exchange import Requests, beside
from riffle.backends.hardware_lock import hardware_lock
from riffle.backends.shared_memory import Buffer
from riffle.backends.verilated import CHUNK, DdrSettings, build
from riffle.errors import HardwareError, RiffleError

START_WITHIN, END_WITHIN = 60.0, 20.0  # seconds
PACKAGES = Path(__file__).resolve().parents[2]  # where this package lies


class ProcessBackend:
    """A client of a board process.

    Parameters
    ----------
    path
        of its socket
    progress, clock_hz
        as `RtlBackend` takes them

    Raises
    ------
    HardwareError
        if no process serves the socket; from every method, if it has ended
    """

    shares_memory = True

    def __init__(self, path: Path | str, *, progress: Callable[[int], None] | None = None,
                 clock_hz: float = SIMULATED_HZ):
        self.path, self.clock_hz, self.progress = Path(path).absolute(), clock_hz, progress
        self._ask = Requests(self.path)
        self.what, self.fetches_from = f"{self._ask.facts['what']}, in another process", self._ask.facts["fetches_from"]
        self.lock = hardware_lock(beside(self.path, ".lock"))
        self._memory = np.frombuffer(mmap.mmap(self._ask.memory, 0), np.uint8)
        os.close(self._ask.memory)
        self._numbers, self._interrupted = itertools.count(), []

    def close(self) -> None:
        """Detach: memory that was not freed is given back. The board goes on."""
        self._ask.close()

    def __enter__(self) -> ProcessBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far."""
        return self._ask("cycles")

    @property
    def interrupt(self) -> bool:
        """Level of the interrupt line."""
        return self._ask("interrupt")

    @property
    def ddr(self) -> RemoteSettings:
        """Latency, bandwidth and faults of the simulated DDR, as `rtl.DdrSettings`."""
        return RemoteSettings(self._ask)

    @property
    def ddr_waiting(self) -> int:
        """Bursts that the DDR has taken and not answered to the end."""
        return self._ask("ddr_waiting")

    @property
    def intc(self) -> RemoteIntc:
        """The board's interrupt controller."""
        return RemoteIntc(self._ask)

    def reset(self, *cycles: int) -> None:
        """Pull the reset, as `RtlBackend.reset`; other clients are not asked."""
        self._ask("reset", *cycles)

    def allocate(self, size: int) -> Buffer:
        """Memory that the accelerator reads by itself; given back by `close`, and where this process ends.

        Raises
        ------
        SharedMemoryError
            if there is no gap of this size
        """
        while self._interrupted:
            self._ask("free", self._interrupted[-1])
            self._interrupted.pop()
        number = next(self._numbers)
        try:
            offset, address = self._ask("allocate", number, size)
        except RiffleError:
            raise
        except BaseException:  # as from the keyboard: it may be allocated
            self._interrupted.append(number)
            raise

        def free() -> None:
            if not self._ask.ended:  # then it is given back already
                self._ask("free", number)
        return Buffer(self._memory[offset:offset + size], address, flush=lambda: None, free=free)

    def read(self, offset: int) -> int:
        return self._ask("read", offset)

    def write(self, offset: int, value: int) -> None:
        self._ask("write", offset, int(value))

    def read_block(self, offset: int, words: int) -> np.ndarray:
        return np.frombuffer(self._ask("read_block", offset, words), np.uint32).copy()

    def write_block(self, offset: int, values: np.ndarray) -> None:
        self._ask("write_block", offset, np.asarray(values, np.uint32).tobytes())

    def read_rows(self, offset: int, rows: int, words: int, pitch: int) -> np.ndarray:
        """uint32 [rows][words], each row `pitch` words behind the one before."""
        data = self._ask("read_rows", offset, rows, words, pitch)
        return np.frombuffer(data, np.uint32).reshape(rows, words).copy()

    def write_rows(self, offset: int, rows: np.ndarray, pitch: int) -> None:
        """Write uint32 [n][words], each row `pitch` words behind the one before."""
        self._ask("write_rows", offset, np.asarray(rows, np.uint32).tobytes(), len(rows), pitch)

    def wait_interrupt(self, cycles: int) -> bool:
        begin = now = self.cycles
        while now - begin < cycles:
            level, now = self._ask("wait", min(CHUNK, begin + cycles - now))
            if level:
                return True
            if self.progress:
                self.progress(now - begin)
        return False


class RemoteSettings:
    """`rtl.DdrSettings` of a board in another process."""

    def __init__(self, ask: Requests):
        object.__setattr__(self, "_ask", ask)

    def __getattr__(self, name: str) -> int:
        if name not in SETTINGS:
            raise AttributeError(name)
        return self._ask("ddr_get", name)

    def __setattr__(self, name: str, value: int) -> None:
        if name not in SETTINGS:
            raise AttributeError(name)
        self._ask("ddr_set", name, value)


SETTINGS = [name for name, _ in DdrSettings._fields_]


class RemoteIntc:
    """`AxiIntc` of a board in another process, which samples by itself."""

    def __init__(self, ask: Requests):
        self._ask = ask

    @property
    def output(self) -> bool:
        return self._ask("intc_output")

    def read(self, offset: int) -> int:
        return self._ask("intc_read", offset)

    def write(self, offset: int, value: int) -> None:
        self._ask("intc_write", offset, value)


@dataclass(frozen=True)
class Spawned:
    """A board process that `spawn` has started.

    Attributes
    ----------
    path
        of its socket
    process
        itself
    """

    path: Path
    process: subprocess.Popen


@contextmanager
def spawn(configuration: str = "full", seed: int = 1) -> Iterator[Spawned]:
    """A board process with a socket in a folder of its own; it ends with the block, or with this process.

    Parameters
    ----------
    configuration
        one of `spec.CONFIGURATIONS`
    seed
        of the model

    Raises
    ------
    HardwareError
        if it does not start; its output comes before
    """
    paths = os.pathsep.join(filter(None, (str(PACKAGES), os.environ.get("PYTHONPATH"))))
    variables = os.environ | {"RIFFLE_MODEL": str(build(configuration)), "PYTHONPATH": paths}
    command = [sys.executable, "-m", "riffle.backends.board_process", "--seed", str(seed), "--with-input"]
    # a session of its own: Ctrl-C in the terminal is for the client
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables, text=True,
                               start_new_session=True)
    path = None
    try:
        path = _await_ready(process)
        yield Spawned(path, process)
    finally:
        _end(process)
        if path:  # what a process that was killed has left
            shutil.rmtree(path.parent, ignore_errors=True)


def _await_ready(process: subprocess.Popen) -> Path:
    """Path of the socket, once it can be attached to."""
    if not select.select([process.stdout], [], [], START_WITHIN)[0]:
        raise HardwareError(f"the board process does not start within {START_WITHIN:g} s. Remedy: end other programs")
    ready, _, path = process.stdout.readline().rstrip("\n").partition(" ")
    if ready != "READY":
        raise HardwareError("the board process did not start, see above")
    return Path(path.partition(" ")[2])


def _end(process: subprocess.Popen) -> None:
    process.stdin.close()
    try:
        process.wait(END_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        process.stdout.close()
