"""The hardware handoff file of the block design, for simulation: what PYNQ reads of a .hwh, from the spec.

Vivado writes the real one beside the bitstream; hw/board/pynq_z2/system.tcl is the design that both describe, and
tests/bitstream/test_hwh.py holds this one to it.

    python -m riffle.bitstream.hwh build/riffle.hwh

The open flow (hw/board/open) has no Vivado to write one: --polling leaves out the interrupt controller, which is not
there either.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from riffle.errors import InputError
from riffle.isa import spec

INTERRUPT_BASE, INTERRUPT_SIZE = 0x4180_0000, 0x1_0000
CLOCK_MHZ = 100  # of a build, by default; what turns cycles into time wherever no board says another
PLL_MHZ = 1000  # IO PLL, of which the fabric's clock is divided
PROCESSOR, ACCELERATOR, INTERRUPTS = "ps7", "riffle_0", "axi_intc_0"
ACCESS = {"ro": "read-only", "rw": "read-write", "wo": "write-only", "w1c": "read-write"}


def write(path: str | Path, clock_mhz: float = CLOCK_MHZ, polling: bool = False) -> Path:
    """Write the file.

    Parameters
    ----------
    path
        where; PYNQ wants the .bit with the same stem beside it
    clock_mhz
        clock of the fabric; the nearest that the processor can divide is what PYNQ will set
    polling
        there is no interrupt controller

    Returns
    -------
    Path
        of the file
    """
    root = Element("EDKSYSTEM", EDWVERSION="1.2", TIMESTAMP="simulation", VIVADOVERSION="2022.1")
    SubElement(root, "SYSTEMINFO", ARCH="zynq", DEVICE="7z020", NAME="riffle", PACKAGE="clg400", SPEEDGRADE="-1")
    SubElement(root, "EXTERNALPORTS")
    SubElement(root, "EXTERNALINTERFACES")
    modules = SubElement(root, "MODULES")
    _processor(modules, clock_mhz)
    _accelerator(modules)
    if polling:
        _remove(modules, INTERRUPTS)
    else:
        _interrupts(modules)
    ElementTree.indent(root)
    path = Path(path)
    ElementTree.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)
    return path


def divisors(clock_mhz: float) -> tuple[int, int]:
    """The two divisors (1 to 63 each) that bring the fabric's clock nearest to `clock_mhz`.

    Raises
    ------
    ValueError
        if the clock is not positive
    """
    if clock_mhz <= 0:
        raise InputError(f"the fabric's clock must be positive, not {clock_mhz} MHz")
    return min(((a, b) for a in range(1, 64) for b in range(1, 64)),
               key=lambda pair: (abs(PLL_MHZ / (pair[0] * pair[1]) - clock_mhz), pair[1]))


def _processor(modules: Element, clock_mhz: int) -> None:
    first, second = divisors(clock_mhz)
    parameters = {"PCW_FPGA_FCLK0_ENABLE": 1, "PCW_FCLK0_PERIPHERAL_CLKSRC": "IO PLL",
                  "PCW_FCLK0_PERIPHERAL_DIVISOR0": first, "PCW_FCLK0_PERIPHERAL_DIVISOR1": second}
    for index in (1, 2, 3):  # PYNQ wants all four
        parameters |= {f"PCW_FPGA_FCLK{index}_ENABLE": 0, f"PCW_FCLK{index}_PERIPHERAL_CLKSRC": "IO PLL",
                       f"PCW_FCLK{index}_PERIPHERAL_DIVISOR0": 10, f"PCW_FCLK{index}_PERIPHERAL_DIVISOR1": 1}
    processor = _module(modules, PROCESSOR, "xilinx.com:ip:processing_system7:5.5", parameters)
    ports = processor.find("PORTS")
    _port(ports, "O", "M_AXI_GP0_AWADDR", "gp0", [(ACCELERATOR, "s_axi_awaddr"), (INTERRUPTS, "s_axi_awaddr")])
    _port(ports, "I", "IRQ_F2P", "irq", [(INTERRUPTS, "irq")], interrupt=True)
    _bus(processor, "M_AXI_GP0", "MASTER", "M_AXI_GP0_AWADDR")
    memory = processor.find("MEMORYMAP")
    for instance, segment, base, size in address_map():
        SubElement(memory, "MEMRANGE", ADDRESSBLOCK=segment, BASEVALUE=f"0x{base:08X}",
                   HIGHVALUE=f"0x{base + size - 1:08X}", INSTANCE=instance, IS_DATA="TRUE",
                   MASTERBUSINTERFACE="M_AXI_GP0", MEMTYPE="REGISTER", SLAVEBUSINTERFACE="s_axi")


def address_map() -> list[tuple[str, str, int, int]]:
    """What the processor sees: (cell, address block, base address, bytes)."""
    return [(ACCELERATOR, "reg0", spec.SEGMENT_BASE, spec.SEGMENT_SIZE),
            (INTERRUPTS, "Reg", INTERRUPT_BASE, INTERRUPT_SIZE)]


def _accelerator(modules: Element) -> None:
    module = _module(modules, ACCELERATOR, spec.VLNV, {})
    ports = module.find("PORTS")
    _port(ports, "I", "s_axi_awaddr", "gp0", [(PROCESSOR, "M_AXI_GP0_AWADDR")])
    _port(ports, "O", "interrupt", "interrupt", [(INTERRUPTS, "intr")], interrupt=True)
    _bus(module, "s_axi", "SLAVE", "s_axi_awaddr")
    block = SubElement(module.find("ADDRESSBLOCKS"), "ADDRESSBLOCK", ACCESS="read-write", INTERFACE="s_axi",
                       NAME="reg0", RANGE=str(spec.SEGMENT_SIZE), USAGE="register")
    registers = SubElement(block, "REGISTERS")
    for name, offset in spec.REGISTERS.items():
        register = SubElement(registers, "REGISTER", NAME=name)
        _properties(register, DESCRIPTION=name, ADDRESS_OFFSET=f"0x{offset:x}", SIZE=32, ACCESS="read-write",
                    IS_ENABLED="true", RESET_VALUE=spec.REGISTER_RESETS.get(name, 0))
        fields = SubElement(register, "FIELDS")
        for field, (low, width, access) in spec.REGISTER_FIELDS[name].items():
            _properties(SubElement(fields, "FIELD", NAME=field), DESCRIPTION=field, ADDRESS_OFFSET=0,
                        ACCESS=ACCESS[access], BIT_OFFSET=low, BIT_WIDTH=width)


def _interrupts(modules: Element) -> None:
    module = _module(modules, INTERRUPTS, "xilinx.com:ip:axi_intc:4.1",
                     {"C_KIND_OF_INTR": "0xFFFFFFFF", "C_KIND_OF_EDGE": "0xFFFFFFFF", "C_IRQ_CONNECTION": 1})
    ports = module.find("PORTS")
    _port(ports, "I", "s_axi_awaddr", "gp0", [(PROCESSOR, "M_AXI_GP0_AWADDR")])
    _port(ports, "I", "intr", "interrupt", [(ACCELERATOR, "interrupt")], interrupt=True)
    _port(ports, "O", "irq", "irq", [(PROCESSOR, "IRQ_F2P")], interrupt=True)
    _bus(module, "s_axi", "SLAVE", "s_axi_awaddr")


def _module(modules: Element, instance: str, vlnv: str, parameters: dict[str, object]) -> Element:
    """A cell with the empty lists that PYNQ expects to find in each."""
    *_, kind, version = vlnv.split(":")
    module = SubElement(modules, "MODULE", FULLNAME=f"/{instance}", HWVERSION=version, INSTANCE=instance, VLNV=vlnv,
                        IPTYPE="PERIPHERAL", IS_ENABLE="1", MODCLASS="PERIPHERAL", MODTYPE=kind)
    if instance == PROCESSOR:
        module.set("IS_PL", "FALSE")
    for name in ("ADDRESSBLOCKS", "PARAMETERS", "PORTS", "BUSINTERFACES", "MEMORYMAP"):
        SubElement(module, name)
    for name, value in parameters.items():
        SubElement(module.find("PARAMETERS"), "PARAMETER", NAME=name, VALUE=str(value))
    return module


def _port(ports: Element, direction: str, name: str, net: str, ends: list[tuple[str, str]],
          interrupt: bool = False) -> None:
    port = SubElement(ports, "PORT", DIR=direction, NAME=name, SIGIS="INTERRUPT" if interrupt else "undef", SIGNAME=net)
    if interrupt and direction == "I":
        port.set("LEFT", "0")
        port.set("RIGHT", "0")
    connections = SubElement(port, "CONNECTIONS")
    for instance, end in ends:
        SubElement(connections, "CONNECTION", INSTANCE=instance, PORT=end)


def _bus(module: Element, name: str, kind: str, port: str) -> None:
    bus = SubElement(module.find("BUSINTERFACES"), "BUSINTERFACE", BUSNAME="gp0", DATAWIDTH="32", NAME=name, TYPE=kind,
                     VLNV="xilinx.com:interface:aximm:1.0")
    SubElement(SubElement(bus, "PORTMAPS"), "PORTMAP", LOGICAL="AWADDR", PHYSICAL=port)


def _remove(modules: Element, instance: str) -> None:
    """Take out everything that leads to a cell that is not there."""
    for parent in list(modules.iter()):
        for child in list(parent):
            if child.get("INSTANCE") == instance or child.get("NAME") == "IRQ_F2P":
                parent.remove(child)


def _properties(element: Element, **values: object) -> None:
    for name, value in values.items():
        SubElement(element, "PROPERTY", NAME=name, VALUE=str(value))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m riffle.bitstream.hwh", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--clock", type=float, default=CLOCK_MHZ, help="MHz of the fabric")
    parser.add_argument("--polling", action="store_true", help="without interrupt controller")
    arguments = parser.parse_args()
    print(write(arguments.file, arguments.clock, arguments.polling))


if __name__ == "__main__":
    main()
