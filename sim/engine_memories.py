"""The memories around the engine: programs in, weight stream in, activations in and out, cycle log out."""

import random

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from ports import drive
from riffle.isa import spec
from riffle.isa.descriptor import pack_program

INPUTS = [f"{name}_i" for name in (
    "start", "stop", "hold", "hold_error", "first", "length", "lane", "watchdog", "program_rdata", "stream_valid",
    "stream_data", "stream_end", "stream_error", "stream_detail", "act_rdata")]
QUIET_START = 8  # cycles of a run in which the engine leaves its activation ports alone


class Memories:
    """Answers the engine's ports cycle by cycle, with the latencies of the real memories.

    A word that is read in the same cycle in which it is written comes back as noise: nothing may depend on it.
    """

    def __init__(self, dut, rows: int, columns: int, depth: int, stall: float = 0.0):
        self.dut, self.depth, self.stall = dut, depth, stall
        self.lanes, self.address_bits = rows * columns, (depth - 1).bit_length()
        self.activations = np.zeros((spec.BANKS, depth, self.lanes), np.int8)
        self.program = np.zeros((spec.DESCRIPTORS, spec.DESCRIPTOR_WORDS), np.uint32)
        self.log = np.zeros((spec.DESCRIPTORS, spec.LOG_WORDS), np.uint32)
        self.stream, self.taken, self.cycle = [], 0, 0

    async def start(self):
        drive(self.dut, dict.fromkeys(INPUTS, 0))
        Clock(self.dut.clk_i, 10, unit="ns").start()
        self.dut.rst_ni.value = 0
        for _ in range(3):
            await RisingEdge(self.dut.clk_i)
        self.dut.rst_ni.value = 1
        await RisingEdge(self.dut.clk_i)
        return self

    async def run(self, descriptors, stream, *, first=0, length=None, lane=0, watchdog=1 << 20, stop_after=None,
                  reset_after=None, hold=0, hold_error=0, next_error=None, stream_error=None):
        """One run; returns error code, descriptor and detail, as the engine reports them, and its counters.

        Parameters
        ----------
        stream
            uint8 [n][16]
        stop_after, reset_after
            cycle in which stop_i, or a reset of a few cycles, comes; None: never. A run that was reset gives nothing
        hold
            cycles for which the run must wait for its image; then hold_error is what became of it
        next_error
            hold_error_i from the cycle in which the run has its image: of the next one; None: hold_error stays
        stream_error
            cycle, code and detail of an error in bringing the stream here
        """
        dut = self.dut
        if descriptors:
            self.program[first:first + len(descriptors)] = pack_program(descriptors)
        self.stream = [int.from_bytes(word.tobytes(), "little") for word in stream]
        self.taken, self.offered = 0, False
        dut.first_i.value, dut.length_i.value = first, len(descriptors) if length is None else length
        dut.lane_i.value, dut.watchdog_i.value, dut.start_i.value = lane, watchdog, 1
        dut.stream_valid_i.value = dut.stream_end_i.value = 0
        reads, words = [0, 0], [0]
        await RisingEdge(dut.clk_i)
        dut.start_i.value = 0
        for self.cycle in range(1, 100_000):
            if self.cycle == reset_after:
                return await self.reset(random.choice([1, 1, 2, random.randint(1, 20)]))
            self.present_stream()
            dut.stop_i.value, dut.hold_i.value = self.cycle == stop_after, self.cycle <= hold
            dut.hold_error_i.value = hold_error if self.cycle >= hold else 0
            if next_error is not None and self.cycle >= hold + 2:
                dut.hold_error_i.value = next_error
            if stream_error and self.cycle >= stream_error[0]:
                dut.stream_error_i.value, dut.stream_detail_i.value = stream_error[1:]
            await RisingEdge(dut.clk_i)  # what is read from here on is what the cycle that ends here had
            reads.append(self.access())
            dut.act_rdata_i.value = reads.pop(0)
            words.append(int(self.program.reshape(-1)[int(dut.program_addr_o.value)]))
            dut.program_rdata_i.value = words.pop(0)
            if dut.log_we_o.value:
                self.log.reshape(-1)[int(dut.log_addr_o.value)] = int(dut.log_wdata_o.value)
            self.taken += bool(self.offered and dut.stream_ready_o.value)
            if dut.done_o.value:
                assert dut.busy_o.value, "busy_o falls in the cycle after done_o"
                break
        else:
            raise AssertionError("the engine does not finish")
        info = int(dut.error_info_o.value)
        result = int(dut.error_o.value), info & 0xFF, info >> 8
        self.counters = {name: int(getattr(dut, f"{name}_o").value) for name in ("cycles", "fed", "starved")}
        for name in ("stop_i", "stream_valid_i", "stream_end_i", "hold_error_i", "stream_error_i", "stream_detail_i"):
            getattr(dut, name).value = 0
        await RisingEdge(dut.clk_i)
        assert not dut.act_we_o.value, "a write after done_o"
        await RisingEdge(dut.clk_i)
        assert not dut.busy_o.value
        return result

    async def reset(self, cycles: int):
        """A reset, after whose first cycle nothing more may happen."""
        dut = self.dut
        dut.stop_i.value = dut.stream_valid_i.value = dut.stream_end_i.value = 0
        for cycle in range(cycles + 100):
            dut.rst_ni.value = cycle >= cycles
            await RisingEdge(dut.clk_i)
            for name in ("act_we_o", "log_we_o", "done_o", "busy_o"):
                assert not (cycle and getattr(dut, name).value), f"{name} {cycle} cycles after a reset of {cycles}"

    def present_stream(self):
        left = self.taken < len(self.stream)
        self.offered = left and random.random() >= self.stall
        self.dut.stream_valid_i.value = self.offered
        self.dut.stream_data_i.value = self.stream[self.taken] if self.offered else random.getrandbits(128)
        self.dut.stream_end_i.value = not left

    def access(self) -> int:
        """The engine's reads and writes of one cycle; returns the words read, banks side by side."""
        dut, words = self.dut, b""
        enable, address = int(dut.act_we_o.value), int(dut.act_waddr_o.value)
        assert not (enable and self.cycle <= QUIET_START), "a write while the host's last one may still land"
        reads = int(dut.act_raddr_o.value)
        for bank in range(spec.BANKS):
            at = reads >> bank * self.address_bits & (1 << self.address_bits) - 1
            written = enable >> bank & 1 and at == address
            words += random.randbytes(self.lanes) if written else self.activations[bank, at].tobytes()
        if enable:
            word = int(dut.act_wdata_o.value).to_bytes(self.lanes, "little")
            for bank in range(spec.BANKS):
                if enable >> bank & 1:
                    self.activations[bank, address] = np.frombuffer(word, np.int8)
        return int.from_bytes(words, "little")
