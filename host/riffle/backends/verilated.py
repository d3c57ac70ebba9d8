"""The Verilated RTL as a backend: cycle by cycle what the board does, in this process.

The clock of the model only runs during accesses and in `wait_interrupt`. One thread may wait while others access it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np

from riffle.backends import checkout
from riffle.backends.backend import SIMULATED_HZ
from riffle.backends.hardware_lock import HardwareLock
from riffle.backends.shared_memory import ALIGNMENT, Buffer, Heap
from riffle.errors import BusError, HardwareError, InputError
from riffle.isa import layout, spec

CHUNK = 20_000  # cycles between two chances to report progress or to be interrupted from the keyboard
RESET_CYCLES = 16  # as long as the board's reset
YIELD = 20e-6  # seconds in which other threads get at the model between two chunks
OFFSET, WORD, WORDS = ctypes.c_uint32, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint32)
BYTES = ctypes.POINTER(ctypes.c_uint8)


class DdrSettings(ctypes.Structure):
    """How the simulated DDR behaves; see sim/ddr.hpp. All are uint32 and take effect at once."""

    _fields_ = [(name, ctypes.c_uint32) for name in (
        "latency", "latency_worst", "bytes_per_1024", "refresh_interval", "refresh_cycles", "stall_percent",
        "fail_from", "silent")]


FUNCTIONS = {  # name: (result, arguments after the model)
    "riffle_free": (None, ()),
    "riffle_reset": (None, (ctypes.c_uint32,)),
    "riffle_cycles": (ctypes.c_uint64, ()),
    "riffle_interrupt": (ctypes.c_int, ()),
    "riffle_trace": (ctypes.c_int, (ctypes.c_char_p,)),
    "riffle_ddr_base": (ctypes.c_uint32, ()),
    "riffle_ddr_size": (ctypes.c_uint32, ()),
    "riffle_ddr_settings": (ctypes.POINTER(DdrSettings), ()),
    "riffle_ddr_violations": (ctypes.c_uint32, ()),
    "riffle_ddr_waiting": (ctypes.c_uint32, ()),
    "riffle_run": (ctypes.c_int, (ctypes.c_uint64,)),
    "riffle_advance": (None, (ctypes.c_uint64,)),
    "riffle_write": (ctypes.c_int, (OFFSET, WORD, ctypes.c_uint32)),
    "riffle_read": (ctypes.c_int, (OFFSET, WORDS)),
    "riffle_write_block": (ctypes.c_int, (OFFSET, WORDS, ctypes.c_uint32)),
    "riffle_read_block": (ctypes.c_int, (OFFSET, WORDS, ctypes.c_uint32)),
}


def build(configuration: str = "full", waves: bool = False) -> Path:
    """Path of the model's library, built if needed (a minute or two, with a message on stderr).

    $RIFFLE_MODEL names a library that was built elsewhere; nothing is built then.

    Raises
    ------
    InputError
        if there is no such configuration
    HardwareError
        if it cannot be built; the output of the tools comes before
    """
    layout.configuration(configuration)  # one that there is
    if library := os.environ.get("RIFFLE_MODEL"):
        return Path(library)
    if not checkout.there():
        raise HardwareError("the simulated hardware is built from the project's sources, which this installation does "
                            "not have: clone the repository and run `make setup`, or name a library in $RIFFLE_MODEL")
    command = [sys.executable, str(checkout.MODEL), "--configuration", configuration, *["--waves"] * waves]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise HardwareError("the simulated hardware could not be built, see above. Remedy: run `make setup`; if that "
                            "does not help, `make clean`")
    return Path(result.stdout.split("\n")[0])


class RtlBackend:
    """A simulated accelerator.

    Parameters
    ----------
    library
        the model, as `build` makes it; by default the full hardware, built if needed
    waves
        FST file for waveforms of everything that is done (needs a library built with waves)
    progress
        called with the cycles simulated so far in a wait, again and again
    clock_hz
        what the board would run at; only turns cycles into time
    seed
        of what is random at power-up, and of the DDR's latencies
    memory
        uint8 [n] that the accelerator reads by itself, n as `ddr_size` says; by default a new array
    slverr
        have refused accesses answered with SLVERR, so that they raise BusError at once; otherwise BUS is left as the
        reset leaves it, and ERROR tells, as on the board
    """

    shares_memory, what = True, "the Verilated RTL, in simulation"
    fetches_from = "a simulated DDR: 38 to 85 cycles latency, 8 bytes a cycle"

    def __init__(self, library: Path | str | None = None, *, waves: Path | str | None = None,
                 progress: Callable[[int], None] | None = None, clock_hz: float = SIMULATED_HZ, seed: int = 1,
                 memory: np.ndarray | None = None, slverr: bool = True):
        self.clock_hz, self.progress, self._slverr = clock_hz, progress, slverr
        self.lock = HardwareLock()
        self._lock = threading.RLock()  # the model has one clock
        self._library = load_model(Path(library) if library else build(waves=waves is not None))
        # Python's own arrays: what is left of a buffer after `close` can still be looked at
        memory = np.zeros(ddr_size(self._library), np.uint8) if memory is None else memory
        pages = np.zeros(memory.size // ALIGNMENT, np.uint8)
        arrays = [array.ctypes.data_as(BYTES) for array in (memory, pages)]
        self._alive = [ctypes.c_void_p(self._library.riffle_new_around(seed, *arrays))]
        self._free = weakref.finalize(self, _free, self._library, self._alive, self._lock, memory, pages)
        self._free.atexit = waves is not None  # other threads may still use the model when Python ends
        if waves and self._library.riffle_trace(self._model, str(waves).encode()):
            raise HardwareError(f"{library} was built without waveforms: build it with `tools/build_model.py --waves`")
        self.ddr_base = self._library.riffle_ddr_base(self._model)  # physical address of the memory's first byte
        self._heap = Heap(memory, self.ddr_base, pages)
        self._after_reset()

    def close(self) -> None:
        """End the simulation; waveforms are complete only then."""
        self._free()

    @property
    def _model(self) -> ctypes.c_void_p:
        if not self._alive:
            raise HardwareError("the simulation is closed: open the accelerator again, with riffle.open()")
        return self._alive[0]

    def __enter__(self) -> RtlBackend:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cycles(self) -> int:
        """Clock cycles simulated so far."""
        return self._library.riffle_cycles(self._model)

    def reset(self, cycles: int = RESET_CYCLES) -> None:
        """Pull the reset for so many cycles. Memories keep what they hold; the DDR goes on, with its answers, too.

        Raises
        ------
        ValueError
            if there are none
        """
        if cycles < 1:
            raise InputError(f"a reset of {cycles} cycles is none: give at least 1")
        with self._lock:
            self._library.riffle_reset(self._model, cycles)
            self._after_reset()

    def _after_reset(self) -> None:
        if self._slverr:
            self.write(spec.REGISTERS["BUS"], 1 << spec.REGISTER_FIELDS["BUS"]["SLVERR"][0])

    def advance(self, cycles: int) -> None:
        """Let the clock run, whatever the interrupt says."""
        with self._lock:
            self._library.riffle_advance(self._model, cycles)

    @property
    def ddr(self) -> DdrSettings:
        """Latency, bandwidth and faults of the simulated DDR."""
        return self._library.riffle_ddr_settings(self._model).contents

    @property
    def ddr_violations(self) -> int:
        """Addresses so far that the accelerator withdrew or changed before they were taken, or that AXI forbids."""
        return self._library.riffle_ddr_violations(self._model)

    @property
    def ddr_waiting(self) -> int:
        """Bursts that the DDR has taken and not answered to the end."""
        return self._library.riffle_ddr_waiting(self._model)

    def allocate(self, size: int) -> Buffer:
        """Memory that the accelerator reads by itself, until `close`."""
        return self._heap.allocate(size)

    def read(self, offset: int) -> int:
        word = WORD()
        with self._lock:
            response = self._library.riffle_read(self._model, offset, ctypes.byref(word))
            self._check(response, offset, offset + 4, "read")
        return word.value

    def write(self, offset: int, value: int) -> None:
        with self._lock:
            self._check(self._library.riffle_write(self._model, offset, value, 0xF), offset, offset + 4, "write")

    def read_block(self, offset: int, words: int) -> np.ndarray:
        values = np.empty(words, np.uint32)
        with self._lock:
            response = self._library.riffle_read_block(self._model, offset, values.ctypes.data_as(WORDS), words)
            self._check(response, offset, offset + 4 * words, "read")
        return values

    def write_block(self, offset: int, values: np.ndarray) -> None:
        values = np.ascontiguousarray(values, np.uint32).reshape(-1)
        with self._lock:
            response = self._library.riffle_write_block(self._model, offset, values.ctypes.data_as(WORDS), values.size)
            self._check(response, offset, offset + values.nbytes, "write")

    def wait_interrupt(self, cycles: int) -> bool:
        for done in range(0, cycles, CHUNK):
            with self._lock:
                if self._library.riffle_run(self._model, min(CHUNK, cycles - done)):
                    return True
            if self.progress:
                self.progress(done + CHUNK)
            time.sleep(YIELD)
        return self.interrupt

    @property
    def interrupt(self) -> bool:
        """Level of the interrupt line."""
        with self._lock:
            return bool(self._library.riffle_interrupt(self._model))

    def _check(self, response: int, begin: int, end: int, action: str) -> None:
        """Turn an AXI response into an exception; takes the code out of ERROR, so that the next one is seen too."""
        if response == 0:
            return
        if response < 0:
            raise HardwareError(f"{action} at offset {begin:#08x}: the simulated bus hangs. Remedy: report this, with "
                                "waveforms")
        code, info = WORD(), WORD()
        self._library.riffle_read(self._model, spec.REGISTERS["ERROR"], ctypes.byref(code))
        self._library.riffle_read(self._model, spec.REGISTERS["ERROR_INFO"], ctypes.byref(info))
        if not begin <= info.value < end or not spec.ERRORS.get(code.value, ("",))[0].startswith("BUS_"):
            raise BusError(begin, None, action)  # ERROR keeps an earlier one
        self._library.riffle_write(self._model, spec.REGISTERS["ERROR"], 0, 0xF)
        raise BusError(info.value, code.value, action)


def load_model(path: Path) -> ctypes.CDLL:
    """The functions of a library that `build` has made.

    Raises
    ------
    HardwareError
        if it is none
    """
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise HardwareError(f"{path} is not a library that can be loaded ({error}). Remedy: `make clean`") from error
    new = library.riffle_new_around
    new.restype, new.argtypes = ctypes.c_void_p, (ctypes.c_uint32, BYTES, BYTES)
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, (ctypes.c_void_p, *arguments)
    return library


def ddr_size(library: ctypes.CDLL) -> int:
    """Bytes of the memory that the accelerator reads by itself."""
    return library.riffle_ddr_size(None)


def _free(library: ctypes.CDLL, alive: list[ctypes.c_void_p], lock: threading.RLock, *_: np.ndarray) -> None:
    """End a model that no thread uses, before the arrays that it uses."""
    with lock:
        library.riffle_free(alive.pop())
