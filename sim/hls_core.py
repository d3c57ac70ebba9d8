"""The stand-alone HLS cores in the test bench: what Vitis or Bambu has made of them, behind one `Core.run`.

Bambu   clock, reset (active low), start_port, done_port, return_port, arguments as inputs; an array x as memory ports
        x_address0, x_ce0, x_q0, and x_we0, x_d0 where it is written; a second set with 1. Words are addressed.
Vitis   ap_clk, ap_rst_n, AXI4-Lite s_axi_control with the arguments, interrupt; an array x as block RAM port x_Addr_A,
        x_EN_A, x_WEN_A, x_Din_A, x_Dout_A. Bytes are addressed.
Both    data in the cycle after the address.
"""

import re
from pathlib import Path

from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

CYCLES = 300_000  # no test needs more
CONTROL, INTERRUPT_ENABLES, INTERRUPT_STATUS = 0x00, (0x04, 0x08), 0x0C


class Port:
    """One way into a memory; `cycle` is called after each rising edge, and answers what was asked before it."""

    def __init__(self, memory, enable, address, data_out, write, data_in, bytes_addressed):
        self.memory, self.bytes_addressed = memory, bytes_addressed
        self.enable, self.address, self.data_out, self.write, self.data_in = enable, address, data_out, write, data_in

    def cycle(self):
        if not self.enable.value.is_resolvable or not int(self.enable.value):
            return
        at = int(self.address.value) >> (2 if self.bytes_addressed else 0)
        strobes = int(self.write.value) if self.write is not None else 0
        if self.data_out is not None:
            self.data_out.value = int(self.memory[at])
        if strobes:
            mask = 0xFFFFFFFF if not self.bytes_addressed else sum(0xFF << 8 * i for i in range(4) if strobes >> i & 1)
            self.memory[at] = int(self.data_in.value) & mask | int(self.memory[at]) & ~mask & 0xFFFFFFFF


class Core:
    """A core of either tool between two memories, uint32 arrays named like its array arguments."""

    def __init__(self, dut, memories, registers=None):
        self.dut, self.registers = dut, registers
        self.bambu = hasattr(dut, "start_port")
        self.clock = dut.clock if self.bambu else dut.ap_clk
        self.ports = [port for name, memory in memories.items() for port in self._ports(name, memory)]

    def _ports(self, name, memory):
        signals = {signal: getattr(self.dut, f"{name}_{signal}", None) for base in ("address", "ce", "q", "we", "d")
                   for signal in (f"{base}0", f"{base}1")}
        if self.bambu:
            return [Port(memory, signals[f"ce{i}"], signals[f"address{i}"], signals[f"q{i}"], signals[f"we{i}"],
                         signals[f"d{i}"], False) for i in (0, 1) if signals[f"ce{i}"] is not None]
        pins = [getattr(self.dut, f"{name}_{pin}_A") for pin in ("EN", "Addr", "Dout", "WEN", "Din")]
        return [Port(memory, *pins, True)]

    async def start(self):
        """Clock and reset."""
        Clock(self.clock, 10, unit="ns").start()
        reset = self.dut.reset if self.bambu else self.dut.ap_rst_n
        if self.bambu:
            self.dut.start_port.value = 0
        else:
            self.bus = AxiLiteMaster(AxiLiteBus.from_prefix(self.dut, "s_axi_control"), self.clock, reset,
                                     reset_active_level=False)
        reset.value = 0
        for _ in range(5):
            await RisingEdge(self.clock)
        reset.value = 1
        await RisingEdge(self.clock)
        return self

    async def run(self, arguments):
        """One call; returns what the core returns."""
        return await (self._run_bambu if self.bambu else self._run_vitis)(arguments)

    async def _run_bambu(self, arguments):
        for name, value in arguments.items():
            getattr(self.dut, name).value = int(value) & 0xFFFFFFFF
        self.dut.start_port.value = 1
        await RisingEdge(self.clock)
        self.dut.start_port.value = 0
        for _ in range(CYCLES):
            await RisingEdge(self.clock)
            for port in self.ports:
                port.cycle()
            if int(self.dut.done_port.value):
                return int(self.dut.return_port.value)
        raise AssertionError(f"no done_port within {CYCLES} cycles")

    async def _run_vitis(self, arguments):
        for name, value in arguments.items():
            await self.bus.write_dword(self.registers[name], int(value) & 0xFFFFFFFF)
        for enable in INTERRUPT_ENABLES:
            await self.bus.write_dword(enable, 1)
        begin = self.bus.init_write(CONTROL, b"\1\0\0\0")
        for _ in range(CYCLES):
            await RisingEdge(self.clock)
            for port in self.ports:
                port.cycle()
            if int(self.dut.interrupt.value):
                break
        else:
            raise AssertionError(f"no interrupt within {CYCLES} cycles")
        await begin.wait()
        assert await self.bus.read_dword(CONTROL) & 2, "ap_done"
        await self.bus.write_dword(INTERRUPT_STATUS, 1)
        return await self.bus.read_dword(self.registers["ap_return"])


def vitis_registers(files):
    """Offsets of a core's AXI4-Lite registers, from the comments in its Verilog; empty where there are none."""
    text = "".join(Path(path).read_text() for path in files if "control_s_axi" in Path(path).name)
    return {name: int(offset, 16) for offset, name in re.findall(r"0x([0-9a-fA-F]+) : Data signal of (\w+)", text)}
