"""The accelerator, mapped to the FPGA: counts on a reduced lattice are those committed; netlists are read rightly."""

import json
from pathlib import Path

import pytest

import netlist
import resources
import resources_page

ROOT = Path(__file__).resolve().parents[2]
ACCEPT = "if that is meant: python tools/resources.py --small, and commit tools/resources_small.json"


@pytest.fixture(scope="module")
def small():
    return resources.measure("small")


@pytest.fixture(scope="module")
def committed():
    return json.loads(resources.SMALL.read_text())


def test_counts_are_the_committed_ones(small, committed):
    """Hard blocks to the unit; logic within 2 %, which is more than versions of Yosys differ."""
    for name in ("dsp", "bram36"):
        assert small[name] == committed[name], f"{name}: {ACCEPT}"
    for name in ("lut", "ff", "carry4"):
        assert small[name] == pytest.approx(committed[name], rel=0.02), f"{name}: {ACCEPT}"
    for name in ("logic_depth", "logic_depth_whole_chains"):
        assert small[name] <= committed[name], f"{name}, from and to: {small['deepest'][:3]}; {ACCEPT}"


def test_clock_is_not_held_up(small):
    """The levels of logic that are aimed at, and nothing between a block RAM and its output register."""
    assert small["logic_depth"] <= resources.LIMITS["logic_depth"], f"from and to: {small['deepest'][:3]}"
    assert small["block_ram_outputs"]["through_logic"] == 0


def test_every_module_is_counted(small, committed):
    assert small["modules"].keys() == committed["modules"].keys(), ACCEPT
    for column in netlist.COLUMNS:  # borders are kept, so that the modules add up to the whole but for what is swept
        total = sum(row[column] for row in small["modules"].values())
        assert total == pytest.approx(small[column], rel=0.02), column


def test_array_uses_its_dsps(small):
    array, lanes = small["array"], 2 * 3
    assert array["dsp"] == 4 * lanes
    for name in ("a_b_registers", "m_register", "p_register", "two_weights"):
        assert array[name] == array["dsp"], name
    assert array["pcin_cascade"] == 3 * lanes


def test_copies_of_registers_stay_apart():
    """What is marked so that its nets are short: by `keep` for Yosys, by `dont_touch` for Vivado; no bit is shared."""
    result = resources.synthesise("riffle-small", **resources.parameters_of("small"))
    modules = json.loads(result.flat.read_text())["modules"].values()
    top, = (module for module in modules if "top" in module["attributes"])
    marked = {name: net["bits"] for name, net in top["netnames"].items() if "dont_touch" in net["attributes"]}
    names = {name.rsplit(".", 1)[-1] for name in marked}
    assert {"row_weight_q", "row_first_q", "row_bias_q", "first_q", "dy_q", "dx_q", "merging_q", "unit_take_q"} <= names
    bits = [bit for bits in marked.values() for bit in bits if isinstance(bit, int)]
    assert len(bits) == len(set(bits)) and len(marked["u_engine.row_weight_q"]) == 2 * 64
    for path in (ROOT / "hw" / "rtl").glob("*.sv"):
        text = path.read_text()
        assert "keep_hierarchy" not in text, f"{path.name}: nothing could be retimed across the module's border"
        alone = text.count("(* keep *)") - text.count("(* keep *) logic [3:0][15:0] packed_q")
        assert not alone, f"{path.name}: Vivado merges copies that are kept without dont_touch"


def test_depth_is_what_yosys_counts(small):
    assert small["logic_depth"] == resources.synthesise("riffle-small", **resources.parameters_of("small")).longest_path


def cell(kind, inputs, outputs):
    connections = {**inputs, **outputs}
    return {"type": kind, "connections": connections, "parameters": {},
            "port_directions": {name: "output" if name in outputs else "input" for name in connections}}


def test_levels_of_a_carry_chain():
    """register 2 -> LUT -> CARRY4 -> CARRY4 -> register 9: three levels, two with the chain as one."""
    body = {"netnames": {"a_q": {"bits": [2]}, "sum_q": {"bits": [9]}}, "cells": {
        "a": cell("FDRE", {"D": [7]}, {"Q": [2]}),
        "lut": cell("LUT1", {"I0": [2]}, {"O": [3]}),
        "low": cell("CARRY4", {"S": [3, "0", "0", "0"], "CI": ["0"]}, {"CO": [4, 5, 6, 8], "O": [7, 10, 11, 12]}),
        "high": cell("CARRY4", {"S": ["0", "0", "0", "0"], "CI": [8]}, {"CO": [13, 14, 15, 16], "O": [17, 18, 19, 20]}),
        "sum": cell("FDRE", {"D": [17]}, {"Q": [9]})}}
    module = netlist.Module("toy", body)
    assert (module.depth(), module.depth(whole_chains=True)) == (3, 2)
    assert module.ends()["sum_q.D"] == (3, 17) and module.start(17) == "a_q"
    assert netlist.resources(module.counts) == {"dsp": 0, "bram36": 0, "lut": 1, "ff": 2, "carry4": 2}


def test_loop_is_refused():
    body = {"netnames": {"x": {"bits": [2]}}, "cells": {"lut": cell("LUT1", {"I0": [2]}, {"O": [2]})}}
    with pytest.raises(ValueError, match="loop"):
        netlist.Module("toy", body).depth()


def test_report_names_what_is_over_the_limit(small):
    over = {**small, "lut": 40_001, "logic_depth": 6}
    assert resources.excesses(over) == ["lut is 40001, more than 40000"]
    page = resources_page.markdown(over, resources.LIMITS, resources.excesses(over))
    assert "Over the limit: lut is 40001" in page
