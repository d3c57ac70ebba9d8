"""event_counter: counts through the carry between its halves, restarts with the event of that cycle."""

import random

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from ports import drive
from runner import simulate


@cocotb.test()
async def counts(dut):
    """Runs of events of all densities; restarts now and then, also at the carry."""
    width = len(dut.count_o)
    drive(dut, {"restart_i": 1, "event_i": 0})
    cocotb.start_soon(Clock(dut.clk_i, 10, unit="ns").start())
    await FallingEdge(dut.clk_i)
    expected, carries = 0, 0
    for _ in range(40):
        density, restart_rate = random.choice([0.1, 0.5, 0.9, 1]), random.choice([0, 0, 0.02])
        for _ in range(200):
            event, restart = random.random() < density, random.random() < restart_rate
            dut.event_i.value, dut.restart_i.value = event, restart
            before, expected = expected, ((0 if restart else expected) + event) % 2 ** width
            carries += before >> width // 2 != expected >> width // 2
            await FallingEdge(dut.clk_i)
            assert dut.count_o.value.to_unsigned() == expected
    assert carries > 100


@pytest.mark.parametrize("width", [4, 8])
def test_event_counter(width):
    simulate("event_counter", __file__, Width=width)
