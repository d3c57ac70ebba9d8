"""stream_fetch: the words of the stream, in order, asked for while there is room, and no more after an error."""

import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from burst_memory import BurstMemory
from host_port import start
from runner import simulate

BLOCK = 8  # stream words that one burst may bring, from a multiple of 128 bytes on
WORD = 16  # bytes
RATES = {  # delay of the memory, its pauses; part of the cycles in which a request waits, in which no word is taken
    "fast": (0, 0.0, 0.0, 0.0), "far": (60, 0.0, 0.0, 0.0), "mixed": (20, 0.3, 0.5, 0.5),
    "blocked": (5, 0.1, 0.95, 0.1), "full": (5, 0.1, 0.2, 0.9), "slow": (30, 0.8, 0.2, 0.2)}


class Stream:
    """One stream after the other, cycle by cycle; the ring and the read master as far as stream_fetch sees them."""

    def __init__(self, dut, rates: str):
        self.dut, self.depth = dut, int(dut.Depth.value)
        delay, pause, self.blocked, self.idle = RATES[rates]
        self.memory = BurstMemory(delay, pause)
        self.cycle = self.stream = 0  # stream: how many were begun
        self.times = []               # cycles in which a request was taken

    async def start(self):
        await start(self.dut, start_i=0, stop_i=1, base_i=0, length_i=0, taken_i=0, req_ready_i=0, data_valid_i=0,
                    data_i=0, data_error_i=0)
        return self

    async def begin(self, base: int, length: int, bad_word: int | None = None, bad_beat: int = 0):
        """A stream of which one beat may be bad. The read master forgets what is in flight."""
        self.base, self.length = base, length
        self.bad = None if bad_word is None else base + WORD * bad_word + 8 * bad_beat
        self.stream += 1
        self.memory.forget()
        self.asked = self.filled = self.taken = 0
        self.ring, self.halves, self.offer, self.error, self.fill = deque(), [], None, None, None
        self.times = []
        await self.step(start_i=1, base_i=base, length_i=length)

    async def step(self, **inputs: int):
        """One cycle: `inputs` instead of what goes on by itself."""
        dut, quiet = self.dut, "start_i" in inputs or "stop_i" in inputs  # then the read master does nothing
        beat = None if quiet else self.memory.answer(self.cycle)
        bad = beat is not None and beat.address == self.bad
        take = not quiet and len(self.ring) > 0 and random.random() >= self.idle
        ready = not quiet and random.random() >= self.blocked
        noise = {"base_i": random.getrandbits(28) << 4, "length_i": random.getrandbits(32), "start_i": 0, "stop_i": 0}
        for name, value in (noise | inputs).items():
            getattr(dut, name).value = value
        dut.req_ready_i.value, dut.taken_i.value = ready, take
        dut.data_valid_i.value = beat is not None
        dut.data_i.value = beat.data if beat else random.getrandbits(64)
        dut.data_error_i.value = bad if beat else random.getrandbits(1)
        await RisingEdge(dut.clk_i)  # what is read from here on is what the cycle that ends here had
        if not quiet:
            self.check_fill()
            self.check_error()
            self.check_request(ready)
        if take:
            self.ring.popleft()
            self.taken += 1
        self.arrive(beat, bad)
        self.cycle += 1

    def arrive(self, beat, bad: bool):
        """What a beat leads to in the next cycle."""
        self.fill = None
        if beat is None:
            return
        if bad:
            self.error = self.cycle + 1
        self.halves.append(beat.data)
        if len(self.halves) == 2:
            if self.error is None:
                self.fill = self.halves[0] | self.halves[1] << 64
            self.halves = []

    def check_fill(self):
        assert bool(self.dut.fill_valid_o.value) == (self.fill is not None), f"word {self.filled}"
        if self.fill is None:
            return
        assert int(self.dut.fill_data_o.value) == self.fill
        address = self.base + WORD * self.filled
        assert self.fill == self.memory.contents[address] | self.memory.contents[address + 8] << 64, "order"
        self.ring.append(self.fill)
        self.filled += 1
        assert len(self.ring) <= self.depth

    def check_error(self):
        assert bool(self.dut.error_o.value) == (self.error is not None)
        if self.error is not None:
            assert int(self.dut.word_o.value) == (self.bad - self.base) // WORD

    def check_request(self, ready: bool):
        dut = self.dut
        if not dut.req_valid_o.value:
            assert self.offer is None or self.error is not None, "a request that was offered stays"
            return
        address, beats = int(dut.req_addr_o.value), int(dut.req_last_o.value) + 1
        offer = address, beats
        words = min(BLOCK - (address // WORD) % BLOCK, self.length - self.asked)
        assert offer == (self.base + WORD * self.asked, 2 * words), f"{address:#x}, {beats} beats"
        assert self.offer in (None, offer)
        assert self.asked + words <= self.depth + self.taken, "no room"
        self.offer = None if ready else offer
        if ready:
            assert self.error is None or self.cycle <= self.error, "asked for more after an error"
            self.asked += words
            self.times.append(self.cycle)
            self.memory.ask(self.cycle, address, beats, self.stream)

    async def finish(self, limit: int = 20_000):
        """Until all words are there, and nothing follows."""
        for _ in range(limit):
            if self.filled == self.length:
                break
            await self.step()
        assert self.filled == self.asked == self.length
        for _ in range(50):
            await self.step()
        assert self.filled == self.asked == self.length


def draw(longest: int) -> tuple[int, int]:
    """Base and length of a stream."""
    base = random.getrandbits(24) << 7 | random.choice([0, 7, random.randrange(8)]) << 4
    return base, random.choice([1, 7, 8, 9, random.randint(1, longest)])


@cocotb.test()
@cocotb.parametrize(rates=list(RATES))
async def streams_come_whole_and_in_order(dut, rates):
    stream = await Stream(dut, rates).start()
    for base, length in [(0, 0), (2**32 - 160, 10), *(draw(150) for _ in range(8))]:
        await stream.begin(base, length)
        await stream.finish()
        for _ in range(random.choice([0, 1, 3])):
            await stream.step(stop_i=1)


@cocotb.test()
async def a_fast_memory_is_asked_every_few_cycles(dut):
    stream = await Stream(dut, "fast").start()
    await stream.begin(0x1000, stream.depth)
    await stream.finish()
    gaps = {after - before for before, after in zip(stream.times, stream.times[1:], strict=False)}
    assert stream.depth < 2 * BLOCK or min(gaps) == 4, f"cycles between requests: {gaps}"


@cocotb.test()
async def what_has_no_room_is_not_asked_for(dut):
    stream = await Stream(dut, "fast").start()
    stream.idle = 1.0
    await stream.begin(0x80, 2**32 - 1)
    for _ in range(200):
        await stream.step()
    assert stream.filled == stream.asked == stream.depth // BLOCK * BLOCK
    stream.idle = 0.5
    for _ in range(500):
        await stream.step()
    assert stream.filled > 3 * stream.depth


@cocotb.test()
@cocotb.parametrize(rates=["fast", "mixed", "blocked"])
async def an_error_ends_the_stream_and_names_its_word(dut, rates):
    stream = await Stream(dut, rates).start()
    for _ in range(30):
        base, length = draw(120)
        bad = random.choice([0, length - 1, random.randrange(length)])
        await stream.begin(base, length, bad, random.randrange(2))
        for _ in range(20_000):
            if stream.error is not None:
                break
            await stream.step()
        for _ in range(random.choice([0, 1, 2, 5, 60])):
            await stream.step()
        assert stream.error is not None and stream.filled == bad
        for _ in range(random.choice([0, 1, 2, 5])):
            await stream.step(stop_i=1)
        await stream.begin(*draw(60))
        await stream.finish()


@cocotb.test()
@cocotb.parametrize(rates=list(RATES), stop=[0, 1, 4])
async def a_stream_that_was_left_is_forgotten(dut, rates, stop):
    stream = await Stream(dut, rates).start()
    for _ in range(30):
        await stream.begin(*draw(120))
        for _ in range(random.randint(0, 40)):
            await stream.step()
        for _ in range(stop):
            await stream.step(stop_i=1)
        await stream.begin(*draw(20))
        await stream.finish()


@cocotb.test()
async def streams_that_are_misaligned_or_wrap_round_are_unfit(dut):
    await Stream(dut, "fast").start()
    seen = set()
    for _ in range(300):
        base = random.choice([random.getrandbits(32), random.getrandbits(28) << 4,
                              (1 << 32) - 16 * random.randint(1, 40000)])
        room = ((1 << 32) - base) // 16
        length = max(0, random.choice([random.getrandbits(32), room + random.randint(-1, 1), random.getrandbits(14)]))
        dut.base_i.value, dut.length_i.value = base, length % (1 << 32)
        for _ in range(4):
            await RisingEdge(dut.clk_i)
        unfit = base % 16 != 0 or length % (1 << 32) > room
        assert bool(dut.unfit_o.value) == unfit, (hex(base), hex(length))
        seen.add((unfit, base % 16 == 0, length == room))
    assert {(False, True, True), (False, True, False), (True, True, False), (True, False, False)} <= seen


@pytest.mark.parametrize("depth", [8, 21])
def test_stream_fetch(depth):
    simulate("stream_fetch", __file__, Depth=depth)
