"""Accelerator, interrupt controller and shared memory of a simulated board, with a clock that runs by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from riffle.backends.axi_intc import AxiIntc
from riffle.backends.shared_memory import Buffer
from riffle.backends.verilated import RtlBackend
from riffle.errors import HardwareError
from riffle.isa import spec

CTRL, CYCLES = spec.REGISTERS["CTRL"], spec.REGISTERS["CYCLES"]
CHUNK_SECONDS, LEAST_CHUNK, MOST_CHUNK = 2e-3, 200, 20_000  # what the clock runs between two chances for accesses
GIVE_WAY = 2e-3  # seconds of accesses after which the clock has its turn
QUIET = 2  # chunks without a sign of work after which the clock rests
WAIT_SECONDS = 0.1  # longest answer


class Board:
    """The board. Requests may come from many threads.

    Parameters
    ----------
    rtl
        the accelerator

    Attributes
    ----------
    intc
        the interrupt controller
    clients
        that live
    ended
        whether `end` was called
    """

    def __init__(self, rtl: RtlBackend):
        self.rtl, self.intc, self.ended = rtl, AxiIntc(), False
        self._model = threading.Lock()
        self._changed = threading.Condition()  # of what follows
        self._asking, self._quiet, self._until, self._level, self._cycles = 0, 0, 0, False, rtl.cycles
        self._chunk = LEAST_CHUNK
        self.clients: set[str] = set()
        self._buffers: dict[tuple[str, int], Buffer] = {}  # by client and number
        self._requests: dict[str, Callable] = {
            "read": rtl.read, "write": self._write, "read_block": self._read_block, "write_block": self._write_block,
            "read_rows": self._read_rows, "write_rows": self._write_rows, "reset": self._reset,
            "interrupt": lambda: rtl.interrupt, "cycles": lambda: rtl.cycles, "ddr_waiting": lambda: rtl.ddr_waiting,
            "ddr_get": lambda name: int(getattr(rtl.ddr, name)), "ddr_set": self._set_ddr,
            "intc_read": self.intc.read, "intc_write": self.intc.write, "intc_output": lambda: self.intc.output}

    def facts(self) -> dict[str, object]:
        """What a client wants to know first."""
        return {"what": self.rtl.what, "fetches_from": self.rtl.fetches_from}

    def request(self, client: str, name: str, arguments: Sequence[object]) -> object:
        """Do what a client asks for; errors are those of `RtlBackend`."""
        if name == "wait":
            return self._wait(*arguments)
        with self._turn():
            if name in ("allocate", "free"):
                return (self._allocate if name == "allocate" else self._free)(client, *arguments)
            return self._requests[name](*arguments)

    def part(self, client: str) -> None:
        """A client has gone: free what it has not freed. The engine may still read there."""
        with self._turn():
            self.clients.discard(client)
            for place in [place for place in self._buffers if place[0] == client]:
                self._free(*place)

    def run_clock(self) -> None:
        """Until `end`: run while the engine does, reads are on their way, or somebody waits."""
        while not self.ended:
            with self._changed:
                self._changed.wait_for(lambda: self.ended or self._quiet < QUIET or self._cycles < self._until)
                self._changed.wait_for(lambda: not self._asking, GIVE_WAY)
            with self._model:
                if not self.ended:
                    self._pass_time()
            self._tell()

    def end(self) -> None:
        """Stop the clock, and end the simulation."""
        with self._model:
            self.ended = True
            self._tell()
            self.rtl.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """An access, between two chunks of the clock. The controller sees every edge of the interrupt."""
        with self._changed:
            self._asking += 1
        try:
            with self._model:
                self.intc.sample(self.rtl.interrupt)
                try:
                    yield
                finally:
                    self._sample()
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _sample(self) -> None:
        self._level, self._cycles = self.rtl.interrupt, self.rtl.cycles
        self.intc.sample(self._level)

    def _pass_time(self) -> None:
        before, begin = self.rtl.read(CYCLES), time.perf_counter()
        self.rtl.advance(self._chunk)
        took = time.perf_counter() - begin
        works = self.rtl.read(CYCLES) != before or (self.rtl.ddr_waiting and not self.rtl.ddr.silent)
        self._quiet = 0 if works else self._quiet + 1
        self._chunk = int(min(max(self._chunk * CHUNK_SECONDS / took, LEAST_CHUNK), MOST_CHUNK))
        self._sample()

    def _wait(self, cycles: int) -> tuple[bool, int]:
        """Level of the interrupt and cycles so far, once it is high, or `cycles` or a moment have passed."""
        with self._changed:
            end = self._cycles + cycles
            self._until = max(self._until, end)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._level or self.ended or self._cycles >= end, WAIT_SECONDS)
            return self._level, self._cycles

    def _wake(self) -> None:
        self._quiet = 0

    def _write(self, offset: int, value: int) -> None:
        if offset == CTRL:
            self._wake()
        self.rtl.write(offset, value)

    def _read_block(self, offset: int, words: int) -> bytes:
        return self.rtl.read_block(offset, words).tobytes()

    def _write_block(self, offset: int, data: bytes) -> None:
        if offset == CTRL:
            self._wake()
        self.rtl.write_block(offset, np.frombuffer(data, np.uint32))

    def _read_rows(self, offset: int, rows: int, words: int, pitch: int) -> bytes:
        return b"".join(self._read_block(offset + 4 * pitch * y, words) for y in range(rows))

    def _write_rows(self, offset: int, data: bytes, rows: int, pitch: int) -> None:
        for y, row in enumerate(np.frombuffer(data, np.uint32).reshape(rows, -1)):
            self.rtl.write_block(offset + 4 * pitch * y, row)

    def _reset(self, *cycles: int) -> None:
        self._wake()
        self.rtl.reset(*cycles)

    def _set_ddr(self, name: str, value: int) -> None:
        self._wake()
        setattr(self.rtl.ddr, name, value)

    def _allocate(self, client: str, number: int, size: int) -> tuple[int, int]:
        """Offset in the shared memory and physical address."""
        if client not in self.clients:  # its last request, which comes after its end
            raise HardwareError("the client has gone")
        buffer = self._buffers[client, number] = self.rtl.allocate(size)
        return buffer.physical_address - self.rtl.ddr_base, buffer.physical_address

    def _free(self, client: str, number: int) -> None:
        if buffer := self._buffers.pop((client, number), None):
            buffer.free()
