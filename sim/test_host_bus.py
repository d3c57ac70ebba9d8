"""host_bus: every window reaches its target, everything else an error."""

import itertools
import random

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge

from host_port import start
from riffle.isa.spec import ERRORS, SEGMENT_SIZE, WINDOWS
from runner import simulate

CODES = {name: code for code, (name, *_) in ERRORS.items()}
TARGETS = {"REGISTERS": 0, "PROGRAM": 1, "LOG": 2, "WEIGHTS": 3, "IMAGE": 4, "ACTIVATIONS": 4}
ALWAYS = {"REGISTERS", "LOG"}  # may be accessed while the engine runs


def window_of(addr: int) -> str | None:
    return next((name for name, (offset, size) in WINDOWS.items() if offset <= addr < offset + size), None)


def expected_error(window: str | None, write: bool, running: bool, ring: bool, fetching: bool) -> str:
    if window is None:
        return "BUS_UNMAPPED"
    if (window == "LOG" and write) or (window == "IMAGE" and not write):
        return "BUS_ACCESS"
    if fetching and TARGETS[window] == TARGETS["ACTIVATIONS"]:
        return "BUS_BUSY"
    open_now = window in ALWAYS or (window == "WEIGHTS" and write and ring)
    return "BUS_BUSY" if running and not open_now else "NONE"


async def access(dut, addr: int, write: bool, running: bool, ring: bool, fetching: bool) -> tuple[int, bool, int, int]:
    """Pulses of target_o, image_o with them, response data and error; the target answers after 1 to 4 cycles."""
    dut.req_valid_i.value, dut.req_addr_i.value, dut.req_write_i.value = 1, addr, write
    dut.running_i.value, dut.ring_i.value, dut.fetching_i.value = running, ring, fetching
    await RisingEdge(dut.clk_i)
    dut.req_valid_i.value = 0
    await ReadOnly()
    target, image = int(dut.target_o.value), bool(dut.image_o.value)
    if not target:
        assert not dut.rsp_valid_o.value
        await RisingEdge(dut.clk_i)
        await ReadOnly()
        assert dut.rsp_valid_o.value, "an error is answered two cycles after the request"
        error = int(dut.rsp_error_o.value)
        await RisingEdge(dut.clk_i)
        return 0, False, 0, error
    for _ in range(random.randint(1, 4)):
        assert not dut.rsp_valid_o.value
        await RisingEdge(dut.clk_i)
        await ReadOnly()
        assert not dut.target_o.value, "one pulse"
    await RisingEdge(dut.clk_i)
    dut.rsp_valid_i.value = target
    await RisingEdge(dut.clk_i)
    dut.rsp_valid_i.value = 0
    await ReadOnly()
    assert dut.rsp_valid_o.value
    answer = int(dut.rsp_rdata_o.value), int(dut.rsp_error_o.value)
    await RisingEdge(dut.clk_i)
    return target, image, *answer


@cocotb.test()
async def windows_reach_their_targets(dut):
    data = [random.getrandbits(32) for _ in range(5)]
    errors = [0, 0, 0, CODES["BUS_UNMAPPED"], 0]
    await start(dut, running_i=0, ring_i=0, fetching_i=0, req_valid_i=0, req_write_i=0, req_addr_i=0, rsp_valid_i=0,
                rsp_rdata_i=sum(value << 32 * k for k, value in enumerate(data)),
                rsp_error_i=sum(value << 8 * k for k, value in enumerate(errors)))

    edges = [edge for offset, size in WINDOWS.values() for edge in (offset, offset + size)]
    edges = [addr for edge in edges for addr in (edge - 4, edge) if 0 <= addr < SEGMENT_SIZE] + [SEGMENT_SIZE - 4]
    flags = list(itertools.product((False, True), repeat=4))
    cases = [(addr, *each) for addr in edges for each in flags]
    cases += [(random.randrange(0, SEGMENT_SIZE, 4), *random.choice(flags)) for _ in range(200)]
    seen = set()
    for addr, write, running, ring, fetching in cases:
        window = window_of(addr)
        error = expected_error(window, write, running, ring, fetching)
        if error == "NONE":
            k = TARGETS[window]
            expected = (1 << k, window == "IMAGE", data[k], errors[k])
        else:
            expected = (0, False, 0, CODES[error])
        what = f"{addr:#x} in {window}, write {write}, running {running}, ring {ring}, fetching {fetching}"
        assert await access(dut, addr, write, running, ring, fetching) == expected, what
        seen.add((window, error))
    assert len(seen) == 6 + 1 + 2 + 4, "each window, nothing, both wrong ways, and the four that must wait"


def test_host_bus():
    simulate("host_bus", __file__)
