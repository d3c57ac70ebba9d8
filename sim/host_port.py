"""Drives the `host_*` port that every target of the host bus has: a pulse, fields that stay, one response pulse."""

from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge

from ports import drive

HOST = ("host_valid_i", "host_write_i", "host_addr_i", "host_wdata_i", "host_strb_i")


async def start(dut, **inputs):
    """Start the clock, reset the module, and leave it with these inputs: all that it has; those of `HOST` are 0."""
    drive(dut, {name: 0 for name in HOST if hasattr(dut, name)} | inputs)
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.rst_ni.value = 0
    for _ in range(3):
        await RisingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    await RisingEdge(dut.clk_i)


class HostPort:
    """One access after the other, as close together as the protocol allows.

    `latency` is the number of cycles from the last request to its response.
    """

    def __init__(self, dut):
        self.dut = dut
        self.latency = 0

    async def write(self, addr: int, data: int, strb: int = 0xF, **fields: int) -> int:
        """Returns the error code; modules without one give 0."""
        return (await self._access(host_write_i=1, host_addr_i=addr, host_wdata_i=data, host_strb_i=strb, **fields))[1]

    async def read(self, addr: int, strb: int = 0xF, **fields: int) -> tuple[int, int]:
        """Returns data and error code; `strb` are the bytes that are asked for."""
        return await self._access(host_write_i=0, host_addr_i=addr, host_strb_i=strb, **fields)

    async def _access(self, **fields):
        dut = self.dut
        for name, value in fields.items():
            if hasattr(dut, name):
                getattr(dut, name).value = value
        dut.host_valid_i.value = 1
        await RisingEdge(dut.clk_i)
        dut.host_valid_i.value = 0
        for self.latency in range(1, 100):
            await ReadOnly()
            answered = bool(dut.rsp_valid_o.value)
            if answered:
                data = int(dut.rsp_rdata_o.value)
                error = int(dut.rsp_error_o.value) if hasattr(dut, "rsp_error_o") else 0
            await RisingEdge(dut.clk_i)
            if answered:
                return data, error
        raise AssertionError(f"no response within {self.latency} cycles to {fields}")


def merge(old: int, new: int, strb: int) -> int:
    """The word `old` after a write of the bytes of `new` that `strb` names."""
    mask = sum(0xFF << 8 * byte for byte in range(4) if strb >> byte & 1)
    return old & ~mask | new & mask
