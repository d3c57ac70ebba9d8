"""read_master: every beat that was asked for and not flushed comes out, in order, and nothing else."""

import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from burst_memory import Beat, BurstMemory
from host_port import start
from runner import simulate

TRAFFIC = {  # delay of the memory, its pauses between beats; cycles without a request, with the address channel blocked
    "fast": (0, 0.0, 0.0, 0.0), "far": (60, 0.0, 0.0, 0.0), "mixed": (20, 0.3, 0.3, 0.3),
    "blocked": (5, 0.1, 0.0, 0.9), "slow": (30, 0.8, 0.1, 0.5), "rare": (3, 0.1, 0.95, 0.2)}


class Bench:
    """The master's client and its memory, cycle by cycle; what must be seen follows from the requests taken so far.

    `late` counts the beats that nobody wanted any more, `torn` the flushes within a burst, `most` the bursts in flight.
    """

    def __init__(self, dut, memory: BurstMemory):
        self.dut, self.memory, self.bursts = dut, memory, int(dut.Bursts.value)
        self.asked = deque()  # requests on their way to the bus: address, beats, owner
        self.owner = 0        # flushes so far
        self.cycle = self.flying = self.late = self.torn = self.most = self.beats = 0
        self.inside = False   # a burst has begun and not ended
        self.reading = False  # what reading_o says in this cycle
        self.expected = None  # data and error that come out in this cycle
        self.held = self.strays = 0  # cycles in which a reset met an address on the bus; beats that nobody asked for

    async def start(self):
        await start(self.dut, flush_i=0, req_valid_i=0, req_addr_i=0, req_last_i=0, m_axi_arready=0, m_axi_rvalid=0,
                    m_axi_rdata=0, m_axi_rresp=0, m_axi_rlast=0)
        return self

    async def step(self, request=None, *, flush=False, reset=False, arready=True, silent=False, stray=0.0) -> bool:
        """One cycle; was the request (address, beats) taken? A reset does what a flush does, and the memory goes on.

        `stray` is the chance of a beat that nobody asked for, where none is on its way.
        """
        dut, beat, response = self.dut, None, random.getrandbits(2)
        if not silent:
            beat = self.memory.answer(self.cycle)
        if not self.flying and random.random() < stray:
            beat, self.strays = Beat(0, bool(random.getrandbits(1)), None, random.getrandbits(64)), self.strays + 1
        self.held += reset and bool(self.asked)
        dut.flush_i.value, dut.rst_ni.value, dut.m_axi_arready.value = flush, not reset, arready
        flush |= reset
        dut.req_valid_i.value = request is not None
        dut.req_addr_i.value, dut.req_last_i.value = (request[0], request[1] - 1) if request else (0, 0)
        dut.m_axi_rvalid.value = beat is not None
        dut.m_axi_rdata.value = beat.data if beat else random.getrandbits(64)
        dut.m_axi_rlast.value = beat.last if beat else random.getrandbits(1)
        dut.m_axi_rresp.value = response
        await RisingEdge(dut.clk_i)  # what is read from here on is what the cycle that ends here had
        self.check_output()
        taken = self.check_request(request, flush, arready)
        self.torn += flush and self.inside
        self.owner += flush
        if beat and beat.owner is not None:
            self.flying -= beat.last
            self.inside = not beat.last
            self.late += beat.owner != self.owner
            if beat.owner == self.owner:
                self.expected = beat.data, response >= 2  # SLVERR or DECERR
        self.cycle += 1
        return taken

    def check_output(self):
        assert bool(self.dut.data_valid_o.value) == (self.expected is not None), f"beat in cycle {self.cycle}"
        if self.expected:
            assert (int(self.dut.data_o.value), bool(self.dut.data_error_o.value)) == self.expected
            self.beats += 1
        self.expected = None

    def check_request(self, request, flush, arready) -> bool:
        """A request is taken unless the one before blocks the bus, or all places in flight are occupied."""
        dut, waiting = self.dut, bool(self.asked)
        ready = not flush and (arready or not waiting) and self.flying < self.bursts
        assert bool(dut.reading_o.value) == self.reading, f"reading_o in cycle {self.cycle}, {self.flying} in flight"
        assert bool(dut.req_ready_o.value) == ready, f"req_ready_o in cycle {self.cycle}, {self.flying} in flight"
        assert bool(dut.m_axi_arvalid.value) == waiting, "the address is on the bus from the cycle after the request on"
        if waiting:
            address, beats, owner = self.asked[0]
            assert (int(dut.m_axi_araddr.value), int(dut.m_axi_arlen.value)) == (address, beats - 1)
            if arready:
                self.memory.ask(self.cycle, *self.asked.popleft())
        self.reading = self.flying > 0 or (request is not None and ready)
        if taken := request is not None and ready:
            self.asked.append((*request, self.owner))
            self.flying += 1
            self.most = max(self.most, self.flying)
        return taken

    async def drain(self):
        while self.flying or self.expected:
            await self.step()


def draw_request() -> tuple[int, int]:
    """Address and beats, often up to a 4 KB boundary."""
    beats = random.choice([1, 16, random.randint(1, 16)])
    inside = random.choice([4096 - 8 * beats, random.randrange(0, 4096 - 8 * beats + 1, 8)])
    return random.getrandbits(20) << 12 | inside, beats


@cocotb.test()
@cocotb.parametrize(traffic=list(TRAFFIC), flush_rate=[0.0, 0.02, 0.3])
async def beats_come_out_unless_they_were_flushed(dut, traffic, flush_rate):
    delay, pause, idle, blocked = TRAFFIC[traffic]
    bench = await Bench(dut, BurstMemory(delay, pause)).start()
    request, wanted = None, 0
    for _ in range(1500):
        if request is None and random.random() >= idle:
            request = draw_request()
        if await bench.step(request, flush=random.random() < flush_rate, arready=random.random() >= blocked):
            wanted += request[1]
            request = None
    await bench.drain()
    assert bench.beats + bench.late == wanted or flush_rate, "every beat"
    if traffic == "far" and not flush_rate:
        assert bench.most == bench.bursts, "as many in flight as there may be"
    if traffic in ("far", "mixed", "slow") and flush_rate == 0.02:
        assert bench.late and bench.torn, "flushes before and within bursts"


@cocotb.test()
async def a_fast_memory_gives_a_beat_in_every_cycle(dut):
    bench = await Bench(dut, BurstMemory()).start()
    for k in range(60):
        while not await bench.step((128 * k, 16)):
            pass
    await bench.drain()
    assert bench.beats == 60 * 16 and bench.cycle <= bench.beats + 5


@cocotb.test()
async def answers_may_come_after_any_number_of_flushes(dut):
    bench = await Bench(dut, BurstMemory()).start()
    for _ in range(5):
        for _ in range(bench.bursts):
            assert await bench.step((draw_request()), silent=True), "there is room"
            await bench.step(silent=True)
        for _ in range(random.randint(1, 5)):
            await bench.step(draw_request(), flush=True, silent=True)
            for _ in range(random.choice([0, 0, 50])):
                assert not await bench.step(draw_request(), silent=True), "what is in flight keeps its place"
        late, before = bench.late, bench.beats
        request = draw_request()
        while not await bench.step(request):
            pass
        await bench.drain()
        assert bench.late >= late + bench.bursts
        assert bench.beats == before + request[1], "the burst after the flush, and only this"


@cocotb.test()
@cocotb.parametrize(traffic=list(TRAFFIC), rate=[0.01, 0.2])
async def a_reset_is_a_flush_that_goes_on_counting(dut, traffic, rate):
    """Resets of one cycle and of many, with bursts in flight, before an address is taken, and between beats."""
    delay, pause, idle, blocked = TRAFFIC[traffic]
    bench = await Bench(dut, BurstMemory(delay, pause)).start()
    request, left = None, 0  # cycles that the reset still takes
    for _ in range(3000):
        if not left and random.random() < rate:
            left = random.choice([1, 1, 2, random.randint(1, 20)])
        if request is None and random.random() >= idle:
            request = draw_request()
        flush, arready = random.random() < 0.02, random.random() >= blocked
        if await bench.step(request, flush=flush, reset=left > 0, arready=arready, stray=0.05):
            request = None
        left = max(0, left - 1)
    await bench.drain()
    if traffic in ("mixed", "slow") and rate < 0.1:
        assert bench.late and bench.torn, "late beats, torn bursts"
    if traffic == "mixed" and rate < 0.1:
        assert bench.held, "addresses that waited"
    if traffic == "rare":
        assert bench.strays, "beats that nobody asked for"


@cocotb.test()
async def a_memory_may_be_slower_than_any_reset(dut):
    bench = await Bench(dut, BurstMemory(3000)).start()
    for _ in range(3):
        for _ in range(bench.bursts):
            assert await bench.step(draw_request()), "there is room"
        for _ in range(random.randint(1, 3)):
            for _ in range(random.choice([1, 1, 16, 40])):
                assert not await bench.step(draw_request(), reset=True)
            assert not await bench.step(draw_request(), silent=True), "what is in flight keeps its place"
        before, request = bench.beats, draw_request()
        while not await bench.step(request):
            pass
        await bench.drain()
        assert bench.beats == before + request[1], "the burst after the reset, and only this"


@pytest.mark.parametrize("bursts", [3, 8])
def test_read_master(bursts):
    simulate("read_master", __file__, Bursts=bursts)
