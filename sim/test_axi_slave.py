"""axi_slave: random bursts with back-pressure on every side, refused bursts, turns and throughput."""

import itertools
import random
from dataclasses import dataclass, field

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge
from cocotbext.axi import AxiBurstType, AxiBus, AxiMaster, AxiResp

from ports import drive
from riffle.isa.spec import ERRORS
from runner import simulate

CODES = {name: code for code, (name, *_) in ERRORS.items()}
SIZE = 3072  # bytes of memory behind the host bus; what lies beyond is answered with BUS_UNMAPPED

LIMIT = {"timeout_time": 1, "timeout_unit": "ms"}  # a bus that hangs fails the test


@dataclass
class Target:
    """Memory behind the host bus; answers after 1 to 1 + `slowest` cycles."""

    dut: object
    slowest: int
    memory: bytearray = field(default_factory=lambda: bytearray(random.randbytes(SIZE)))
    accesses: list[tuple[bool, int, int]] = field(default_factory=list)  # write, address, strobes
    errors: list[tuple[int, int]] = field(default_factory=list)  # reported on the error port: code, offset

    async def serve(self):
        dut = self.dut
        dut.rsp_valid_i.value, dut.rsp_error_i.value = 0, 0
        while True:
            await ReadOnly()
            requested = bool(dut.req_valid_o.value)
            request = self._request() if requested else None
            await RisingEdge(dut.clk_i)
            if not requested:
                continue
            for _ in range(random.randint(0, self.slowest)):
                await ReadOnly()
                assert not dut.req_valid_o.value and self._request() == request, "one request, which stays"
                await RisingEdge(dut.clk_i)
            data, error = self._answer(*request)
            dut.rsp_valid_i.value, dut.rsp_rdata_i.value, dut.rsp_error_i.value = 1, data, error
            await ReadOnly()
            assert not dut.req_valid_o.value, "a request before the answer to the last one"
            await RisingEdge(dut.clk_i)
            dut.rsp_valid_i.value, dut.rsp_error_i.value = 0, 0

    async def watch_errors(self):
        while True:
            await ReadOnly()
            if self.dut.error_valid_o.value:
                self.errors.append((int(self.dut.error_code_o.value), int(self.dut.error_offset_o.value)))
            await RisingEdge(self.dut.clk_i)

    def _request(self):
        dut = self.dut
        write = bool(dut.req_write_o.value)
        return write, int(dut.req_addr_o.value), int(dut.req_wdata_o.value) * write, int(dut.req_strb_o.value)

    def _answer(self, write: bool, addr: int, data: int, strb: int) -> tuple[int, int]:
        assert addr % 4 == 0
        self.accesses.append((write, addr, strb))
        if addr >= SIZE:
            return 0xDEADBEEF, CODES["BUS_UNMAPPED"]
        if write:
            assert strb, "a write without strobes reached the host bus"
            for byte in range(4):
                if strb >> byte & 1:
                    self.memory[addr + byte] = data >> 8 * byte & 0xFF
        return int.from_bytes(self.memory[addr:addr + 4], "little"), 0


async def start(dut, slowest: int = 0, stall: float = 0.0) -> tuple[AxiMaster, Target]:
    """The slave between an AXI master and a memory, both pausing as told."""
    master = AxiMaster(AxiBus.from_prefix(dut, "s_axi"), dut.clk_i, dut.rst_ni, reset_active_level=False)
    target = await start_target(dut, slowest)
    if stall:
        writes, reads = master.write_if, master.read_if
        for channel in (writes.aw_channel, writes.w_channel, writes.b_channel, reads.ar_channel, reads.r_channel):
            channel.set_pause_generator(random.random() < stall for _ in itertools.count())
    return master, target


async def start_target(dut, slowest: int = 0) -> Target:
    drive(dut, {"slverr_i": 1, "rsp_valid_i": 0, "rsp_rdata_i": 0, "rsp_error_i": 0}, bench=["s_axi_*"])
    Clock(dut.clk_i, 10, unit="ns").start()
    dut.rst_ni.value = 0
    target = Target(dut, slowest)
    for _ in range(3):
        await RisingEdge(dut.clk_i)
    dut.rst_ni.value = 1
    cocotb.start_soon(target.serve())
    cocotb.start_soon(target.watch_errors())
    await RisingEdge(dut.clk_i)
    return target


@cocotb.test(**LIMIT)
@cocotb.parametrize(slowest=[0, 7], stall=[0.0, 0.4])
async def bursts_of_every_size_and_length(dut, slowest, stall):
    master, target = await start(dut, slowest, stall)
    expected = bytearray(target.memory)
    seen = set()
    for _ in range(60):
        size = random.choice([0, 1, 2])
        length = random.choice([1, 2, 3, 4, 5, random.randint(1, 200), (1 << size) * random.choice([16, 256])])
        addr = random.randrange(0, SIZE - length, 1 << size)
        axi_id = random.getrandbits(12)
        if random.random() < 0.5:
            data = random.randbytes(length)
            assert (await master.write(addr, data, awid=axi_id, size=size)).resp == AxiResp.OKAY
            expected[addr:addr + length] = data
        else:
            read = await master.read(addr, length, arid=axi_id, size=size)
            assert (read.resp, read.data) == (AxiResp.OKAY, expected[addr:addr + length])
        seen.add((size, length > 4))
    assert target.memory == expected and not target.errors
    assert len(seen) == 6, "single beats and bursts of all three sizes"


@cocotb.test(**LIMIT)
async def fixed_bursts_stay_at_their_address(dut):
    master, target = await start(dut, slowest=2, stall=0.2)
    data = random.randbytes(64)
    assert (await master.write(0x40, data, burst=AxiBurstType.FIXED)).resp == AxiResp.OKAY
    assert target.accesses == [(True, 0x40, 0xF)] * 16 and target.memory[0x40:0x44] == data[-4:]
    read = await master.read(0x40, 32, burst=AxiBurstType.FIXED)
    assert (read.resp, read.data) == (AxiResp.OKAY, data[-4:] * 8)


@cocotb.test(**LIMIT)
@cocotb.parametrize(stall=[0.0, 0.4])
async def refused_bursts_are_answered_and_make_no_access(dut, stall):
    master, target = await start(dut, 0, stall)
    before = bytes(target.memory)
    expected = []
    for _ in range(40):
        kind = random.choice(["BUS_MISALIGNED", "BUS_BURST"])
        size = random.choice([1, 2])
        low = random.randrange(1, 4) if size == 2 else random.choice([1, 3])
        addr = 4 * random.randrange(100) + (low if kind == "BUS_MISALIGNED" else 0)
        burst = AxiBurstType.INCR if kind == "BUS_MISALIGNED" else AxiBurstType.WRAP
        length = random.choice([1, 8, 32])
        if random.random() < 0.5:
            answer = await master.write(addr, random.randbytes(length), burst=burst, size=size)
        else:
            answer = await master.read(addr, length, burst=burst, size=size)
        assert answer.resp == AxiResp.SLVERR
        expected.append((CODES[kind], addr))
    assert target.errors == expected, "one report of each burst"
    assert not target.accesses and target.memory == before
    assert (await master.read(0, 64)).data == before[:64], "the next access is right"


@cocotb.test(**LIMIT)
async def a_failed_beat_fails_the_write_and_that_beat_of_a_read(dut):
    master, target = await start(dut, slowest=2, stall=0.2)
    addr = SIZE - 8  # two beats inside, two beyond
    responses = []

    async def watch():
        while True:
            await ReadOnly()
            if dut.s_axi_rvalid.value and dut.s_axi_rready.value:
                responses.append((int(dut.s_axi_rresp.value), bool(dut.s_axi_rlast.value)))
            await RisingEdge(dut.clk_i)

    cocotb.start_soon(watch())
    assert (await master.write(addr, bytes(16))).resp == AxiResp.SLVERR
    assert target.memory[addr:] == bytes(8), "the beats inside were written"
    assert (await master.read(addr, 16)).resp == AxiResp.SLVERR
    assert responses == [(0, False), (0, False), (2, False), (2, True)]
    assert target.errors == [(CODES["BUS_UNMAPPED"], SIZE), (CODES["BUS_UNMAPPED"], SIZE + 4)] * 2
    assert (await master.write(addr, bytes(8))).resp == AxiResp.OKAY, "the next write is not failed by the last"


async def write_by_hand(dut, addr: int, size: int, data: int, strobes: list[int]):
    """A burst of what the master's model never sends; it must not be there, since it drives the same signals."""
    dut.s_axi_arvalid.value, dut.s_axi_rready.value, dut.s_axi_bready.value = 0, 0, 1
    dut.s_axi_awid.value, dut.s_axi_awaddr.value, dut.s_axi_awlen.value = 5, addr, len(strobes) - 1
    dut.s_axi_awsize.value, dut.s_axi_awburst.value, dut.s_axi_awvalid.value = size, 1, 1
    await handshake(dut, "aw")
    dut.s_axi_awvalid.value = 0
    dut.s_axi_wdata.value, dut.s_axi_wvalid.value, dut.s_axi_wlast.value = data, 1, 0
    for strb in strobes:
        dut.s_axi_wstrb.value = strb
        await handshake(dut, "w")
    dut.s_axi_wvalid.value = 0
    await handshake(dut, "b")


async def handshake(dut, channel: str):
    """Wait until the channel's valid meets its ready."""
    met = False
    while not met:
        await ReadOnly()
        met = all(bool(getattr(dut, f"s_axi_{channel}{side}").value) for side in ("valid", "ready"))
        await RisingEdge(dut.clk_i)


@cocotb.test(**LIMIT)
async def a_beat_without_strobes_does_nothing(dut):
    dut.s_axi_arvalid.value, dut.s_axi_awvalid.value, dut.s_axi_wvalid.value = 0, 0, 0
    target = await start_target(dut)
    before = bytes(target.memory)
    await write_by_hand(dut, 16, 2, 0x11223344, [0, 0b0100, 0, 0])
    assert target.accesses == [(True, 20, 0b0100)]
    assert target.memory == before[:22] + b"\x22" + before[23:]


@cocotb.test(**LIMIT)
async def a_narrow_beat_writes_no_byte_beside_it(dut):
    dut.s_axi_arvalid.value, dut.s_axi_awvalid.value, dut.s_axi_wvalid.value = 0, 0, 0
    target = await start_target(dut)
    await write_by_hand(dut, 17, 0, 0x11223344, [0xF] * 4)
    await write_by_hand(dut, 24, 1, 0x11223344, [0xF] * 2)
    assert [strb for _, _, strb in target.accesses] == [0b0010, 0b0100, 0b1000, 0b0001, 0b0011, 0b1100]
    assert target.memory[17:21] == b"\x33\x22\x11\x44"


@cocotb.test(**LIMIT)
async def a_narrow_read_asks_for_its_bytes(dut):
    master, target = await start(dut)
    await master.read(17, 4, size=0)
    await master.read(24, 4, size=1)
    await master.read(32, 8)
    assert target.accesses == [(False, addr, strb) for addr, strb in (
        (16, 0b0010), (16, 0b0100), (16, 0b1000), (20, 0b0001), (24, 0b0011), (24, 0b1100), (32, 0xF), (36, 0xF))]


@cocotb.test(**LIMIT)
async def errors_are_answered_with_okay_where_slverr_is_not_wanted(dut):
    master, target = await start(dut, slowest=2, stall=0.2)
    dut.slverr_i.value = 0
    addr = SIZE - 4  # one beat inside, one beyond
    assert (await master.write(addr, bytes(range(1, 9)))).resp == AxiResp.OKAY
    read = await master.read(addr, 8)
    assert (read.resp, read.data) == (AxiResp.OKAY, bytes([1, 2, 3, 4, 0, 0, 0, 0])), "what is refused reads 0"
    assert (await master.write(2, bytes(4), size=2)).resp == AxiResp.OKAY
    read = await master.read(0, 16, burst=AxiBurstType.WRAP)
    assert (read.resp, read.data) == (AxiResp.OKAY, bytes(16))
    codes = [("BUS_UNMAPPED", SIZE), ("BUS_UNMAPPED", SIZE), ("BUS_MISALIGNED", 2), ("BUS_BURST", 0)]
    assert target.errors == [(CODES[name], offset) for name, offset in codes]


@cocotb.test(**LIMIT)
async def reads_and_writes_take_turns(dut):
    master, target = await start(dut)
    writes = [cocotb.start_soon(master.write(4 * i, bytes(4))) for i in range(30)]
    reads = [cocotb.start_soon(master.read(2048 + 4 * i, 4)) for i in range(30)]
    for task in [*writes, *reads]:
        await task
    kinds = [write for write, *_ in target.accesses]
    assert all(a != b for a, b in itertools.pairwise(kinds[4:-4])), "neither side waits for more than one burst"


@cocotb.test(**LIMIT)
async def a_write_beat_takes_three_cycles_and_a_read_beat_four(dut):
    master, target = await start(dut)
    for action, cycles in ((master.write(0, bytes(1024)), 3), (master.read(0, 1024), 4)):
        begin = cocotb.utils.get_sim_time("ns")
        await action
        assert (cocotb.utils.get_sim_time("ns") - begin) / 10 < 256 * cycles + 20
    assert len(target.accesses) == 512


def test_axi_slave():
    simulate("axi_slave", __file__)
