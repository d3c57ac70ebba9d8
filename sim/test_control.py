"""control: the registers as the specification lists them, interrupt, start and stop, and which error is kept."""

import itertools
import random

import cocotb
from cocotb.triggers import ReadOnly, RisingEdge

from host_port import HostPort, merge, start
from riffle.isa.spec import ERRORS, ID_VALUE, REGISTER_FIELDS, REGISTER_RESETS, REGISTERS, SPEC_HASH, VERSION_WORD
from runner import simulate

CODES = {name: code for code, (name, *_) in ERRORS.items()}
ROWS, COLUMNS, ACTIVATION_DEPTH, WEIGHT_DEPTH = 2, 3, 64, 96
ENGINE = {"CURRENT": "current_i", "CYCLES": "cycles_i", "BUSY": "fed_i", "STARVED": "starved_i",
          "WAITED": "waited_i"}
OUTPUTS = {("PROGRAM_FIRST", "INDEX"): "first_o", ("PROGRAM_LENGTH", "COUNT"): "length_o",
           ("STREAM_BASE", "WORD"): "stream_base_o", ("STREAM_LENGTH", "WORDS"): "stream_length_o",
           ("IMAGE", "BASE"): "image_base_o", ("IMAGE", "LOG2S"): "image_log2s_o", ("LANE", "INDEX"): "lane_o",
           ("WATCHDOG", "CYCLES"): "watchdog_o", ("STREAM_SOURCE", "SOURCE"): "stream_source_o",
           ("STREAM_ADDRESS", "BYTE"): "stream_address_o", ("IMAGE_ADDRESS", "BYTE"): "image_address_o",
           ("IMAGE_AFTER", "INDEX"): "image_after_o", ("BUS", "SLVERR"): "slverr_o"}
WHILE_FETCHING, WHILE_RUNNING = {"IMAGE", "IMAGE_ADDRESS", "IMAGE_AFTER"}, {"STREAM_SOURCE"}  # not to be written


class Control:
    """Registers by name, and the engine's side."""

    def __init__(self, dut):
        self.dut, self.host = dut, HostPort(dut)

    async def start(self):
        await start(self.dut, error_valid_i=0, error_code_i=0, error_offset_i=0, busy_i=0, done_i=0, error_i=0,
                    error_info_i=0, current_i=0, cycles_i=0, fed_i=0, starved_i=0, waited_i=0, fetching_i=0,
                    reading_i=0, image_failed_i=0, image_error_i=0, stream_taken_i=0)
        return self

    async def read(self, register: str, strb: int = 0xF) -> int:
        value, error = await self.host.read(REGISTERS[register], strb)
        assert error == 0, f"read of {register}: {ERRORS[error]}"
        return value

    async def write(self, register: str, value: int, strb: int = 0xF) -> int:
        return await self.host.write(REGISTERS[register], value, strb)

    async def run(self, error: int = 0, info: int = 0):
        """START, a few busy cycles, done."""
        pulses = cocotb.start_soon(count_pulses(self.dut, self.dut.start_o, 8))
        assert await self.write("CTRL", 1) == 0
        self.dut.busy_i.value = 1
        assert await pulses == 1
        await self.finish(error, info)

    async def finish(self, error: int = 0, info: int = 0):
        await pulse(self.dut, done_i=1, error_i=error, error_info_i=info)
        self.dut.busy_i.value = 0
        await RisingEdge(self.dut.clk_i)

    async def bus_error(self, code: str, offset: int):
        await pulse(self.dut, error_valid_i=1, error_code_i=CODES[code], error_offset_i=offset)
        await RisingEdge(self.dut.clk_i)

    async def error(self) -> tuple[int, int]:
        return await self.read("ERROR"), await self.read("ERROR_INFO")

    async def interrupt(self) -> bool:
        for _ in range(2):
            await RisingEdge(self.dut.clk_i)
        return bool(self.dut.interrupt_o.value)


async def pulse(dut, **signals: int):
    """The signals for one cycle, then 0."""
    for name, value in signals.items():
        getattr(dut, name).value = value
    await RisingEdge(dut.clk_i)
    for name in signals:
        getattr(dut, name).value = 0


async def count_pulses(dut, signal, cycles: int) -> int:
    count = 0
    for _ in range(cycles):
        await ReadOnly()
        count += int(signal.value)
        await RisingEdge(dut.clk_i)
    return count


def writable(register: str) -> int:
    """Mask of the bits that a write changes."""
    fields = REGISTER_FIELDS[register].values()
    return sum(((1 << width) - 1) << low for low, width, access in fields if access == "rw")


@cocotb.test()
async def reset_values_and_identity(dut):
    control = await Control(dut).start()
    expected = dict.fromkeys(REGISTERS, 0) | REGISTER_RESETS | {
        "ID": ID_VALUE, "VERSION": VERSION_WORD, "SPEC_HASH": SPEC_HASH,
        "CAPS": ROWS | COLUMNS << REGISTER_FIELDS["CAPS"]["COLUMNS"][0] | 1 << REGISTER_FIELDS["CAPS"]["STREAM"][0],
        "DEPTHS": ACTIVATION_DEPTH | WEIGHT_DEPTH << REGISTER_FIELDS["DEPTHS"]["WEIGHTS"][0]}
    assert {register: await control.read(register) for register in REGISTERS} == expected
    assert control.host.latency == 2


@cocotb.test()
async def registers_hold_what_is_written_or_refuse_it(dut):
    """Also while something runs, or an image is being fetched, that reads some of them late."""
    control = await Control(dut).start()
    plain = [name for name in REGISTERS if writable(name) and name not in ("CTRL", "ERROR")]
    model, seen = {name: REGISTER_RESETS.get(name, 0) for name in plain}, set()
    for _ in range(400):
        name, strb = random.choice(plain), random.getrandbits(4)
        data = random.getrandbits(32) & (writable(name) if random.random() < 0.7 else 0xFFFFFFFF)
        running, fetching = random.random() < 0.5, random.random() < 0.5
        dut.busy_i.value, dut.fetching_i.value = running, fetching
        error = "NONE"
        if merge(0, data, strb) & ~writable(name):
            error = "BUS_VALUE"
        elif (running and name in WHILE_RUNNING) or (fetching and name in WHILE_FETCHING):
            error = "BUS_BUSY"
        assert await control.write(name, data, strb) == CODES[error], (name, hex(data), strb, running, fetching)
        if error == "NONE":
            model[name] = merge(model[name], data, strb)
        assert await control.read(name) == model[name], name
        seen.add((error, name in WHILE_RUNNING | WHILE_FETCHING))
    assert len(seen) == 5
    for (register, field), output in OUTPUTS.items():
        low, width, _ = REGISTER_FIELDS[register][field]
        assert int(getattr(dut, output).value) == model[register] >> low & ((1 << width) - 1), output


@cocotb.test()
async def engine_counters_are_read_and_not_written(dut):
    control = await Control(dut).start()
    for register, signal in ENGINE.items():
        value = random.getrandbits(8) | 1
        getattr(dut, signal).value = value
        assert await control.read(register) == value
        assert await control.write(register, 0) == CODES["BUS_ACCESS"]
        assert await control.read(register) == value


@cocotb.test()
async def accesses_that_make_no_sense_are_refused(dut):
    control = await Control(dut).start()
    for register in ("CTRL", "ISR", "ERROR"):
        assert await control.write(register, 0xFFFF0000) == 0, "acts, and keeps nothing"
    for addr in (max(REGISTERS.values()) + 4, 0x100, 0x3FC):
        assert await control.host.write(addr, 1) == CODES["BUS_UNMAPPED"]
        assert (await control.host.read(addr))[1] == CODES["BUS_UNMAPPED"]
    for register in ("ID", "VERSION", "SPEC_HASH", "CAPS", "DEPTHS", "ERROR_INFO"):
        assert await control.write(register, 1) == CODES["BUS_ACCESS"], register
    assert await control.write("CTRL", 1, strb=0b1110) == 0
    assert await count_pulses(dut, dut.start_o, 5) == 0, "START without its byte strobe"


@cocotb.test()
async def a_run_that_finishes(dut):
    control = await Control(dut).start()
    await control.write("IER", 1)
    await control.write("GIER", 1)
    assert not await control.interrupt()
    started = cocotb.start_soon(count_pulses(dut, dut.start_o, 30))
    await control.write("CTRL", 1)
    dut.busy_i.value = 1
    assert await control.read("CTRL") == 0b0001 and dut.running_o.value
    assert await control.write("CTRL", 1) == CODES["BUS_BUSY"]
    assert await started == 1
    assert not await control.interrupt()
    await control.finish()
    assert await control.interrupt()
    for strb in (0b1110, 0b0010, 0b1100):
        assert await control.read("CTRL", strb) & 2, "DONE is in byte 0"
    assert await control.read("CTRL") == 0b1110, "done, idle, ready"
    assert await control.read("CTRL") == 0b1100, "reading has cleared DONE"
    assert await control.interrupt(), "the line stays until ISR is cleared"
    assert await control.write("ISR", 0b10) == 0 and await control.interrupt(), "another bit"
    assert await control.write("ISR", 0b01, strb=0b1110) == 0 and await control.interrupt(), "another byte"
    assert await control.write("ISR", 0b01) == 0 and not await control.interrupt()
    assert await control.read("ISR") == 0
    assert await control.error() == (0, 0)


@cocotb.test()
async def interrupt_needs_both_enables(dut):
    control = await Control(dut).start()
    for failed in (False, True):
        await control.run(CODES["STREAM_END"] if failed else 0, 0)
        assert await control.read("ISR") == (2 if failed else 1)
        for gier in (0, 1):
            for ier in range(4):
                await control.write("GIER", gier)
                await control.write("IER", ier)
                assert await control.interrupt() == (gier and bool(ier & (2 if failed else 1)))
        await control.write("ISR", 3)


@cocotb.test()
async def start_clears_what_the_last_run_left(dut):
    control = await Control(dut).start()
    await control.run(CODES["WATCHDOG"], 0x1203)
    assert await control.error() == (CODES["WATCHDOG"], 0x1203)
    assert await control.read("ISR") == 0b10
    await control.write("CTRL", 1)
    dut.busy_i.value = 1
    assert await control.error() == (0, 0)
    assert not await control.read("CTRL") & 2, "DONE belongs to the last run"
    await control.finish()
    assert await control.read("ISR") == 0b11, "ISR is sticky"


@cocotb.test()
async def the_first_error_is_kept(dut):
    control = await Control(dut).start()
    await control.bus_error("BUS_UNMAPPED", 0x1FFFFC)
    await control.bus_error("BUS_BUSY", 0x10)
    assert await control.error() == (CODES["BUS_UNMAPPED"], 0x1FFFFC)
    assert await control.write("ERROR", 0x77) == 0
    assert await control.error() == (0, 0), "any write clears"
    await control.bus_error("BUS_BUSY", 0x10)
    assert await control.error() == (CODES["BUS_BUSY"], 0x10)
    await control.write("CTRL", 1)
    dut.busy_i.value = 1
    await control.bus_error("BUS_BUSY", 0x20)
    assert await control.error() == (CODES["BUS_BUSY"], 0x10), "START does not clear a bus error"
    await control.finish(CODES["READ_RANGE"], 0xABCD05)
    assert await control.error() == (CODES["READ_RANGE"], 0xABCD05), "an engine error replaces a bus error"
    await control.bus_error("BUS_BUSY", 0x30)
    assert await control.error() == (CODES["READ_RANGE"], 0xABCD05)
    assert await control.read("ISR") == 0b10, "bus errors raise no interrupt"


@cocotb.test()
async def start_keeps_a_bus_error_that_the_host_may_not_have_seen(dut):
    control = await Control(dut).start()
    await control.bus_error("BUS_BUSY", 0x80000)
    await control.run()
    assert await control.error() == (CODES["BUS_BUSY"], 0x80000) and await control.read("ISR") == 0b01
    await control.write("ERROR", 0)
    await control.run()
    assert await control.error() == (0, 0)


@cocotb.test()
async def an_image_that_no_run_waits_for_is_an_event_of_its_own(dut):
    control = await Control(dut).start()
    await control.write("IER", 2)
    await control.write("GIER", 1)
    for before in (None, "BUS_BUSY", "WATCHDOG"):
        if before == "BUS_BUSY":
            await control.bus_error(before, 0x10)
        elif before:
            await control.run(CODES[before], 0x105)
            await control.write("ISR", 3)
        await pulse(dut, image_failed_i=1, image_error_i=CODES["IMAGE_RESPONSE"])
        assert await control.interrupt() and await control.read("ISR") == 0b10
        kept = before == "WATCHDOG"
        assert await control.error() == ((CODES["WATCHDOG"], 0x105) if kept else (CODES["IMAGE_RESPONSE"], 0))
        assert await control.read("CTRL") & 2 == 2 * kept, "no run has ended"
        await control.write("ISR", 3)
        await control.run()
        assert await control.error() == (0, 0) and await control.read("ISR") == 0b01, "the next run is right"
        await control.write("ISR", 3)
        await control.read("CTRL")


@cocotb.test()
async def what_cannot_be_started_is_refused_whole(dut):
    control = await Control(dut).start()
    asked = {"START": 1, "FETCH": 1 << 9, "ABORT": 1 << 8}
    signals = {"START": dut.start_o, "FETCH": dut.fetch_o, "ABORT": dut.stop_o}
    for running, fetching, bits in itertools.product((0, 1), (0, 1), range(8)):
        names = [name for k, name in enumerate(asked) if bits >> k & 1]
        dut.busy_i.value, dut.fetching_i.value = running, fetching
        busy = (running and "START" in names) or (fetching and "FETCH" in names)
        pulses = {name: cocotb.start_soon(count_pulses(dut, signal, 8)) for name, signal in signals.items()}
        assert await control.write("CTRL", sum(asked[name] for name in names)) == (CODES["BUS_BUSY"] if busy else 0)
        for name, count in pulses.items():
            acts = name in names and not busy and (name != "ABORT" or running or fetching)
            assert await count == acts, (name, names, running, fetching)


@cocotb.test()
async def abort_reaches_a_running_engine_only(dut):
    control = await Control(dut).start()
    stops = cocotb.start_soon(count_pulses(dut, dut.stop_o, 10))
    await control.write("CTRL", 1 << 8)
    assert await stops == 0
    await control.write("CTRL", 1)
    dut.busy_i.value = 1
    stops = cocotb.start_soon(count_pulses(dut, dut.stop_o, 10))
    assert await control.write("CTRL", 1 << 8) == 0
    assert await stops == 1
    await control.finish(CODES["ABORTED"])
    assert await control.error() == (CODES["ABORTED"], 0)


async def finish_after(control: Control, cycles: int, access) -> int:
    """What the access gives, when the engine finishes this many cycles after the request."""
    control.dut.busy_i.value = 1
    task = cocotb.start_soon(access)
    for _ in range(cycles):
        await RisingEdge(control.dut.clk_i)
    await control.finish()
    return await task


@cocotb.test()
async def an_event_is_never_lost_to_a_clear(dut):
    control = await Control(dut).start()
    left = []
    for cycles in range(5):  # the write acts one cycle after the request
        await finish_after(control, cycles, control.write("ISR", 1))
        left.append(await control.read("ISR"))
        await control.write("ISR", 1)
    assert left == [0, 1, 1, 1, 1]
    await control.read("CTRL")
    for cycles in range(5):
        found = await finish_after(control, cycles, control.read("CTRL"))
        later = await control.read("CTRL")
        assert (found >> 1 & 1) + (later >> 1 & 1) == 1, "DONE is read once"


@cocotb.test()
async def the_read_path_is_shown(dut):
    """FETCHING, READING and STREAM_TAKEN are what comes in; none of them keeps a run from starting."""
    control = await Control(dut).start()
    idle = await control.read("CTRL")
    for _ in range(20):
        fetching, reading, taken = random.getrandbits(1), random.getrandbits(1), random.getrandbits(32)
        dut.fetching_i.value, dut.reading_i.value, dut.stream_taken_i.value = fetching, reading, taken
        await RisingEdge(dut.clk_i)
        low = {name: fields[0] for name, fields in REGISTER_FIELDS["CTRL"].items()}
        assert await control.read("CTRL") == idle | fetching << low["FETCHING"] | reading << low["READING"]
        assert await control.read("STREAM_TAKEN") == taken
    dut.fetching_i.value, dut.reading_i.value = 0, 1
    await control.run()


def test_control():
    simulate("control", __file__, Rows=ROWS, Columns=COLUMNS, ActivationDepth=ACTIVATION_DEPTH,
             WeightDepth=WEIGHT_DEPTH)
