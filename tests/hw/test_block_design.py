"""The Tcl that builds the bitstream, run by tclsh against a stand-in for Vivado's commands (tests/hw/vivado).

Vivado itself was never run on it. What is shown: the commands fit together, every pin is connected and clocked, and
RTL, spec and block design agree on ports, addresses, VLNV and interrupt.
"""

import re
import shutil
from pathlib import Path

import pytest

from block_design import BOARD, ROOT, Build, facts, interfaces, read_ports
from riffle.bitstream import hwh
from riffle.isa import spec


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    return read_ports(tmp_path_factory.mktemp("ports"))


@pytest.fixture(scope="module")
def system(modules, tmp_path_factory):
    build = Build(modules["riffle_ip"], tmp_path_factory.mktemp("system"))
    assert build.code == 0, build.text
    return build


@pytest.fixture(scope="module")
def cores(modules, tmp_path_factory):
    build = Build(modules["riffle_ip"], tmp_path_factory.mktemp("cores"), design="cores")
    assert build.code == 0, build.text
    return build


def test_ip_has_the_ports_of_the_rtl(modules):
    """The Verilog around riffle.sv: same names, directions and widths, and each port belongs to an interface."""
    def shape(name):
        return {port: (direction, bits) for port, (direction, bits, _) in modules[name].items()}

    axi3 = {"m_axi_arlen": ("output", 4), "m_axi_arlock": ("output", 2)}  # of S_AXI_HP0
    assert shape("riffle_ip") == shape("riffle") | axi3
    assert "PROTOCOL AXI3" in modules["riffle_ip"]["m_axi_arid"][2]["X_INTERFACE_PARAMETER"]
    for name, (kind, logical) in interfaces(modules["riffle_ip"]).items():
        for signal, port in logical.items():
            assert port == (f"{name}_{signal.lower()}" if kind == "aximm" else name)
    clock = modules["riffle_ip"]["aclk"][2]["X_INTERFACE_PARAMETER"]
    associated = re.search(r"ASSOCIATED_BUSIF ([\w:]+)", clock)[1].split(":")
    assert set(associated) == {n for n, (kind, _) in interfaces(modules["riffle_ip"]).items() if kind == "aximm"}


def test_connections(system):
    """GP0 -> interconnect -> Riffle and interrupt controller -> IRQ_F2P[0]."""
    buses = system.buses
    assert buses["ps7/M_AXI_GP0"] == "gp0/S00_AXI"
    assert {buses["gp0/M00_AXI"], buses["gp0/M01_AXI"]} == {"riffle_0/s_axi", "axi_intc_0/s_axi"}
    assert system.nets["axi_intc_0/intr"] == "riffle_0/interrupt"
    assert system.nets["ps7/IRQ_F2P"] == "axi_intc_0/irq"
    assert ["validate_bd_design"] in system.all("call")


@pytest.mark.parametrize("design", ["system", "cores"])
def test_one_clock(design, request):
    """Every clock pin hangs on FCLK_CLK0, every reset pin on the reset that is synchronous to it."""
    nets = request.getfixturevalue(design).nets
    clocks = {pin: driver for pin, driver in nets.items() if re.search(r"(?i)a?clk$", pin)}
    assert len(clocks) > 6 and set(clocks.values()) == {"ps7/FCLK_CLK0"}
    resets = {driver for pin, driver in nets.items() if re.search(r"(?i)(resetn|rst_n)$", pin)}
    assert resets == {"reset/peripheral_aresetn", "reset/interconnect_aresetn"}


def test_addresses_are_those_of_the_spec(system):
    addresses = system.addresses
    assert addresses["riffle_0/s_axi/reg0"] == ("ps7/Data", spec.SEGMENT_BASE, spec.SEGMENT_SIZE)
    assert addresses["axi_intc_0/S_AXI/Reg"] == ("ps7/Data", hwh.INTERRUPT_BASE, hwh.INTERRUPT_SIZE)


def test_vlnv_and_registers_are_those_of_the_spec(system):
    assert system.cells["riffle_0"] == spec.VLNV
    offsets = {name: int(value, 0) for name, what, *rest in system.all("register") if what == "address_offset"
               for value in rest}
    assert offsets == spec.REGISTERS
    lows = {tuple(name.split(":")): int(value) for name, what, value, *_ in system.all("register")
            if what == "bit_offset"}
    assert lows == {(name, field): low for name, fields in spec.REGISTER_FIELDS.items()
                    for field, (low, _, _) in fields.items()}
    assert ["set_property", "block:reg0", "usage", "register"] in system.all("call")


def test_read_master_goes_to_hp0(modules, system):
    """S_AXI_HP0, 64 bits wide like the port, for all of the DDR, on the one clock."""
    assert modules["riffle"]["m_axi_rdata"][1] == 64
    assert system.properties("ps7")["PCW_S_AXI_HP0_DATA_WIDTH"] == "64"
    assert system.buses["riffle_0/m_axi"] == "hp0/S00_AXI" and system.buses["hp0/M00_AXI"] == "ps7/S_AXI_HP0"
    assert system.addresses["ps7/S_AXI_HP0/HP0_DDR_LOWOCM"] == ("riffle_0/m_axi", 0, 0x2000_0000)
    assert system.nets["ps7/S_AXI_HP0_ACLK"] == "ps7/FCLK_CLK0"


def test_board_settings(system):
    ps7 = system.properties("ps7")
    assert ps7["PCW_UIPARAM_DDR_BUS_WIDTH"] == "16 Bit" and ps7["PCW_UIPARAM_DDR_FREQ_MHZ"] == "525"
    assert ps7["PCW_APU_PERIPHERAL_FREQMHZ"] == "650" and ps7["PCW_FPGA0_PERIPHERAL_FREQMHZ"] == "100"
    assert system.properties("axi_intc_0")["C_KIND_OF_INTR"] == "0xFFFFFFFF"


def test_hardware_knows_its_build(system):
    """CAPS.ENGINE and BUILD_HASH come from the parameters; the manifest has the same hash."""
    assert system.properties("riffle_0") == {"Engine": "0", "BuildHash": "0x" + facts()["facts"]("rtl")["build_hash"]}


def test_newest_ip_is_taken(system):
    """As numbers, not as text: 4.10 comes after 4.9."""
    assert system.cells["axi_intc_0"].endswith(":4.10") and system.cells["gp0"].endswith(":2.1")


def test_sources_exist_and_end_with_the_top(system):
    files = [Path(path) for path, in system.all("file")]
    assert files[:-1] == facts()["sources"]("rtl") and files[-1].name == "wrapper.v"


@pytest.mark.parametrize("generated", ["gen", "srcs"])
def test_results_are_collected(modules, tmp_path, generated):
    """Vivado 2020.2 and later put the .hwh in different places; the packager may or may not see the memory map."""
    build = Build(modules["riffle_ip"], tmp_path, STAND_IN_GENERATED=generated, STAND_IN_MAPS=int(generated == "gen"))
    assert build.code == 0, build.text
    assert {"riffle.bit", "riffle.hwh", "timing.rpt", "results.txt"} <= {path.name for path in tmp_path.iterdir()}


def test_missed_timing_fails_with_the_path(modules, tmp_path):
    build = Build(modules["riffle_ip"], tmp_path, STAND_IN_SLACK=-0.123)
    assert build.code != 0 and not (tmp_path / "riffle.bit").exists()
    assert re.search(r"timing is not met \(setup slack -0\.123 ns\): from u_a/C to\s+u_b/D, 7 levels", build.text)


def test_cores_share_two_memories(cores):
    """Each core between the two BRAM controllers, the chain without copying, no address twice."""
    buses = cores.buses
    for index, (core, source) in enumerate([("grouped_pointwise", "a"), ("depthwise", "b"), ("channel_shuffle", "a")]):
        target = {"a": "b", "b": "a"}[source]
        assert buses[f"{core}/source_PORTA"] == f"share_{source}/core{index}"
        assert buses[f"{core}/target_PORTA"] == f"share_{target}/core{index}"
        assert cores.nets[f"interrupts/In{index}"] == f"{core}/interrupt"
    size = 4 * int(re.search(r"kMapWords = (\d+)", (ROOT / "hls/include/riffle/map.hpp").read_text())[1])
    for name in "ab":
        assert buses[f"control_{name}/BRAM_PORTA"] == f"memory_{name}/BRAM_PORTA"
        assert cores.addresses[f"control_{name}/S_AXI/Mem0"][2] == size
    assert len(cores.addresses) == 6


@pytest.mark.parametrize("script, old, new, complaint", [
    ("blocks.tcl", "xilinx.com:ip:axi_intc", "xilinx.com:ip:axi_interrupt", "no IP"),
    ("blocks.tcl", "C_KIND_OF_EDGE 0x", "C_KIND_OF_EDGES 0x", "has no property"),
    ("blocks.tcl", "  resets axi_intc_0/s_axi_aresetn", "", "axi_intc_0/s_axi_aresetn is open"),
    ("blocks.tcl", "wire axi_intc_0/irq ps7/IRQ_F2P", "wire axi_intc_0/irq ps7/IRQ_F2P axi_intc_0/intr", "twice"),
    ("system.tcl", "clocked riffle_0/aclk", "resets riffle_0/aclk", "may not drive"),
    ("system.tcl", "at_address riffle_0/s_axi/reg0", "#", "has no address"),
    ("package.tcl", "ipx::save_core", "ipx::store_core", "invalid command name"),
    ("ps7.tcl", "PCW_USE_M_AXI_GP0 1", "PCW_USE_M_AXI_GP0 0", "has no ps7/M_AXI_GP0"),
])
def test_stand_in_refuses(modules, tmp_path, script, old, new, complaint):
    """One wrong word in a copy of the Tcl, and the build stops."""
    copy = tmp_path / "tcl"
    shutil.copytree(BOARD, copy)
    text = (copy / script).read_text()
    assert old in text
    (copy / script).write_text(text.replace(old, new, 1))
    build = Build(modules["riffle_ip"], tmp_path, scripts=copy)
    assert build.code != 0 and complaint in build.text
