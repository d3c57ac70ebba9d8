"""Plays inputs into a module cycle by cycle, and keeps its outputs: for modules whose contract is a timing diagram."""

import random

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from ports import drive


def generator():
    """A NumPy generator that follows the test's seed."""
    return np.random.default_rng(random.getrandbits(32))


async def begin(dut, **inputs):
    """Start the clock and, where there is one, reset with these inputs, which must be all that the module has."""
    drive(dut, inputs)
    Clock(dut.clk_i, 10, unit="ns").start()
    if hasattr(dut, "rst_ni"):
        dut.rst_ni.value = 0
        for _ in range(4):
            await RisingEdge(dut.clk_i)
        dut.rst_ni.value = 1
    else:
        await RisingEdge(dut.clk_i)  # the first edge is that of the beginning, before the inputs are there


async def play(dut, inputs: dict[str, list[int]], outputs: list[str]) -> dict[str, list[int]]:
    """inputs[name][c] is driven in cycle c; returns the outputs in the same way."""
    seen = {name: [] for name in outputs}
    for values in zip(*inputs.values(), strict=True):
        for name, value in zip(inputs, values, strict=True):
            getattr(dut, name).value = int(value)
        await RisingEdge(dut.clk_i)  # what is read now is what the cycle that ends had
        for name in outputs:
            seen[name].append(int(getattr(dut, name).value))
    return seen


def delayed(values: list[int], cycles: int, length: int, idle: int = 0) -> list[int]:
    """A list of `length` cycles in which the values come `cycles` later."""
    return ([idle] * cycles + list(values) + [idle] * length)[:length]


def pack(values, bits: int) -> int:
    """Fields of `bits` side by side, the first lowest."""
    return sum((int(value) & (1 << bits) - 1) << bits * i for i, value in enumerate(values))


def unpack(word: int, bits: int, count: int) -> np.ndarray:
    """The same backwards, signed."""
    fields = np.array([word >> bits * i & (1 << bits) - 1 for i in range(count)])
    return fields - ((fields >> bits - 1) << bits)
