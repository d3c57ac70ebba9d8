"""The .hwh that the simulated board loads says what the block design says."""

from xml.etree import ElementTree

import pytest

from block_design import Build, read_ports
from riffle.bitstream import hwh


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """The block design, as its Tcl makes it."""
    folder = tmp_path_factory.mktemp("system")
    build = Build(read_ports(folder)["riffle_ip"], folder)
    assert build.code == 0, build.text
    return build


@pytest.fixture(scope="module")
def handoff(tmp_path_factory):
    """Root element of the .hwh."""
    return ElementTree.parse(hwh.write(tmp_path_factory.mktemp("handoff") / "riffle.hwh")).getroot()


@pytest.fixture(scope="module")
def modules(handoff):
    return {module.get("INSTANCE"): module for module in handoff.iter("MODULE")}


def test_cells(system, modules):
    """Versions apart, which are Vivado's."""
    for name, module in modules.items():
        assert module.get("VLNV").rpartition(":")[0] == system.cells[name].rpartition(":")[0]


def test_addresses(system, handoff):
    ranges = {entry.get("INSTANCE"): (int(entry.get("BASEVALUE"), 16), int(entry.get("HIGHVALUE"), 16))
              for entry in handoff.iter("MEMRANGE")}
    assert ranges == {segment.split("/")[0]: (base, base + size - 1)
                      for segment, (space, base, size) in system.addresses.items() if space == "ps7/Data"}


def test_interrupt_wiring(system, modules):
    ends = {f"{name}/{port.get('NAME')}": ["{INSTANCE}/{PORT}".format(**end.attrib) for end in port.iter("CONNECTION")]
            for name, module in modules.items() for port in module.iter("PORT") if port.get("SIGIS") == "INTERRUPT"}
    for pin in ("axi_intc_0/intr", "ps7/IRQ_F2P"):
        assert ends[pin] == [system.nets[pin]] and ends[system.nets[pin]] == [pin]


def test_interrupt_controller_is_set_to_edge(system, modules):
    parameters = {entry.get("NAME"): entry.get("VALUE") for entry in modules["axi_intc_0"].iter("PARAMETER")}
    wanted = system.properties("axi_intc_0")
    assert parameters == {name: wanted[name] for name in parameters} and parameters["C_KIND_OF_INTR"] == "0xFFFFFFFF"


def test_registers(system, modules):
    offsets = {register.get("NAME"): int(register.find("PROPERTY[@NAME='ADDRESS_OFFSET']").get("VALUE"), 0)
               for register in modules["riffle_0"].iter("REGISTER")}
    assert offsets == {name: int(value, 0)
                       for name, what, value, *_ in system.all("register") if what == "address_offset"}


@pytest.mark.parametrize("wanted, got", [(100, 100), (50, 50), (150, 1000 / 7), (166, 1000 / 6)])
def test_clock(wanted, got):
    """The nearest that a divided 1000 MHz gives: 150 MHz becomes 142.86."""
    first, second = hwh.divisors(wanted)
    assert 1000 / (first * second) == pytest.approx(got)


def test_impossible_clock():
    with pytest.raises(ValueError, match="positive"):
        hwh.divisors(0)
