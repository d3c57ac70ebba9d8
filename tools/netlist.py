"""A netlist of FPGA cells as Yosys writes it: what it is made of, how deep its logic is, how its hard blocks are used.

Words used here: a *level* is one cell of logic (LUT, CARRY4, MUXF7/8, inverter); the depth of a netlist is the largest
number of levels between two cells that are not logic (registers, memories, DSPs) or ports. This is what Yosys' `ltp`
counts after deleting the cells that are not logic. A carry chain of n bits is n / 4 levels then, though a step along it
takes a tenth of a LUT's time: `whole_chains` counts a chain as one level, which says more about the clock.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path

LOGIC = re.compile(r"LUT\d$|CARRY4$|MUXF\d$|INV$")
REGISTER = re.compile(r"FD[CPRS]E")
BLOCK_RAM = re.compile(r"RAMB\d+E1$")
# LUTs of the cells that are made of them
LUTS = {"INV": 1, "RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "SRL16E": 1, "SRLC32E": 1}
COLUMNS = ("dsp", "bram36", "lut", "ff", "carry4")


def resources(cells: Counter[str]) -> dict[str, float]:
    """Counts of XC7 resources, as `COLUMNS` names them, of cells given as {type: how many}."""
    return {
        "dsp": cells["DSP48E1"],
        "bram36": cells["RAMB36E1"] + cells["RAMB18E1"] / 2,
        "lut": sum(n * (1 if re.match(r"LUT\d$", kind) else LUTS.get(kind, 0)) for kind, n in cells.items()),
        "ff": sum(n for kind, n in cells.items() if REGISTER.match(kind)),
        "carry4": cells["CARRY4"],
    }


def read(path: Path) -> dict[str, Module]:
    """The modules of a netlist that hold cells, by Yosys' names."""
    modules = json.loads(path.read_text())["modules"]
    return {name: Module(name, body) for name, body in modules.items()
            if body.get("cells") and not int(body.get("attributes", {}).get("blackbox", "0"), 2)}


def top_of(modules: dict[str, Module]) -> str:
    """The name of the top: Yosys adds parameters to what the source calls it."""
    return next(name for name, module in modules.items() if module.is_top)


class Module:
    """One module of a netlist."""

    def __init__(self, name: str, body: dict):
        self.name = body.get("attributes", {}).get("hdlname", name)  # without parameters
        self.is_top = "top" in body.get("attributes", {})
        self.cells: dict[str, dict] = body["cells"]
        self._nets = body["netnames"]
        self._levels: dict[tuple[int, bool], tuple[int, int | None]] = {}
        self._open: set[int] = set()

    @cached_property
    def counts(self) -> Counter[str]:
        """Cells by type."""
        return Counter(cell["type"] for cell in self.cells.values())

    @cached_property
    def drivers(self) -> dict[int, tuple[dict, str]]:
        """Which cell and port drives a bit; ports of the module drive none."""
        return {bit: (cell, port) for cell in self.cells.values() for port, bits in cell["connections"].items()
                if cell["port_directions"][port] == "output" for bit in bits if isinstance(bit, int)}

    @cached_property
    def names(self) -> dict[int, str]:
        """A readable name of each bit: the shortest that the source gave it."""
        best: dict[int, tuple] = {}
        for name, net in self._nets.items():
            for index, bit in enumerate(net["bits"]):
                key = ("$" in name, name.count("."), len(name), name if len(net["bits"]) == 1 else f"{name}[{index}]")
                if isinstance(bit, int) and (bit not in best or key < best[bit]):
                    best[bit] = key
        return {bit: key[-1] for bit, key in best.items()}

    def levels(self, bit: int, whole_chains: bool = False) -> int:
        """Levels of logic between a bit and the farthest register, hard block or port in front of it."""
        return self._level(bit, whole_chains)[0]

    def start(self, bit: int) -> str:
        """Name of the net at which the longest path to a bit begins."""
        while (before := self._level(bit, False)[1]) is not None:
            bit = before
        return re.sub(r"\[\d+\]", "[]", self.names.get(bit, "a constant"))

    def ends(self) -> dict[str, tuple[int, int]]:
        """The deepest bit in front of each group of registers and hard blocks, as {group: (levels, bit)}.

        A group is a register as the source declares it, all bits of it, or the ports of a hard block.
        """
        groups: dict[str, tuple[int, int]] = {}
        for name, cell in self.cells.items():
            if LOGIC.match(cell["type"]):
                continue
            for port, bits in cell["connections"].items():
                if cell["port_directions"][port] != "input":
                    continue
                for bit in (bit for bit in bits if isinstance(bit, int)):
                    found = (self.levels(bit), bit)
                    group = self._group(name, cell, port)
                    groups[group] = max(groups.get(group, (0, bit)), found)
        return groups

    def depth(self, whole_chains: bool = False) -> int:
        """Most levels between registers, hard blocks and ports."""
        return max((self.levels(bit, whole_chains) for bit in self.drivers), default=0)

    def _level(self, bit: int, whole_chains: bool) -> tuple[int, int | None]:
        """Levels in front of a bit, and the bit one level earlier on the longest path.

        Raises
        ------
        ValueError
            if the logic is a loop
        """
        key = bit, whole_chains
        if key not in self._levels:
            if bit in self._open:
                raise ValueError(f"{self.name}: the logic in front of {self.names.get(bit)} is a loop")
            self._open.add(bit)
            self._levels[key] = max(self._paths(bit, whole_chains), key=lambda path: path[0])
            self._open.discard(bit)
        return self._levels[key]

    def _paths(self, bit: int, whole_chains: bool):
        """(levels, bit before) for every way into the cell that drives a bit."""
        cell, _ = self.drivers.get(bit, (None, ""))
        if not cell or not LOGIC.match(cell["type"]):
            yield 0, None
            return
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                for before in (b for b in bits if isinstance(b, int)):
                    in_chain = whole_chains and port == "CI" and self._is_carry(before)
                    yield self.levels(before, whole_chains) + (not in_chain), before
        yield 1, None  # fed by constants alone

    def _is_carry(self, bit: int) -> bool:
        return self.drivers.get(bit, ({"type": ""}, ""))[0]["type"] == "CARRY4"

    def _group(self, name: str, cell: dict, port: str) -> str:
        output = cell["connections"].get("Q", [None])[0]
        return re.sub(r"\[\d+\]", "[]", f"{self.names.get(output, name)}.{port}")


def block_ram_outputs(flat: Module) -> dict[str, int]:
    """How many block RAMs have nothing but registers behind their data outputs, and how many have logic there."""
    behind: dict[int, set[str]] = defaultdict(set)
    for cell in flat.cells.values():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                kind = "register" if REGISTER.match(cell["type"]) and port == "D" else "logic"
                for bit in bits:
                    behind[bit].add(kind)
    found = Counter()
    for cell in flat.cells.values():
        if BLOCK_RAM.match(cell["type"]):
            kinds = set().union(*(behind[bit] for port in ("DOADO", "DOBDO", "DOPADOP", "DOPBDOP")
                                  for bit in cell["connections"].get(port, ()) if isinstance(bit, int)))
            found["registered" if kinds <= {"register"} else "through_logic"] += 1
    return {"registered": found["registered"], "through_logic": found["through_logic"]}


def array_dsps(lane: Module, lanes: int) -> dict[str, int]:
    """How many DSPs of the multiply-accumulate array use what; `lane` is one mac_lane of `lanes`."""
    dsps = [cell for cell in lane.cells.values() if cell["type"] == "DSP48E1"]

    def parameter(cell: dict, name: str) -> int:
        return int(cell["parameters"][name], 2)

    def connected(cell: dict, port: str) -> bool:
        return any(isinstance(bit, int) for bit in cell["connections"].get(port, ()))

    return {
        "dsp": lanes * len(dsps),
        "a_b_registers": lanes * sum(parameter(c, "AREG") == parameter(c, "BREG") == 1 for c in dsps),
        "m_register": lanes * sum(parameter(c, "MREG") == 1 for c in dsps),
        "p_register": lanes * sum(parameter(c, "PREG") == 1 for c in dsps),
        "pcin_cascade": lanes * sum(connected(c, "PCIN") for c in dsps),
        "two_weights": lanes * sum(len(set(c["connections"]["A"][:25])) == 16 for c in dsps),
    }
