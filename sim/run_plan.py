"""Runs as run_control should do them: programs, faults at any time, and all that its outputs show then."""

import random
from dataclasses import dataclass, field

from riffle.isa import spec
from riffle.isa.spec import ERROR_CODES

NEVER = 1 << 20
FETCH = 12     # cycles from fetch_o to fetched_i
FINISH = 18    # cycles from the end of the last descriptor to done_o
FLUSH = 66     # cycles from the sight of an error to done_o
FAULTS = ("stop", "sequencer", "fetch", "image", "stream", "hungry", "watchdog", "left")


@dataclass
class Plan:
    """A program and what happens around it; cycles are counted from start_i."""

    first: int
    length: int
    durations: list    # cycles from launch_o to sequencer_done_i
    quiets: list
    overlaps: list
    hold: int = 0      # cycles that hold_i keeps the run waiting
    watchdog: int = NEVER
    stop: int = NEVER
    sequencer: tuple = (NEVER, 0, 0)  # cycle, code, detail
    fetch: tuple = (NEVER, 0, 0)      # descriptor, counted from the first, instead of a cycle
    image: tuple = (NEVER, 0)         # cycle, code
    stream: tuple = (NEVER, 0, 0)
    header: tuple = (NEVER, 0)        # cycle, count
    stream_end: int = 0
    empty: int = 0
    feeds: list = field(repr=False, default_factory=lambda: random.choices([False, True], k=1500))
    starving: list = field(repr=False, default_factory=lambda: [
        waits for _ in range(200) for waits in [False] * random.randint(5, 20) + [True] * random.randint(0, 6)])

    def __post_init__(self):
        self.schedule()

    def schedule(self):
        """The times of an undisturbed run, up to a descriptor that fetch refuses."""
        self.launches, self.ends, cycle = [], [], self.hold + 2 + FETCH + 1
        for i in range(min(self.length, self.fetch[0])):
            wait = 0 if self.overlaps[i] and i < self.length - 1 else self.quiets[i]
            self.launches.append(cycle)
            self.ends.append(cycle + self.durations[i] + 1 + wait)
            cycle = max(self.ends[-1] + 2, cycle + FETCH + 1)
        self.refused = cycle - 1 if self.fetch[0] < self.length else NEVER
        self.finish = self.ends[-1] if self.refused == NEVER else NEVER

    def outcome(self):
        """Error code and information, the last cycle in which the run goes on by itself, and the cycle of done_o."""
        if not 0 < self.length <= spec.DESCRIPTORS - self.first:
            return ERROR_CODES["BAD_PROGRAM"], self.first, 0, 3
        for cycle in range(1, self.finish + FINISH - 1):
            code, detail = self.error(cycle)
            if code:  # the sequencer's come two cycles after their slots
                index = self.current(cycle - 2 if cycle == self.sequencer[0] else cycle)
                return code, detail << 8 | index, cycle + 1, cycle + FLUSH
        return 0, 0, NEVER, self.finish + FINISH

    def error(self, cycle):
        """Code and detail of what is wrong in a cycle; of several, those of the first in this order."""
        hungry = all(self.starving[c] and c >= min(self.stream_end, self.header[0]) for c in range(cycle - 7, cycle))
        left = cycle == self.finish + 15 and cycle < max(self.stream_end, self.empty)
        cases = ((cycle == self.stop, ERROR_CODES["ABORTED"], 0),
                 (cycle == self.sequencer[0], *self.sequencer[1:]),
                 (cycle == self.refused, *self.fetch[1:]),
                 (self.image[0] <= cycle <= self.hold + 1, self.image[1], 0),
                 (cycle >= self.stream[0], *self.stream[1:]),
                 (hungry and cycle >= self.header[0], ERROR_CODES["STREAM_HEADER"], self.header[1]),
                 (hungry, ERROR_CODES["STREAM_END"], 0),
                 (cycle >= self.watchdog + 2, ERROR_CODES["WATCHDOG"], 0),
                 (left, ERROR_CODES["STREAM_LEFT"], 0))
        return next((case[1:] for case in cases if case[0]), (0, 0))

    def current(self, cycle):
        return self.first + sum(end < cycle for end in self.ends[:self.length - 1])

    def events(self):
        """(cycle, name, values ...) in order: all that the outputs show."""
        code, info, limit, done = self.outcome()
        events = [(self.hold + 2, "fetch", self.first)]
        events += [(cycle, "launch", self.first + i) for i, cycle in enumerate(self.launches)]
        events += [(cycle, "fetch", self.first + i + 1) for i, cycle in enumerate(self.launches[:self.length - 1])]
        events = [event for event in events if event[0] <= limit]
        for i, end in enumerate(self.ends):
            begin = self.ends[i - 1] if i else self.hold
            part = slice(begin + 1, end + 1)
            words = (end - begin, sum(self.feeds[part]), sum(self.starving[part]),
                     end - self.launches[i] - self.durations[i])
            address = spec.LOG_WORDS * (self.first + i)
            events += [(end + 3 + k, "log", address + k, words[k]) for k in range(4) if end <= limit]
        events += [(cycle, "stop") for cycle in range(limit + 1 if limit else 2, done) if code]
        return sorted([*events, (done, "done", code, info)], key=lambda event: event[:2])


def draw_plan(length=None):
    """A program without faults."""
    length = length or random.randint(1, 6)
    plan = Plan(first=random.choice([0, random.randint(0, spec.DESCRIPTORS - length), spec.DESCRIPTORS - length]),
                length=length, durations=[random.randint(10, 50) for _ in range(length)],
                quiets=[random.choice([0, 1, 21, random.randint(0, 63)]) for _ in range(length)],
                overlaps=random.choices([False, True], k=length), hold=random.choice([0, random.randint(1, 40)]))
    plan.stream_end, plan.empty = (random.randint(0, plan.finish + 15) for _ in range(2))
    return plan


def spoil(plan, fault, at):
    """Adds a fault to a plan, which shows in the cycle `at` if it may come at any time."""
    detail = random.getrandbits(24)
    if fault == "stop":
        plan.stop = at
    elif fault == "sequencer":  # also of the last slots, when the next descriptor has begun
        at = max(plan.hold + FETCH, random.choice([at, random.choice([at, *plan.ends]) + random.randint(0, 3)]))
        plan.sequencer = at, random.choice([ERROR_CODES["READ_RANGE"], ERROR_CODES["WRITE_RANGE"]]), detail
    elif fault == "fetch":
        code = random.choice([ERROR_CODES["UNKNOWN_OPCODE"], ERROR_CODES["BAD_DESCRIPTOR"]])
        plan.fetch = random.randrange(plan.length), code, detail & 15
        plan.schedule()
    elif fault == "image":
        at = random.choice([at, random.randint(1, plan.hold + 1)])
        plan.image = at, random.choice([ERROR_CODES["BAD_IMAGE"], ERROR_CODES["IMAGE_RESPONSE"]])
    elif fault == "stream":
        plan.stream = at, random.choice([ERROR_CODES["BAD_STREAM"], ERROR_CODES["DDR_RESPONSE"]]), detail
    elif fault == "hungry":  # seven cycles without weights, or one too few
        at = max(at, 8)
        plan.starving[at - 8:at] = [False] + [True] * 7
        plan.stream_end, header = random.choice([(at - 7, NEVER), (at - 7, at + 1), (at - 6, NEVER),
                                                 (NEVER, at - 7), (at - 7, at)])
        plan.header = header, detail & 1023
    elif fault == "watchdog":
        plan.watchdog = max(at - 2, 0)
    else:
        plan.stream_end, plan.empty = random.choice([(NEVER, 0), (0, NEVER), (plan.finish + 16, 0)])
