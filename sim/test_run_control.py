"""run_control: random programs and faults between stand-ins for fetch and sequencer, every cycle foreseen."""

import random
from itertools import zip_longest

import cocotb
from cocotb.triggers import RisingEdge

from host_port import start
from run_plan import FAULTS, FETCH, FINISH, NEVER, draw_plan, spoil
from runner import simulate

INPUTS = [f"{name}_i" for name in (
    "start", "stop", "hold", "hold_error", "first", "length", "watchdog", "fetched", "fetch_error", "fetch_detail",
    "sequencer_done", "quiet", "overlap", "feed", "starving", "sequencer_error", "sequencer_code", "sequencer_detail",
    "header_error", "header_count", "stream_end", "stream_error", "stream_detail", "loader_empty")]


class Surroundings:
    """Fetch, sequencer and stream, as far as run_control sees them."""

    def __init__(self, dut):
        self.dut, self.fetched, self.index = dut, NEVER, 0  # fetched: cycle from which a descriptor is there

    async def start(self):
        await start(self.dut, **dict.fromkeys(INPUTS, 0))
        return self

    async def check(self, plan):
        """A run, its events and its counters. The next one starts as soon as this one's counters have been read."""
        _, _, limit, done = plan.outcome()
        got, self.ready, self.launches = [], NEVER, 0
        for cycle in range(done + 2):
            waiting = 1 <= cycle <= min(plan.hold + 1, max(limit, 1))
            self.drive(plan, cycle, waiting)
            await RisingEdge(self.dut.clk_i)  # what is read from here on is what the cycle that ends here had
            got += sorted(self.observe(plan, cycle), key=lambda event: event[:2])
            assert self.value("busy") == (1 <= cycle <= done), f"busy_o in cycle {cycle}, done_o in {done}: {plan}"
            assert self.value("waiting") == waiting, f"waiting_o in cycle {cycle}: {plan}"
        self.fetched -= done + 2
        for event, expected in zip_longest(got, plan.events()):
            assert event == expected, f"got {event}, expected {expected}: {plan}"
        counters = done, sum(plan.feeds[1:done + 1]), sum(plan.starving[1:done + 1])
        assert tuple(map(self.value, ("cycles", "fed", "starved"))) == counters, f"expected {counters}: {plan}"

    def drive(self, plan, cycle, waiting):
        """Inputs of a cycle, noise where they do not count."""
        noise, done, valid = random.getrandbits(24), cycle == self.ready, cycle >= self.fetched
        refusal = plan.fetch[1:] if self.index == plan.first + plan.fetch[0] else (0, 0)
        inputs = {
            "start": cycle == 0, "stop": cycle == plan.stop,
            "first": noise & 255 if cycle else plan.first, "length": noise & 255 if cycle else plan.length,
            "watchdog": noise if cycle else plan.watchdog,
            "hold": cycle <= plan.hold if waiting else noise & 1,
            "hold_error": plan.image[1] * (cycle >= plan.image[0]) if waiting else noise & 3,
            "fetched": valid, "fetch_error": refusal[0] if valid else noise & 3,
            "fetch_detail": refusal[1] if valid else noise & 15,
            "sequencer_done": done, "quiet": plan.quiets[self.launches - 1] if done else noise & 63,
            "overlap": plan.overlaps[self.launches - 1] if done else noise & 1,
            "feed": plan.feeds[cycle], "starving": plan.starving[cycle],
            "sequencer_error": cycle == plan.sequencer[0],
            "sequencer_code": plan.sequencer[1] if cycle == plan.sequencer[0] else noise & 7,
            "sequencer_detail": plan.sequencer[2] if cycle == plan.sequencer[0] else noise,
            "header_error": cycle >= plan.header[0], "header_count": plan.header[1],
            "stream_end": cycle >= plan.stream_end, "loader_empty": cycle >= plan.empty,
            "stream_error": plan.stream[1] if cycle >= plan.stream[0] else 0, "stream_detail": plan.stream[2]}
        for name, value in inputs.items():
            getattr(self.dut, f"{name}_i").value = value

    def observe(self, plan, cycle):
        value = self.value
        if value("launch"):
            self.ready = cycle + plan.durations[self.launches]
            self.launches += 1
            yield cycle, "launch", value("current")
        if value("fetch"):
            self.fetched, self.index = cycle + FETCH, value("fetch_index")
            yield cycle, "fetch", self.index
        if value("stop"):
            self.ready = NEVER
            yield cycle, "stop"
        if value("log_we"):
            yield cycle, "log", value("log_addr"), value("log_wdata")
        if value("done"):
            yield cycle, "done", value("error"), value("error_info")

    def value(self, name):
        return int(getattr(self.dut, f"{name}_o").value)


@cocotb.test()
async def programs_run_launch_by_launch(dut):
    surroundings = await Surroundings(dut).start()
    for _ in range(40):
        await surroundings.check(draw_plan())


@cocotb.test()
async def the_first_fault_ends_a_run(dut):
    surroundings, seen = await Surroundings(dut).start(), set()
    for _ in range(150):
        plan = draw_plan()
        at, *others = random.choices(range(1, plan.finish + FINISH + 2), k=4)
        for fault, other in zip(random.sample(FAULTS, random.choice([1, 1, 2, 3])), others, strict=False):
            spoil(plan, fault, random.choice([at, other]))
        await surroundings.check(plan)
        seen.add(plan.outcome()[0])
        await surroundings.check(draw_plan(random.randint(1, 2)))
    assert len(seen | {0}) == 14, f"only {seen} happened"


@cocotb.test()
async def bad_programs_are_refused(dut):
    surroundings = await Surroundings(dut).start()
    for first, length in ((0, 0), (7, 0), (255, 2), (0, 257), (1, 256), (0, 511), (1, 511), (255, 257), (255, 511)):
        plan = draw_plan(1)
        plan.first, plan.length = first, length
        await surroundings.check(plan)
    await surroundings.check(draw_plan())


def test_run_control():
    simulate("run_control", __file__)
