"""act_memory: raw and image window of the host, and the engine's ports, against a NumPy array [bank, address, lane]."""

import random

import cocotb
import numpy as np
from cocotb.triggers import ReadOnly, RisingEdge

from host_port import HostPort, start
from riffle.isa.spec import ERRORS, IMAGE_PITCH, LOG2S_MAX
from runner import simulate

ROWS, COLUMNS, DEPTH = 3, 3, 32
LANES = ROWS * COLUMNS
UNMAPPED = next(code for code, (name, *_) in ERRORS.items() if name == "BUS_UNMAPPED")


class Memory:
    """The module through its host port, and what it must hold."""

    def __init__(self, dut):
        self.dut, self.host = dut, HostPort(dut)
        self.model = np.zeros((4, DEPTH, LANES), np.uint8)

    async def start(self):
        await start(self.dut, host_image_i=0, image_base_i=0, image_log2s_i=0, act_raddr_i=0, act_we_i=0,
                    act_waddr_i=0, act_wdata_i=0, image_valid_i=0, image_banks_i=0, image_addr_i=0, image_word_i=0)
        for bank in range(4):
            for address in range(DEPTH):
                await self.engine_write(1 << bank, address, [random.randrange(256) for _ in range(LANES)])
        self.dut.act_we_i.value = 0
        await RisingEdge(self.dut.clk_i)

    async def engine_write(self, banks: int, address: int, lanes: list[int]):
        """Takes one cycle and leaves the write enable on."""
        self.dut.act_we_i.value, self.dut.act_waddr_i.value = banks, address
        self.dut.act_wdata_i.value = int.from_bytes(bytes(lanes), "little")
        await RisingEdge(self.dut.clk_i)
        for bank in range(4):
            if banks >> bank & 1:
                self.model[bank, address] = lanes

    async def write_raw(self, bank: int, address: int, group: int, data: int, strb: int):
        assert await self.host.write((address * 4 + bank) * 64 + 4 * group, data, strb, host_image_i=0) == 0
        for byte, lane in enumerate(range(4 * group, min(4 * group + 4, LANES))):
            if strb >> byte & 1:
                self.model[bank, address, lane] = data >> 8 * byte & 0xFF

    async def check_raw(self, bank: int, address: int, group: int):
        data, error = await self.host.read((address * 4 + bank) * 64 + 4 * group, host_image_i=0)
        row = np.pad(self.model[bank, address], (0, 64 - LANES))
        expected = int.from_bytes(row[4 * group:4 * group + 4].tobytes(), "little")
        assert (data, error) == (expected, 0), f"bank {bank}, address {address}, lanes from {4 * group}"
        assert self.host.latency - bank in (7, 8), "7, or 8 directly after a write"

    async def write_pixel(self, y: int, x: int, data: int, strb: int, base: int, log2s: int) -> bool:
        """Returns whether the pixel lies in the memory."""
        size = 1 << log2s
        address = base + y % size * size + x % size
        inside = log2s <= LOG2S_MAX and address < DEPTH and y // size < ROWS and x // size < COLUMNS
        error = await self.host.write(y * IMAGE_PITCH + x * 4, data, strb, host_image_i=1, image_base_i=base,
                                      image_log2s_i=log2s)
        assert error == (0 if inside else UNMAPPED), f"pixel {y}, {x}: base {base}, log2s {log2s}"
        for bank in range(4):
            if inside and strb >> bank & 1:
                self.model[bank, address, y // size * COLUMNS + x // size] = (data >> 8 * bank & 0xFF) ^ 0x80
        return inside

    async def check(self):
        """Everything, through the engine's port: one address a cycle, three cycles later its words."""
        got = []
        for address in [*range(DEPTH), 0, 0, 0]:
            self.dut.act_raddr_i.value = sum(address << k * (DEPTH - 1).bit_length() for k in range(4))
            await ReadOnly()
            got.append(int(self.dut.act_rdata_o.value).to_bytes(4 * LANES, "little"))
            await RisingEdge(self.dut.clk_i)
        words = np.frombuffer(b"".join(got[3:]), np.uint8).reshape(DEPTH, 4, LANES).transpose(1, 0, 2)
        wrong = np.argwhere(words != self.model)
        assert not len(wrong), f"{len(wrong)} bytes differ, the first at [bank, address, lane] {wrong[0]}"


async def idle(dut, cycles: int):
    for _ in range(cycles):
        await RisingEdge(dut.clk_i)


@cocotb.test()
async def engine_reads_each_bank_at_its_own_address(dut):
    memory = Memory(dut)
    await memory.start()
    await memory.check()
    width = (DEPTH - 1).bit_length()
    asked, got = [], []
    for _ in range(100):
        asked.append([random.randrange(DEPTH) for _ in range(4)])
        dut.act_raddr_i.value = sum(address << k * width for k, address in enumerate(asked[-1]))
        await ReadOnly()
        got.append(int(dut.act_rdata_o.value).to_bytes(4 * LANES, "little"))
        await RisingEdge(dut.clk_i)
    for addresses, words in zip(asked[:-3], got[3:], strict=True):
        assert words == b"".join(memory.model[k, address].tobytes() for k, address in enumerate(addresses))


@cocotb.test()
async def engine_reads_in_the_next_cycle_what_it_wrote(dut):
    memory = Memory(dut)
    await memory.start()
    for _ in range(40):
        address, banks = random.randrange(DEPTH), random.getrandbits(4)
        await memory.engine_write(banks, address, [random.randrange(256) for _ in range(LANES)])
        dut.act_we_i.value = 0
        dut.act_raddr_i.value = sum(address << k * (DEPTH - 1).bit_length() for k in range(4))
        await RisingEdge(dut.clk_i)
        dut.act_raddr_i.value = 0
        await idle(dut, 2)
        await ReadOnly()
        got = int(dut.act_rdata_o.value).to_bytes(4 * LANES, "little")
        assert got == memory.model[:, address].tobytes(), f"address {address}, banks {banks:04b}"
        await RisingEdge(dut.clk_i)
    await memory.check()


@cocotb.test()
async def raw_accesses_in_a_row_never_lose_a_byte(dut):
    memory = Memory(dut)
    await memory.start()
    groups = 0
    for _ in range(600):
        bank, address, group = random.randrange(4), random.choice([0, 1, DEPTH - 1]), random.choice([0, 1, 2, 3, 15])
        groups |= 1 << group
        if random.random() < 0.7:
            await memory.write_raw(bank, address, group, random.getrandbits(32), random.getrandbits(4))
        else:
            await memory.check_raw(bank, address, group)
        await idle(dut, random.choice([0, 0, 0, 1, 2, 3]))
    assert groups == 0b1000000000001111, "full, partial and empty groups of lanes"
    await idle(dut, 8)
    await memory.check()


@cocotb.test()
async def raw_accesses_beyond_the_depth_are_refused(dut):
    memory = Memory(dut)
    await memory.start()
    for address in (DEPTH, 2 * DEPTH, 2047):
        assert await memory.host.write(address * 256, 0x55AA55AA, host_image_i=0) == UNMAPPED
        assert (await memory.host.read(address * 256, host_image_i=0))[1] == UNMAPPED
        await memory.check_raw(0, 0, 0)
    await idle(dut, 8)
    await memory.check()


@cocotb.test()
@cocotb.parametrize(log2s=[0, 1, 2])
async def image_lands_in_lanes_and_phases(dut, log2s):
    memory = Memory(dut)
    await memory.start()
    size = 1 << log2s
    base = random.randrange(DEPTH - size * size + 1)
    pixels = [(y, x) for y in range(ROWS * size) for x in range(COLUMNS * size)]
    for y, x in pixels:
        assert await memory.write_pixel(y, x, random.getrandbits(32), 0xF, base, log2s)
    await idle(dut, 8)
    await memory.check()


@cocotb.test()
async def pixels_in_any_order_and_place(dut):
    memory = Memory(dut)
    await memory.start()
    inside = []
    for _ in range(600):
        log2s = random.choice([0, 0, 0, 0, 1, 2, 5, 6, 7])
        base = random.choice([0, 0, 1, DEPTH - 1, DEPTH, 65535])
        y, x = random.choice([0, 1, 2, 3, 5, 255]), random.choice([0, 1, 2, 3, 5, 255])
        inside.append(await memory.write_pixel(y, x, random.getrandbits(32), random.getrandbits(4), base, log2s))
        if random.random() < 0.1:
            await memory.check_raw(random.randrange(4), random.choice([0, DEPTH - 1]), random.randrange(3))
    assert 60 < sum(inside) < 500, "both pixels inside and outside"
    await idle(dut, 8)
    await memory.check()


@cocotb.test()
async def fetched_words_wait_for_engine_and_host(dut):
    """A word is written in the cycle in which it finds image_ready_o, and in no other."""
    memory = Memory(dut)
    await memory.start()
    ready = [await engine_and_fetched(memory, 200)]
    for _ in range(60):
        await engine_and_fetched(memory, random.randint(1, 12))
        place = random.randrange(4), random.randrange(4), random.randrange(3)
        host = cocotb.start_soon(memory.write_raw(*place, random.getrandbits(32), 0xF))
        left = 9  # cycles until the host's write has landed, and the engine may come
        while left:
            ready.append(await fetched_word(memory))
            left -= host.done()
        await host
    dut.image_valid_i.value = 0
    await idle(dut, 8)
    await memory.check()
    assert 100 < sum(ready) < len(ready) - 100, "both with and without a host access in the way"


async def fetched_word(memory: Memory) -> bool:
    """One cycle, perhaps with a word of a fetched image, in the upper half; whether there was room for it."""
    dut, valid, bank = memory.dut, random.random() < 0.7, random.randrange(3)
    address, lanes = random.randrange(DEPTH // 2, DEPTH), [random.randrange(256) for _ in range(LANES)]
    dut.image_valid_i.value, dut.image_banks_i.value, dut.image_addr_i.value = valid, 1 << bank, address
    dut.image_word_i.value = int.from_bytes(bytes(lanes), "little")
    await ReadOnly()
    ready = bool(dut.image_ready_o.value)
    if valid and ready:
        memory.model[bank, address] = lanes
    await RisingEdge(dut.clk_i)
    return ready


async def engine_and_fetched(memory: Memory, cycles: int) -> bool:
    """The engine writes in some of the cycles, and comes first."""
    dut = memory.dut
    for _ in range(cycles):
        banks, address = random.choice([0, 0, random.getrandbits(4)]), random.randrange(4, DEPTH // 2)
        lanes = [random.randrange(256) for _ in range(LANES)]
        dut.act_we_i.value, dut.act_waddr_i.value = banks, address
        dut.act_wdata_i.value = int.from_bytes(bytes(lanes), "little")
        ready = await fetched_word(memory)
        assert ready == (banks == 0), "only the engine is in the way"
        for bank in range(4):
            if banks >> bank & 1:
                memory.model[bank, address] = lanes
    dut.act_we_i.value = 0
    return ready


@cocotb.test()
async def a_write_takes_four_cycles(dut):
    memory = Memory(dut)
    await memory.start()
    latencies = []
    for _ in range(20):
        await memory.write_pixel(1, 1, random.getrandbits(32), 0xF, 0, 1)
        latencies.append(memory.host.latency)
        await idle(dut, 1)  # what the bus needs from a response to the next request
    assert max(latencies) == 2, latencies
    await idle(dut, 8)
    await memory.check()


def test_act_memory():
    simulate("act_memory", __file__, Rows=ROWS, Columns=COLUMNS, Depth=DEPTH)
