"""The input ports of a module, and that a bench drives each of them.

Verilator reads an input that nobody drives as 0, so a port that was added later would go untested without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from verilator_root import ROOT

CLOCKS_AND_RESETS = {"clk_i", "rst_ni", "aclk", "aresetn"}


def inputs(module: str) -> list[str]:
    """Names of the inputs of a module of hw/rtl, without clock and reset, in the order of its header.

    Raises
    ------
    RuntimeError
        if its header cannot be read
    """
    text = re.sub(r"//.*", "", (ROOT / "hw" / "rtl" / f"{module}.sv").read_text())
    header = re.search(rf"\bmodule {module}\b(.*?)\);", text, re.DOTALL)
    if not header:
        raise RuntimeError(f"hw/rtl/{module}.sv has no header of module {module}")
    ports = header[1].rpartition("(")[2] if "#" not in header[1] else re.split(r"\)\s*\(", header[1], maxsplit=1)[1]
    names, direction = [], ""
    for port in ports.split(","):
        words = re.sub(r"\[[^]]*\]", " ", port).split()
        direction = words[0] if words[0] in ("input", "output", "inout") else direction
        if direction == "input" and words[-1] not in CLOCKS_AND_RESETS:
            names.append(words[-1])
    return names


def drive(dut, values: Mapping[str, int], bench: Iterable[str] = ()) -> None:
    """Drive the inputs of the module under test, each of them, before its clock starts.

    Parameters
    ----------
    dut
        cocotb's handle of a module of hw/rtl
    values
        for each input
    bench
        patterns of the inputs that something else drives, as `s_axi_*`

    Raises
    ------
    AssertionError
        if an input has no value, or a value no input; names them
    """
    names = inputs(dut._name)
    left = [name for name in names if name not in values and not any(fnmatchcase(name, each) for each in bench)]
    assert not left, (f"{dut._name}: nothing drives {', '.join(left)}. Remedy: give each a value where the bench "
                      "starts, or name it in `bench` if something else drives it")
    unknown = [name for name in values if name not in names]
    assert not unknown, f"{dut._name} has no input {', '.join(unknown)}: hw/rtl/{dut._name}.sv has {', '.join(names)}"
    for name, value in values.items():
        getattr(dut, name).value = value
