"""A network on the small hardware with what must come out, and backends of which a part is replaced."""

import asyncio

import numpy as np
import pytest

from riffle.compiler import compile_network
from riffle.errors import BusError, EngineError
from riffle.graph import reference
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_program, unpack_program
from sample_networks import Builder

HEIGHT, WIDTH = 8, 12
AT = {name: offset for name, (offset, _) in spec.WINDOWS.items()}
SMALL = spec.CONFIGURATIONS["small"]


class Case:
    """A network on the small hardware, with an image and what must come out."""

    def __init__(self, accelerator, rng):
        b = Builder(rng, 3, HEIGHT, WIDTH)
        b.head(b.residual_unit(b.stride2_unit(b.convolution("image", 8, 3), 2, 6, 20), 2, 6), 5)
        self.accelerator, self.network = accelerator, b.network(list("abcde"))
        self.program = compile_network(self.network, "small")
        self.image = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        self.expected = reference.run(self.network, self.image)["logits"]
        accelerator.load(self.program)

    def check(self, reload=False):
        """A run is right, after loading the program again where a test has damaged it."""
        if reload:
            self.accelerator.load(self.program)
        result = self.accelerator.run(self.image)
        np.testing.assert_array_equal(result.output, self.expected)
        assert result.label == "abcde"[self.expected.argmax()]
        return result

    def damage(self, index, **fields):
        """Change fields of a descriptor in the program memory."""
        descriptor = unpack_program(self.program.descriptors)[index].replace(**fields)
        self.accelerator.segment.write_window("PROGRAM", 32 * index, pack_program([descriptor]))

    def stopped(self, name, index, run):
        """The engine stops with this error, the message says where and what to do."""
        with pytest.raises(EngineError) as caught:
            run()
        layer = self.program.records[index].layer
        assert (caught.value.name, caught.value.index, caught.value.layer) == (name, index, layer)
        assert f"{name} at descriptor {index}, layer {layer}" in str(caught.value) and "Remedy: " in str(caught.value)
        with pytest.raises(BusError, match="BUS_UNMAPPED"):  # the next error is seen, too
            self.accelerator.backend.read(0x20000)
            self.accelerator.segment.run_registers()  # where refused accesses are answered with OKAY
        return caught.value

    def never_end(self, index=1):
        """Make a descriptor work on one block again and again."""
        endless = Descriptor(opcode=spec.OPCODES["MAXPOOL"], taps9=1, blocks=1, groups=0xFFFF, group_outputs=0xFFFE,
                             modulus=2)
        self.accelerator.segment.write_window("PROGRAM", 32 * index, pack_program([endless]))


class Proxy:
    """A backend with some of its methods replaced."""

    def __init__(self, backend, **methods):
        self._backend, self._methods = backend, methods

    def __getattr__(self, name):
        return self._methods[name] if name in self._methods else getattr(self._backend, name)


async def begun(accelerator, image):
    """A task of a run, once the engine is at it."""
    task = asyncio.ensure_future(accelerator.run_async(image))
    while accelerator.segment.fields("CTRL")["IDLE"]:
        await asyncio.sleep(0.001)
    return task


async def cancel(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
