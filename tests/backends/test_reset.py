"""Resets and aborts in the midst of reads: the memory is not reset with the accelerator, and the next run is right.

RIFFLE_SOAK=1 tries ten times as many.
"""

import numpy as np
import pytest

from campaigns import campaign
from riffle.backends.numpy_engine import NumpyBackend
from riffle.backends.verilated import RtlBackend, build
from riffle.compiler import compile_network
from riffle.driver import registers
from riffle.driver.accelerator import Accelerator
from riffle.driver.image_delivery import point_at
from riffle.driver.weight_delivery import shared
from riffle.errors import HardwareError
from riffle.graph import reference
from sample_networks import Builder

HEIGHT, WIDTH = 8, 12
PATIENCE = 1_000_000  # cycles; so slow a memory is no fault
SOURCES = (("ddr", "ddr"), ("ddr", "window"), ("resident", "ddr"))  # of weights and images
ACTIVITIES = ("run", "fetch", "prefetch")
FAULTS = ("reset", "reset", "two resets", "abort and load", "abort")


class Trial:
    """One accelerator, two networks, and what a trial does with them; all random numbers are those of `rng`."""

    def __init__(self, backend: RtlBackend, rng: np.random.Generator, networks: list):
        self.backend, self.rng, self.networks = backend, rng, networks
        self.accelerator = Accelerator(backend)
        self.fetched = None  # buffer of an image that is fetched apart

    def load(self) -> None:
        """One of the networks, its weights and images in one of the places where they may be."""
        self.network, self.program = self.networks[self.rng.integers(len(self.networks))]
        self.places = SOURCES[self.rng.integers(len(SOURCES))]
        self.accelerator.load(self.program, *self.places)

    def memory(self) -> None:
        """Another memory: what is on its way keeps its time."""
        ddr, rng = self.backend.ddr, self.rng
        ddr.latency = int(np.exp(rng.uniform(np.log(20), np.log(3000))))
        ddr.latency_worst = ddr.latency * int(rng.integers(1, 3))
        ddr.stall_percent = int(rng.choice([0, 0, 10, 50]))

    def image(self) -> np.ndarray:
        return self.rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)

    def begin(self, activity: str) -> None:
        """Something that reads; does not wait for it."""
        fetches = self.places[1] == "ddr"
        if activity == "run" or not fetches:
            self.accelerator.launch(0, len(self.program.records), watchdog=PATIENCE, image=self.image())
            return
        self.fetched = shared(self.backend, self.rng.integers(0, 256, HEIGHT * WIDTH * 4, np.uint8))
        if activity == "prefetch":
            self.accelerator.write_image(self.image())
            self.accelerator.launch(0, len(self.program.records), watchdog=PATIENCE)
        point_at(self.accelerator.segment, self.program, self.fetched.physical_address)
        self.accelerator.segment.set_fields("CTRL", FETCH=1)

    def strike(self, fault: str) -> None:
        """A fault, after which the accelerator is idle."""
        if fault.startswith("abort"):
            self.accelerator.segment.set_fields("CTRL", ABORT=1)
            self.backend.advance(70)  # until the pipeline is empty
        else:
            for _ in range(2 if fault == "two resets" else 1):
                self.backend.reset(int(self.rng.integers(1, 21)))
                self.backend.advance(int(self.rng.choice([0, 0, 5, 200])))
        if self.fetched:
            self.fetched.free()
            self.fetched = None
        if fault == "abort and load":
            self.load()

    def check(self) -> None:
        """What the next run, or batch, gives."""
        if self.rng.integers(3) == 0:
            self.accelerator.quiesce()
            assert not self.backend.ddr_waiting, "quiesce() came back while bursts were on their way"
        if self.rng.integers(4) == 0 and self.backend.ddr.latency < 500:
            images = [self.image() for _ in range(3)]
            results = self.accelerator.run_batch(images)
        else:
            images = [self.image()]
            count = len(self.program.records)
            self.accelerator.finish(self.accelerator.launch(0, count, watchdog=PATIENCE, image=images[0]))
            results = [self.accelerator.result(0, self.accelerator.counters())]
        for image, result in zip(images, results, strict=True):
            np.testing.assert_array_equal(result.output, reference.run(self.network, image)[self.network.output])
        assert not self.backend.ddr_violations, "an address was withdrawn, or changed before it was taken"


@pytest.fixture
def networks(rng):
    """Two of one shape: what is read for one of them is wrong for the other."""
    found = []
    for _ in range(2):
        b = Builder(rng, 3, HEIGHT, WIDTH)
        b.head(b.residual_unit(b.stride2_unit(b.convolution("image", 8, 3), 2, 6, 20), 2, 6), 5)
        found.append((b.network(), compile_network(b.network(), "small", batch=True)))
    return found


def test_the_run_after_a_reset_or_an_abort_is_right(rng, networks):
    count, wrong, backend = campaign(20, 200), [], None
    try:
        for number in range(count):
            if backend is None:
                backend = RtlBackend(build("small"), seed=int(rng.integers(1, 2**31)))
                trial = Trial(backend, rng, networks)
                trial.load()
            trial.memory()
            activity, fault = ACTIVITIES[rng.integers(len(ACTIVITIES))], FAULTS[rng.integers(len(FAULTS))]
            what = f"{number}: {fault} in a {activity}, {trial.places}, latency {backend.ddr.latency}"
            try:
                trial.begin(activity)
                backend.advance(int(rng.integers(0, 2 * backend.ddr.latency + 3000)))
                trial.strike(fault)
                if rng.integers(2):
                    trial.memory()
                trial.check()
            except Exception as error:  # whatever it is: all that are wrong are counted
                wrong.append(f"{what}: {type(error).__name__} {str(error).strip()[:200]}")
                backend.close()
                backend = None
    finally:
        if backend:
            backend.close()
    assert not wrong, "\n".join([f"{len(wrong)} of {count} are wrong", *wrong])


def test_quiesce_waits_for_reads_in_flight(small_hardware, networks, rng, monkeypatch):
    """Also where a run has to be stopped first; where reads do not come back it says what to do."""
    backend, (network, program) = small_hardware.backend, networks[0]
    small_hardware.load(program, "ddr", "ddr")
    image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    small_hardware.launch(0, len(program.records), image=image)
    backend.advance(30)
    assert small_hardware.segment.fields("CTRL")["READING"] and backend.ddr_waiting
    monkeypatch.setattr(registers, "DRY_POLLS", 100)
    backend.ddr.silent = 1
    with pytest.raises(HardwareError, match="in flight and have not come back within 100 .*Remedy: load no other bits"):
        small_hardware.quiesce()
    backend.ddr.silent = 0
    small_hardware.quiesce()
    assert small_hardware.segment.fields("CTRL")["IDLE"] and not backend.ddr_waiting
    result = small_hardware.run(image)
    np.testing.assert_array_equal(result.output, reference.run(network, image)[network.output])


def test_nothing_is_in_flight_without_a_clock():
    accelerator = Accelerator(NumpyBackend("small"))
    accelerator.quiesce()
    assert not accelerator.segment.fields("CTRL")["READING"]
