"""Clients of a board process that are killed at a chosen moment: forks of this process, and what they do until then."""

import multiprocessing
import os
import signal
import struct
from multiprocessing.reduction import ForkingPickler

import numpy as np

from riffle.backends import exchange
from riffle.backends.process import ProcessBackend
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.graph import reference
from riffle.isa.descriptor import Descriptor, pack_program
from riffle.isa.spec import OPCODES
from sample_networks import Builder

MOMENTS = ("before", "half", "after")  # of a request: it is not sent, sent half, sent whole and not answered
FORK = multiprocessing.get_context("fork")
ENDLESS = Descriptor(opcode=OPCODES["MAXPOOL"], taps9=1, blocks=1, groups=0xFFFF, group_outputs=0xFFFE, modulus=2)


class Work:
    """A network with images of it, and what must come out."""

    def __init__(self, rng, batch=False):
        b = Builder(rng, 3, 8, 12)
        b.head(b.residual_unit(b.stride2_unit(b.convolution("image", 8, 3), 2, 6, 20), 2, 6), 5)
        network = b.network(list("abcde"))
        self.program = compile_network(network, "small", batch)
        self.images = rng.integers(0, 256, (4, 8, 12, 3), np.uint8)
        self.expected = [reference.run(network, image)["logits"] for image in self.images]

    def check(self, accelerator):
        """Every image is right, alone or as a batch."""
        results = (accelerator.run_batch(self.images) if self.program.batch else
                   [accelerator.run(image) for image in self.images])
        for result, expected in zip(results, self.expected, strict=True):
            np.testing.assert_array_equal(result.output, expected)


def killed(work, *arguments):
    """Let a fork do `work(*arguments)`; it must end itself with SIGKILL."""
    process = FORK.Process(target=work, args=arguments, daemon=True)
    process.start()
    process.join(60)
    stuck = process.is_alive()
    if stuck:
        process.kill()
        process.join()
    assert not stuck and process.exitcode == -signal.SIGKILL, "it did not get to the moment at which it is killed"


def die_at(request, moment):
    """Kill this process at its request of this number, counted from now."""
    ask, left = exchange.ask, request

    def counted(connection, *arguments):
        nonlocal left
        left -= 1
        if left < 0:
            die(connection, arguments, moment)
        return ask(connection, *arguments)
    exchange.ask = counted


def die(connection, request, moment):
    data = bytes(ForkingPickler.dumps(request))
    data = struct.pack("!i", len(data)) + data
    if moment != "before":
        os.write(connection.fileno(), data[:len(data) // 2] if moment == "half" else data)
    os.kill(os.getpid(), signal.SIGKILL)


def loads(path, work, weights, request, moment):
    """Load again and again, from the beginning on."""
    accelerator = Accelerator(ProcessBackend(path))
    die_at(request, moment)
    while True:
        accelerator.load(work.program, weights)


def runs(path, work, weights, request, moment):
    accelerator = Accelerator(ProcessBackend(path))
    accelerator.load(work.program, weights)
    die_at(request, moment)
    while True:
        work.check(accelerator)


def never_ends(path, work, weights, request, moment):
    """In a run that nobody but a client stops, with the image and the weights in memory that goes with this process."""
    accelerator = Accelerator(ProcessBackend(path))
    accelerator.load(work.program, weights)
    accelerator.segment.write_window("PROGRAM", 32, pack_program([ENDLESS]))
    cycles = accelerator.launch(0, len(work.program.records), watchdog=0xFFFFFFFF, image=work.images[0])
    die_at(request % 10, moment)
    accelerator.finish(cycles)


def fetches(path, work, weights, request, moment):
    """While an image comes, which no run waits for: memory answers once the next client lets it."""
    accelerator = Accelerator(ProcessBackend(path))
    accelerator.load(work.program, weights, "ddr")
    accelerator.images.bring(work.images[0])
    accelerator.backend.ddr.silent = 1
    accelerator.segment.set_fields("CTRL", FETCH=1)
    die_at(0, moment)
    accelerator.backend.read(0)


def allocates(path, work, weights, request, moment):
    backend = ProcessBackend(path)
    die_at(request, moment)
    while True:
        buffers = [backend.allocate(size) for size in (1, 5000, 100_000)]
        for buffer in buffers[1:]:
            buffer.free()
