"""ports: a bench that leaves an input undriven, or drives what is none, is told which."""

from types import SimpleNamespace

import pytest

from ports import drive, inputs
from rtl_sources import file_list


class Handle:
    """cocotb's handle of a module, as far as `drive` sees it."""

    def __init__(self, module: str):
        self._name = module
        for name in inputs(module):
            setattr(self, name, SimpleNamespace(value=None))


def test_every_input_of_every_module_is_found():
    for path in file_list():
        if path.stem.endswith("_pkg"):
            continue
        declared = [line for line in path.read_text().splitlines() if line.lstrip().startswith("input ")]
        assert len(inputs(path.stem)) == len(declared) - sum(
            word in line for line in declared for word in ("clk_i", "rst_ni", "aclk", "aresetn")), path.stem
    assert inputs("word_memory") == ["we_i", "waddr_i", "wdata_i", "raddr_i"]


def test_undriven_inputs_are_refused():
    dut = Handle("host_bus")
    values = dict.fromkeys(inputs("host_bus"), 0)
    drive(dut, values)
    assert dut.ring_i.value == 0
    without = {name: value for name, value in values.items() if name != "ring_i"}
    with pytest.raises(AssertionError, match="host_bus: nothing drives ring_i. Remedy: give each a value"):
        drive(dut, without)
    drive(dut, without, bench=["ring_*"])
    with pytest.raises(AssertionError, match="host_bus has no input ringi"):
        drive(dut, values | {"ringi": 0})
