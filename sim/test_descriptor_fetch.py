"""descriptor_fetch: every descriptor comes as it lies in the memory, and is judged as riffle.isa.emulator judges it."""

import random

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from cycles import begin, generator
from random_programs import random_descriptor
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor
from riffle.isa.emulator import contradiction
from riffle.isa.spec import ERROR_CODES
from runner import simulate

LATENCY, MEMORY = 12, 2  # cycles: of a fetch, of the program memory
BITS = {name: bits for name, (_, bits, _) in spec.DESCRIPTOR_FIELDS.items()}


class Memory:
    """The program memory behind the module."""

    def __init__(self, dut):
        self.dut, self.words, self.answers = dut, np.zeros(spec.DESCRIPTORS * spec.DESCRIPTOR_WORDS, np.uint32), [0]

    async def cycle(self) -> None:
        await RisingEdge(self.dut.clk_i)
        self.answers.append(int(self.words[int(self.dut.program_addr_o.value)]))
        self.dut.program_rdata_i.value = self.answers.pop(0)

    async def fetch(self, index: int) -> None:
        self.dut.fetch_i.value, self.dut.index_i.value = 1, index
        await self.cycle()
        self.dut.fetch_i.value, self.dut.index_i.value = 0, random.randrange(256)


def judge(d: Descriptor) -> tuple[int, int]:
    if d.opcode not in spec.OPCODES.values():
        return ERROR_CODES["UNKNOWN_OPCODE"], d.opcode
    return ERROR_CODES["BAD_DESCRIPTOR" if contradiction(d) else "NONE"], 0


def spoiled(rng, d: Descriptor) -> Descriptor:
    """A descriptor with some fields changed, to extremes more often than not."""
    for name in rng.choice(list(BITS), int(rng.integers(0, 3)), replace=False):
        signed = name in ("zero_point", "fill")
        value = int(rng.choice([0, 1, 2, (1 << BITS[name]) - 1, int(rng.integers(1 << BITS[name]))]))
        d = d.replace(**{str(name): value & (1 << BITS[name]) - 1 if not signed else value % 128})
    return d


@cocotb.test()
async def descriptors_are_fetched_and_judged(dut):
    rng, memory, seen = generator(), Memory(dut), set()
    await begin(dut, fetch_i=0, index_i=0, program_rdata_i=0)
    for _ in range(600):
        index, d = int(rng.integers(256)), spoiled(rng, random_descriptor(rng, 512, 0, 512))
        memory.words[8 * index:8 * index + 8] = d.pack()
        await memory.fetch(index)
        if rng.random() < 0.1:  # another fetch drops the first
            for _ in range(int(rng.integers(1, LATENCY))):
                await memory.cycle()
            await memory.fetch(index)
        for cycle in range(1, LATENCY + 1):
            await memory.cycle()  # the outputs are now what that cycle had
            assert bool(dut.valid_o.value) == (cycle == LATENCY), f"after {cycle} cycles"
        words = int(dut.descriptor_o.value).to_bytes(4 * spec.DESCRIPTOR_WORDS, "little")
        assert Descriptor.unpack(np.frombuffer(words, "<u4")) == d
        assert (int(dut.error_o.value), int(dut.error_detail_o.value)) == judge(d), f"{d}: {contradiction(d)}"
        seen.add((judge(d)[0], contradiction(d)))
    assert len(seen) > 10, f"only {seen} happened"


def test_descriptor_fetch():
    simulate("descriptor_fetch", __file__)
