"""A PYNQ-Z2 for PYNQ, made of the Verilated accelerator, an interrupt controller, clocks and memory.

PYNQ finds it where there is no board, once this module is imported; Overlay, DefaultIP, MMIO, Interrupt and allocate
are PYNQ's own. Written for PYNQ 3.0 and 3.1.
"""

from __future__ import annotations

import asyncio
import os
import platform
from pathlib import Path

import numpy as np
import pynq
from pynq import interrupt as pynq_interrupt
from pynq import ps
from pynq.buffer import PynqBuffer
from pynq.pl_server.device import Device

from riffle.backends.axi_intc import AxiIntc
from riffle.backends.hardware_lock import HardwareLock, hardware_lock
from riffle.backends.mapped import FPGA
from riffle.backends.process import ProcessBackend
from riffle.backends.verilated import RtlBackend, build
from riffle.bitstream import hwh
from riffle.board.simulated.mmio_array import Window
from riffle.isa import spec

ZYNQ = "armv7l"
CLOCKS, CLOCKS_SIZE = 0xF800_0000, 0x1000  # SLCR; reset values of the PLLs and dividers that PYNQ reads
PLLS = {0x100: 40 << 12, 0x104: 32 << 12, 0x108: 20 << 12, 0x120: 2 << 8}
DIVIDERS = (0x170, 0x180, 0x190, 0x1A0)
FABRIC_INTERRUPT = 61  # what Linux calls IRQ_F2P[0]
CHUNK, PROBE = 5000, 8  # cycles at a time while the engine runs; to see whether it does
PAUSE = 2e-3  # seconds, while it does not
CYCLES, REGISTERS_SIZE = spec.REGISTERS["CYCLES"], spec.WINDOWS["REGISTERS"][1]


class SimulatedInterruptLine:
    """In place of `pynq.uio.UioController`: time passes while somebody waits for the line."""

    def __init__(self, device: SimulatedBoard):
        self.device, self.events, self.task, self.rests = device, [], None, False

    def add_event(self, event: object, number: int) -> None:
        """Call `event.set` once when the line is high."""
        self.events.append(event)
        if self.task and self.rests:
            self.task.cancel()
        if self.task is None or self.task.done() or self.rests:
            self.rests = False
            self.task = asyncio.ensure_future(self._pass_time())

    def fire(self) -> None:
        """What the kernel does when the line rises; also without reason, for tests."""
        events, self.events = self.events, []
        for event in events:
            event.set()

    async def _pass_time(self) -> None:
        while self.events:
            if self.device.interrupt_output():
                self.fire()
            self.rests = not self.device.advance()
            await asyncio.sleep(PAUSE if self.rests else 0)


class SimulatedMemory:
    """What `pynq.allocate` takes from: the array is the memory that the accelerator reads."""

    def __init__(self, device: SimulatedBoard):
        self.device = device

    def allocate(self, shape: int | tuple[int, ...], dtype: object = np.uint32, **_: object) -> PynqBuffer:
        dtype = np.dtype(dtype)
        part = self.device.accelerator.allocate(max(1, int(np.prod(shape)) * dtype.itemsize))
        buffer = PynqBuffer(shape, dtype, buffer=part.array.data, device=self.device, coherent=False,
                            device_address=part.physical_address)
        buffer.memory, buffer.return_to, buffer.pointer = self, self, part
        buffer.freed = True  # nothing but the pointer is to be given back
        return buffer

    def return_pointer(self, part: object) -> None:
        part.free()


class SimulatedBoard(Device):
    """The board.

    Attributes
    ----------
    accelerator
        the Verilated hardware; $RIFFLE_CONFIGURATION names one of `spec.CONFIGURATIONS`, by default full.
        $RIFFLE_BOARD_PROCESS names the socket of a `backends.board_process`, which other processes share
    lock
        held by whoever uses the accelerator
    intc
        the interrupt controller
    accesses
        words that went over the bus, reads and writes, since the beginning
    """

    _probe_priority_ = 10_000  # behind all that is real
    arch = ZYNQ

    @classmethod
    def _probe_(cls) -> list[SimulatedBoard]:
        return [] if platform.machine() == ZYNQ else [cls()]

    def __init__(self) -> None:
        super().__init__("simulated Pynq-Z2")
        self.name, self.capabilities, self.timestamp = "Pynq-Z2", {"MEMORY_MAPPED": True}, ""
        path = os.environ.get("RIFFLE_BOARD_PROCESS")
        self.accelerator: RtlBackend | ProcessBackend = ProcessBackend(path) if path else RtlBackend(
            build(os.environ.get("RIFFLE_CONFIGURATION", "full")), slverr=False)
        self.lock = self.accelerator.lock
        self.default_memory = SimulatedMemory(self)
        self.intc = self.accelerator.intc if path else AxiIntc()
        self.line, self.accesses = SimulatedInterruptLine(self), 0
        self.clocks = PLLS | dict.fromkeys(DIVIDERS, 0x0040_0800)
        pynq_interrupt._InterruptController._uio_devices[FABRIC_INTERRUPT] = self.line

    @property
    def model(self) -> RtlBackend | ProcessBackend:
        """The simulation, for those who want to tell it from hardware."""
        return self.accelerator

    def bus_read(self, address: int, words: int) -> np.ndarray:
        """Consecutive words, uint32 [words]."""
        what, offset = self._decode(address, 4 * words)
        self.accesses += words
        if what == "accelerator":
            return self.accelerator.read_block(offset, words)
        one = self.intc.read if what == "interrupts" else lambda place: self.clocks.get(place, 0)
        return np.array([one(offset + 4 * i) for i in range(words)], np.uint32)

    def bus_write(self, address: int, values: np.ndarray) -> None:
        """Write uint32 [n] to consecutive words."""
        what, offset = self._decode(address, values.nbytes)
        self.accesses += values.size
        if what == "accelerator":
            if offset >= REGISTERS_SIZE:
                return self.accelerator.write_block(offset, values)
            self._sample()  # before the access clears it
            self.accelerator.write_block(offset, values)
            self._sample()  # so that the next rise is seen as one
            return None
        self._sample()
        for i, value in enumerate(values):
            if what == "interrupts":
                self.intc.write(offset + 4 * i, int(value))
            else:
                self.clocks[offset + 4 * i] = int(value)
        return None

    def interrupt_output(self) -> bool:
        """The line from the interrupt controller to the processor."""
        self._sample()
        return self.intc.output

    def _sample(self) -> None:
        """A controller in another process does it by itself."""
        if isinstance(self.intc, AxiIntc):
            self.intc.sample(self.accelerator.interrupt)

    def advance(self) -> bool:
        """Let some time pass; whether the engine runs."""
        before = self.accelerator.read(CYCLES)
        self.accelerator.wait_interrupt(PROBE)
        if self.accelerator.read(CYCLES) == before:
            return False
        self.accelerator.wait_interrupt(CHUNK)
        return True

    def _decode(self, address: int, size: int) -> tuple[str, int]:
        """What lies at an address, and the offset in it; nothing is what it would be on the board: a bus error."""
        for what, base, length in (("accelerator", spec.SEGMENT_BASE, spec.SEGMENT_SIZE),
                                   ("interrupts", hwh.INTERRUPT_BASE, hwh.INTERRUPT_SIZE),
                                   ("clocks", CLOCKS, CLOCKS_SIZE)):
            if base <= address and address + size <= base + length:
                return what, address - base
        raise RuntimeError(f"bus error: nothing lies at {address:#010x}; on a board the process would have ended")

    def mmap(self, base_addr: int, length: int) -> Window:
        return Window(self, base_addr, length // 4)

    def get_bitfile_metadata(self, bitfile_name: str, partial: bool = False) -> object:
        from pynq.metadata.runtime_metadata_parser import RuntimeMetadataParser
        from pynqmetadata.frontends import Metadata
        parser = RuntimeMetadataParser(Metadata(input=str(Path(bitfile_name).with_suffix(".hwh"))))
        parser.refresh_hierarchy_dict()
        parser.xclbin_data = None
        if not hasattr(ps.Clocks, "set_device"):  # PYNQ 3.0 asks this computer for its architecture
            Device.active_device = self
            ps.Clocks._real_instance = ps._ClocksZynq()
        return parser

    def download(self, bitstream: object, parser: object = None) -> None:
        self.post_download(bitstream, parser)

    def gen_cache(self, bitstream: object, parser: object = None) -> None:
        """Nothing outlives this process."""

    def flush(self, *_: object) -> None:
        """Nothing is cached."""

    invalidate = flush


def board_lock() -> HardwareLock:
    """Of the board that PYNQ uses. A run holds it, and so does whoever loads a bitstream or sets up interrupts."""
    board = simulated()
    return board.lock if board else hardware_lock(FPGA)


def simulated() -> SimulatedBoard | None:
    """The board that PYNQ uses, if it is a simulated one."""
    device = pynq.Device.active_device
    return device if getattr(device, "model", None) else None
