"""riffle: the whole accelerator through its AXI segment, as a processor uses it."""

import itertools
import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiBurstType, AxiBus, AxiMaster, AxiResp

from burst_memory import AxiMemory
from ports import drive
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_headers, pack_program
from riffle.isa.emulator import execute
from riffle.isa.layout import to_words
from runner import simulate

ROWS, COLUMNS, ACTIVATION_DEPTH, WEIGHT_DEPTH = 2, 3, 64, 96
LANES = ROWS * COLUMNS
CODES = {name: code for code, (name, *_) in spec.ERRORS.items()}
LIMIT = {"timeout_time": 2, "timeout_unit": "ms"}  # a bus that hangs fails the test


MEMORIES = {  # delay of the memory behind m_axi, its pauses between beats, cycles in which it takes no address
    "fast": (0, 0.0, 0.0), "far": (300, 0.0, 0.0), "mixed": (40, 0.3, 0.5)}
SILENT = {"none": (0, 0.0, 1.0)}  # it takes no address
RESIDENT, HOST, DDR = spec.StreamSource
START, ABORT, FETCH, FETCHING, READING = (1 << spec.REGISTER_FIELDS["CTRL"][name][0]
                                          for name in ("START", "ABORT", "FETCH", "FETCHING", "READING"))


class Accelerator:
    """Windows and registers through an AXI master, and a memory that it reads by itself."""

    def __init__(self, dut, memory: str = "fast"):
        self.dut = dut
        drive(dut, {}, bench=["s_axi_*", "m_axi_*"])
        self.memory = AxiMemory(dut, *(MEMORIES | SILENT)[memory])
        self.axi = AxiMaster(AxiBus.from_prefix(dut, "s_axi"), dut.aclk, dut.aresetn, reset_active_level=False)

    async def start(self, stall: float = 0.0):
        Clock(self.dut.aclk, 10, unit="ns").start()
        cocotb.start_soon(self.memory.serve())
        await self.reset(3)
        await self.write("BUS", 1)  # SLVERR: what is refused is seen at once
        writes, reads = self.axi.write_if, self.axi.read_if
        for channel in (writes.aw_channel, writes.w_channel, writes.b_channel, reads.ar_channel, reads.r_channel):
            if stall:
                channel.set_pause_generator(random.random() < stall for _ in itertools.count())
        return self

    async def reset(self, cycles: int):
        """The memory goes on."""
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, cycles)
        self.dut.aresetn.value = 1

    async def put(self, window: str, offset: int, data: bytes):
        written = await self.axi.write(spec.WINDOWS[window][0] + offset, data)
        assert written.resp == AxiResp.OKAY, f"{window} + {offset:#x}: {await self.error()}"

    async def get(self, window: str, offset: int, length: int) -> bytes:
        read = await self.axi.read(spec.WINDOWS[window][0] + offset, length)
        assert read.resp == AxiResp.OKAY, f"{window} + {offset:#x}: {await self.error()}"
        return read.data

    async def read(self, register: str) -> int:
        return int.from_bytes(await self.get("REGISTERS", spec.REGISTERS[register], 4), "little")

    async def write(self, register: str, value: int):
        await self.put("REGISTERS", spec.REGISTERS[register], value.to_bytes(4, "little"))

    async def error(self) -> tuple[str, int]:
        return spec.ERRORS[await self.read("ERROR")][0], await self.read("ERROR_INFO")

    async def refused(self, code: str, action, offset: int):
        """`action`, a read or write of this master, is answered with SLVERR and reported; clears the report."""
        assert (await action).resp == AxiResp.SLVERR, f"{code} at {offset:#x}"
        assert await self.error() == (code, offset)
        await self.write("ERROR", 0)

    async def load(self, memory: np.ndarray):
        """The first activations, int8 [4][addresses][lanes]."""
        rows = np.zeros((memory.shape[1], 4, 64), np.int8)
        rows[:, :, :LANES] = memory.transpose(1, 0, 2)
        await self.put("ACTIVATIONS", 0, rows.tobytes())

    async def activations(self, addresses: int = ACTIVATION_DEPTH) -> np.ndarray:
        """The same, read."""
        data = await self.get("ACTIVATIONS", 0, addresses * 256)
        rows = np.frombuffer(data, np.int8).reshape(addresses, 4, 64)
        assert not rows[:, :, LANES:].any(), "bytes beyond the lanes read 0"
        return rows[:, :, :LANES].transpose(1, 0, 2)

    async def prepare(self, descriptors: list[Descriptor], stream: bytes = b"", first: int = 0):
        if descriptors:
            await self.put("PROGRAM", 32 * first, pack_program(descriptors).tobytes())
        if stream:
            await self.put("WEIGHTS", 0, stream)
        await self.write("PROGRAM_FIRST", first)
        await self.write("PROGRAM_LENGTH", len(descriptors))
        await self.write("STREAM_LENGTH", len(stream) // 16)
        await self.write("GIER", 1)
        await self.write("IER", 3)

    async def run(self, command: int = START) -> str:
        """START, wait for the interrupt, acknowledge it; returns the name of the error."""
        await self.write("CTRL", command)
        return await self.wait()

    async def wait(self) -> str:
        if not self.dut.interrupt.value:
            await with_timeout(RisingEdge(self.dut.interrupt), 500, "us")
        code = await self.read("ERROR")
        assert await self.read("ISR") == (2 if code else 1)
        assert await self.read("CTRL") & ~READING == 0b1110, "done, idle, ready"
        await self.write("ISR", 3)
        await ClockCycles(self.dut.aclk, 4)
        assert not self.dut.interrupt.value
        return spec.ERRORS[code][0]


def random_memory() -> np.ndarray:
    return np.frombuffer(random.randbytes(4 * ACTIVATION_DEPTH * LANES), np.int8).reshape(4, ACTIVATION_DEPTH, LANES)


def pool(blocks: int) -> Descriptor:
    """Maximum over `blocks` blocks with 4x4 phases at address 0, written to address 32."""
    return Descriptor(opcode=spec.OPCODES["MAXPOOL"], log2s=2, taps9=1, stride2=1, fill=-128, out_base=32,
                      pair_step=4, blocks=1, groups=1, group_outputs=2 * blocks, modulus=2, step_low=1, step_high=4)


def pointwise() -> tuple[Descriptor, bytes]:
    """Eight channels with 2x2 phases at address 0 into four at address 16, shuffled; its weight stream."""
    rng = np.random.default_rng(random.getrandbits(32))
    bias, multiplier = rng.integers(-4000, 4000, (2, 2)), rng.integers(2**15, 2**17, (2, 2))
    headers = pack_headers(bias, multiplier, np.full((2, 2), 25), 2)
    weights = rng.integers(-127, 128, (2, 16), np.int8).view(np.uint8)
    descriptor = Descriptor(opcode=spec.OPCODES["CONV"], log2s=1, fill=-128, zero_point=3, out_base=16, blocks=2,
                            groups=1, group_outputs=4, modulus=2, step_low=2, step_high=1)
    return descriptor, np.concatenate([headers, weights], axis=1).tobytes()


@cocotb.test(**LIMIT)
async def identity(dut):
    accelerator = await Accelerator(dut).start()
    assert await accelerator.read("ID") == spec.ID_VALUE
    assert await accelerator.read("SPEC_HASH") == spec.SPEC_HASH
    assert await accelerator.read("CAPS") == ROWS | COLUMNS << 4 | 1 << 12
    assert await accelerator.read("DEPTHS") == ACTIVATION_DEPTH | WEIGHT_DEPTH << 16
    assert await accelerator.error() == ("NONE", 0)


@cocotb.test(**LIMIT)
@cocotb.parametrize(stall=[0.0, 0.4])
async def memories_take_bulk_writes(dut, stall):
    accelerator = await Accelerator(dut).start(stall)
    program = random.randbytes(spec.WINDOWS["PROGRAM"][1] // 4)
    weights = random.randbytes(16 * WEIGHT_DEPTH)
    memory = random_memory()
    await accelerator.put("PROGRAM", 0, program)
    await accelerator.put("WEIGHTS", 0, weights)
    await accelerator.load(memory)
    assert await accelerator.get("PROGRAM", 0, len(program)) == program
    assert await accelerator.get("WEIGHTS", 0, len(weights)) == weights
    assert (await accelerator.activations() == memory).all()
    await accelerator.put("WEIGHTS", 16, b"\x11\x22\x33")
    assert await accelerator.get("WEIGHTS", 16, 4) == b"\x11\x22\x33" + weights[19:20], "strobes"
    await accelerator.get("LOG", 0, 4096)
    assert await accelerator.error() == ("NONE", 0)


@cocotb.test(**LIMIT)
async def image_is_written_row_by_row(dut):
    accelerator = await Accelerator(dut).start()
    base, log2s = 7, 2
    memory = random_memory().copy()
    await accelerator.load(memory)
    await accelerator.write("IMAGE", base | log2s << 16)
    image = np.frombuffer(random.randbytes((ROWS * COLUMNS * 4) << 2 * log2s), np.uint8)
    image = image.reshape(ROWS << log2s, COLUMNS << log2s, 4)
    for y, row in enumerate(image):
        await accelerator.put("IMAGE", y * spec.IMAGE_PITCH, row.tobytes())
    maps = (image.transpose(2, 0, 1) ^ 0x80).view(np.int8)
    memory[:, base:base + (1 << 2 * log2s)] = to_words(maps, ROWS, COLUMNS)
    assert (await accelerator.activations() == memory).all()
    outside = (ROWS << log2s) * spec.IMAGE_PITCH
    offset = spec.WINDOWS["IMAGE"][0] + outside
    await accelerator.refused("BUS_UNMAPPED", accelerator.axi.write(offset, bytes(4)), offset)


@cocotb.test(**LIMIT)
async def wrong_accesses_are_answered_and_reported(dut):
    accelerator = await Accelerator(dut).start(0.2)
    axi = accelerator.axi
    at = {name: offset for name, (offset, _) in spec.WINDOWS.items()}
    weights_end, activations_end = at["WEIGHTS"] + 16 * WEIGHT_DEPTH, at["ACTIVATIONS"] + 256 * ACTIVATION_DEPTH
    for offset in (max(spec.REGISTERS.values()) + 4, 0x400, 0x20000, weights_end, activations_end, 0x1FFFFC):
        await accelerator.refused("BUS_UNMAPPED", axi.write(offset, bytes(4)), offset)
        await accelerator.refused("BUS_UNMAPPED", axi.read(offset, 4), offset)
    await accelerator.refused("BUS_UNMAPPED", axi.write(weights_end - 8, bytes(16)), weights_end)
    for offset in (at["PROGRAM"] + 2, at["ACTIVATIONS"] + 1):
        await accelerator.refused("BUS_MISALIGNED", axi.write(offset, bytes(4)), offset)
        await accelerator.refused("BUS_MISALIGNED", axi.read(offset, 4), offset)
    offset = at["WEIGHTS"]
    await accelerator.refused("BUS_BURST", axi.read(offset, 16, burst=AxiBurstType.WRAP), offset)
    for offset in (spec.REGISTERS["ID"], at["LOG"] + 8):
        await accelerator.refused("BUS_ACCESS", axi.write(offset, bytes(4)), offset)
    await accelerator.refused("BUS_ACCESS", axi.read(at["IMAGE"], 4), at["IMAGE"])
    assert not dut.interrupt.value


@cocotb.test(**LIMIT)
async def refused_accesses_are_okay_unless_slverr_is_wanted(dut):
    accelerator = await Accelerator(dut).start()
    await accelerator.write("BUS", 0)
    for offset in (0x20000, spec.WINDOWS["IMAGE"][0], spec.WINDOWS["ACTIVATIONS"][0] + 256 * ACTIVATION_DEPTH):
        read = await accelerator.axi.read(offset, 4)
        assert (read.resp, read.data) == (AxiResp.OKAY, bytes(4))
        assert (await accelerator.error())[1] == offset
        await accelerator.write("ERROR", 0)
    assert (await accelerator.axi.write(spec.REGISTERS["ID"], bytes(4))).resp == AxiResp.OKAY
    await accelerator.prepare([pool(1)])
    await accelerator.write("CTRL", 1)
    await with_timeout(RisingEdge(dut.interrupt), 500, "us")
    assert await accelerator.error() == ("BUS_ACCESS", spec.REGISTERS["ID"]), "START has not taken it away"
    assert await accelerator.read("ISR") == 1


@cocotb.test(**LIMIT)
async def a_narrow_read_beside_done_does_not_clear_it(dut):
    accelerator = await Accelerator(dut).start()
    await accelerator.prepare([pool(1)])
    await accelerator.write("CTRL", 1)
    await with_timeout(RisingEdge(dut.interrupt), 500, "us")
    for offset, size in ((1, 0), (3, 0), (2, 1)):
        await accelerator.axi.read(offset, 1 << size, size=size)
    assert (await accelerator.axi.read(0, 1, size=0)).data == bytes([0b1110])
    assert await accelerator.read("CTRL") == 0b1100


@cocotb.test(**LIMIT)
async def an_image_that_does_not_fit_is_told_when_nobody_waits_for_it(dut):
    """And ends the run that waits; the run after it is right."""
    accelerator = await Accelerator(dut).start()
    expected = random_memory().copy()
    await accelerator.load(expected)
    await accelerator.prepare([pool(1)])
    for image, address in ((0, 0), (6 << 16, 0), (7 << 16, 0), (1 << 16, 64), (1 << 16 | ACTIVATION_DEPTH - 3, 0),
                           (1 << 16, (1 << 32) - 128 & ~127)):
        if address > 1 << 31:
            image |= 1 << 17  # log2s 3: 1536 bytes
        await accelerator.write("IMAGE", image)
        await accelerator.write("IMAGE_ADDRESS", address)
        await accelerator.write("CTRL", 1 << 9)
        await ClockCycles(dut.aclk, 20)
        assert dut.interrupt.value and await accelerator.error() == ("BAD_IMAGE", 0)
        assert await accelerator.read("ISR") == 2 and await accelerator.read("CTRL") == 0b1100, "no run, no fetch"
        await accelerator.write("ISR", 3)
        assert await accelerator.run() == "NONE", "a run that has nothing to do with the image"
        execute(expected, [pool(1)], b"", ROWS, COLUMNS)
        await accelerator.write("CTRL", 1 | 1 << 9)
        assert await accelerator.wait() == "BAD_IMAGE", "a run that waits for it"
    assert (await accelerator.activations() == expected).all()


@cocotb.test(**LIMIT)
async def what_a_fetch_reads_late_cannot_be_changed(dut):
    accelerator = await Accelerator(dut, "none").start()
    axi, at = accelerator.axi, spec.REGISTERS
    memory = random_memory()
    await accelerator.load(memory)
    await accelerator.write("IMAGE", 1 << 16)
    await accelerator.write("IMAGE_ADDRESS", 0x1000)
    await accelerator.write("CTRL", 1 << 9)  # which never ends
    for name in ("IMAGE", "IMAGE_ADDRESS", "IMAGE_AFTER"):
        await accelerator.refused("BUS_BUSY", axi.write(at[name], bytes(4)), at[name])
    for window in ("ACTIVATIONS", "IMAGE"):
        offset = spec.WINDOWS[window][0]
        await accelerator.refused("BUS_BUSY", axi.write(offset, bytes(4)), offset)
    await accelerator.refused("BUS_BUSY", axi.read(spec.WINDOWS["ACTIVATIONS"][0], 4), spec.WINDOWS["ACTIVATIONS"][0])
    await accelerator.refused("BUS_BUSY", axi.write(0, b"\x01\x02\0\0"), 0)
    assert await accelerator.read("CTRL") & ~READING == 0b1100 | FETCHING, "START with FETCH is refused whole"
    assert (await accelerator.read("IMAGE"), await accelerator.read("IMAGE_ADDRESS")) == (1 << 16, 0x1000)
    await accelerator.write("CTRL", ABORT)
    assert await accelerator.read("CTRL") & ~READING == 0b1100
    assert (await accelerator.activations() == memory).all()


@cocotb.test(**LIMIT)
async def settings_of_a_run_may_be_written_for_the_next_one(dut):
    """All that START samples; STREAM_SOURCE, which it does not, is refused."""
    accelerator = await Accelerator(dut).start()
    expected = random_memory().copy()
    await accelerator.load(expected)
    descriptors, (convolution, stream) = [pool(2)] * 20, pointwise()
    descriptors.append(convolution)
    await accelerator.prepare(descriptors, stream)
    execute(expected, descriptors, stream, ROWS, COLUMNS)
    await accelerator.write("CTRL", 1)
    for name, value in (("PROGRAM_FIRST", 255), ("PROGRAM_LENGTH", 0), ("STREAM_BASE", 99), ("STREAM_LENGTH", 0),
                        ("STREAM_ADDRESS", 0x1008), ("LANE", 63), ("WATCHDOG", 0)):
        await accelerator.write(name, value)
    await accelerator.refused("BUS_BUSY", accelerator.axi.write(spec.REGISTERS["STREAM_SOURCE"], b"\x02\0\0\0"),
                              spec.REGISTERS["STREAM_SOURCE"])
    assert await accelerator.wait() == "NONE"
    assert (await accelerator.activations() == expected).all()


@cocotb.test(**LIMIT)
async def the_stream_in_memory_is_judged_when_a_run_starts(dut):
    accelerator = await Accelerator(dut).start()
    await accelerator.prepare([pool(2)] * 20)
    await accelerator.write("STREAM_SOURCE", 2)
    for source, address, length in ((2, 0x1008, 0), (2, (1 << 32) - 16, 2), (3, 0, 0)):
        await accelerator.write("STREAM_SOURCE", source)
        await accelerator.write("STREAM_ADDRESS", address)
        await accelerator.write("STREAM_LENGTH", length)
        assert await accelerator.run() == "BAD_STREAM"
    await accelerator.write("STREAM_SOURCE", 2)
    await accelerator.write("STREAM_ADDRESS", 0x1000)
    await accelerator.write("CTRL", 1)
    await accelerator.write("STREAM_ADDRESS", 0x1008)  # for a run that does not come
    assert await accelerator.wait() == "NONE"


@cocotb.test(**LIMIT)
async def programs_that_do_not_exist_are_refused(dut):
    accelerator = await Accelerator(dut).start()
    await accelerator.prepare([])
    assert await accelerator.run() == "BAD_PROGRAM"
    await accelerator.write("PROGRAM_FIRST", 200)
    await accelerator.write("PROGRAM_LENGTH", 57)
    assert await accelerator.run() == "BAD_PROGRAM"


@cocotb.test(**LIMIT)
@cocotb.parametrize(first=[0, 254])
async def program_gives_the_bits_of_the_reference(dut, first):
    accelerator = await Accelerator(dut).start(0.2)
    expected = random_memory().copy()
    await accelerator.load(expected)
    convolution, stream = pointwise()
    await accelerator.prepare([convolution, pool(1)], stream, first)
    execute(expected, [convolution, pool(1)], stream, ROWS, COLUMNS)
    assert await accelerator.run() == "NONE"
    assert (await accelerator.activations() == expected).all()
    log = np.frombuffer(await accelerator.get("LOG", 16 * first, 32), "<u4").reshape(2, 4)
    assert (log[:, 0] > 0).all() and log[:, 0].sum() <= await accelerator.read("CYCLES")


@cocotb.test(**LIMIT)
async def memories_are_closed_while_the_engine_runs(dut):
    accelerator = await Accelerator(dut).start()
    axi = accelerator.axi
    expected = random_memory().copy()
    await accelerator.load(expected)
    descriptors = [pool(2)] * 40
    await accelerator.prepare(descriptors)
    execute(expected, descriptors, b"", ROWS, COLUMNS)
    await accelerator.write("CTRL", 1)
    for window in ("PROGRAM", "WEIGHTS", "ACTIVATIONS"):
        offset = spec.WINDOWS[window][0]
        await accelerator.refused("BUS_BUSY", axi.write(offset, b"\x55" * 4), offset)
        await accelerator.refused("BUS_BUSY", axi.read(offset, 4), offset)
    await accelerator.refused("BUS_BUSY", axi.write(spec.WINDOWS["IMAGE"][0], bytes(4)), spec.WINDOWS["IMAGE"][0])
    await accelerator.refused("BUS_BUSY", axi.write(0, b"\x01\0\0\0"), 0)
    await accelerator.get("LOG", 0, 16)
    assert await accelerator.read("CTRL") == 0b0001
    assert await accelerator.wait() == "NONE"
    assert (await accelerator.activations() == expected).all()


@cocotb.test(**LIMIT)
async def the_run_after_a_stopped_one_is_right(dut):
    accelerator = await Accelerator(dut).start()
    convolution, stream = pointwise()
    for stop in ("ABORTED", "WATCHDOG"):
        memory = random_memory()
        await accelerator.load(memory)
        await accelerator.prepare([pool(2)] * 100)
        await accelerator.write("WATCHDOG", 1000 if stop == "WATCHDOG" else 1 << 28)
        await accelerator.write("CTRL", 1)
        if stop == "ABORTED":
            await accelerator.write("CTRL", 1 << 8)
        assert await accelerator.wait() == stop
        await accelerator.load(memory)
        await accelerator.prepare([convolution], stream)
        expected = memory.copy()
        execute(expected, [convolution], stream, ROWS, COLUMNS)
        assert await accelerator.run() == "NONE"
        assert (await accelerator.activations() == expected).all()


class FromMemory:
    """A program whose image lies in memory, and its weights: more words than the weight memory has."""

    STREAM, IMAGE, LOG2S = 0x20000FF0, 0x30001F80, 1
    ADDRESSES = 20  # of the activation memory that the program uses

    def __init__(self, accelerator: Accelerator):
        parts = [pointwise() for _ in range(WEIGHT_DEPTH // 4 + 4)]
        self.accelerator, self.memory = accelerator, random_memory()[:, :self.ADDRESSES]
        self.descriptors, streams = [descriptor for descriptor, _ in parts], [stream for _, stream in parts]
        self.stream = b"".join(streams)
        assert len(self.stream) > 16 * WEIGHT_DEPTH, "the ring is gone round"
        self.image = np.frombuffer(random.randbytes((ROWS * COLUMNS * 4) << 2 * self.LOG2S), np.uint8)
        self.image = self.image.reshape(ROWS << self.LOG2S, COLUMNS << self.LOG2S, 4)
        accelerator.memory.write(self.STREAM, self.stream)
        self.put_image(self.IMAGE)

    def put_image(self, address: int):
        self.at = address
        self.accelerator.memory.write(address, self.image.tobytes())

    async def prepare(self):
        """All that a run needs, also after a reset."""
        accelerator = self.accelerator
        await accelerator.load(self.memory)
        await accelerator.prepare(self.descriptors)
        for register, value in (("STREAM_SOURCE", DDR), ("STREAM_ADDRESS", self.STREAM),
                                ("STREAM_LENGTH", len(self.stream) // 16), ("IMAGE", self.LOG2S << 16),
                                ("IMAGE_ADDRESS", self.at)):
            await accelerator.write(register, value)

    async def check(self):
        await self.prepare()
        assert await self.accelerator.run(START | FETCH) == "NONE"
        expected, phases = self.memory.copy(), 1 << 2 * self.LOG2S
        maps = (self.image[:, :, :3].transpose(2, 0, 1) ^ 0x80).view(np.int8)
        expected[:3, :phases] = to_words(maps, ROWS, COLUMNS)[:3, :phases]
        execute(expected, self.descriptors, self.stream, ROWS, COLUMNS)
        assert (await self.accelerator.activations(self.ADDRESSES) == expected).all()

    async def dry(self):
        """READING falls, and not before the last beat."""
        while await self.accelerator.read("CTRL") & (READING | FETCHING):
            pass
        assert not self.accelerator.memory.waiting


@cocotb.test(**LIMIT)
@cocotb.parametrize(memory=list(MEMORIES))
async def weights_and_image_come_from_memory(dut, memory):
    accelerator = await Accelerator(dut, memory).start(0.1)
    for _ in range(2):
        await FromMemory(accelerator).check()
    assert not accelerator.memory.waiting and not await accelerator.read("CTRL") & READING


@cocotb.test(**LIMIT)
@cocotb.parametrize(memory=["fast", "mixed"])
async def the_run_after_a_read_that_failed_is_right(dut, memory):
    accelerator = await Accelerator(dut, memory).start()
    for what, error in (("weights", "DDR_RESPONSE"), ("image", "IMAGE_RESPONSE")):
        case = FromMemory(accelerator)
        if what == "weights":
            case.put_image(0x10001F80)  # below them, where nothing fails
        await case.prepare()
        place, size = (case.STREAM, len(case.stream)) if what == "weights" else (case.at, case.image.size)
        accelerator.memory.fail_from = place + random.randrange(0, size, 8)
        assert await accelerator.run(START | FETCH) == error
        accelerator.memory.fail_from = 1 << 32
        await FromMemory(accelerator).check()


@cocotb.test(**LIMIT)
@cocotb.parametrize(memory=list(MEMORIES))
async def the_run_after_a_reset_or_an_abort_is_right(dut, memory):
    """Bursts of before come back meanwhile; AxiMemory checks that addresses stay until they are taken."""
    accelerator, flying = await Accelerator(dut, memory).start(), 0
    for _ in range(3):
        case = FromMemory(accelerator)
        await case.prepare()
        await accelerator.write("CTRL", START | FETCH)
        await ClockCycles(dut.aclk, random.randint(1, 400))
        flying += accelerator.memory.waiting
        if random.random() < 0.3:
            await accelerator.write("CTRL", ABORT)
            await accelerator.wait()
        else:
            for _ in range(random.randint(1, 2)):
                await accelerator.reset(random.choice([1, 2, random.randint(1, 20)]))
                await ClockCycles(dut.aclk, random.randint(1, 5))
        if random.random() < 0.3:
            await case.dry()
        await FromMemory(accelerator).check()
    assert flying or memory == "fast", "nothing was in flight"


def test_riffle():
    simulate("riffle", __file__, Rows=ROWS, Columns=COLUMNS, ActivationDepth=ACTIVATION_DEPTH, WeightDepth=WEIGHT_DEPTH)
