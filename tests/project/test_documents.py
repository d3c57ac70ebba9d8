"""What the documents promise of themselves: README's order and length, the picture of the architecture, one clock."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from riffle.bitstream import hwh

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def test_readme_says_first_what_has_not_been_done():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    order = ["# Riffle", "No bitstream exists", "docs/pictures/demo.svg", "    make demo", "    make test", "|---|"]
    places = [next(i for i, line in enumerate(lines) if part in line) for part in order]
    assert places == sorted(places) and places[1] < 5


@pytest.mark.parametrize("name", ["README.md", "docs/performance.md"])
def test_there_is_one_clock(name):
    """Times are those of the clock that a build has, and what they are made of is said."""
    clocks = set(re.findall(r"\bat ([\d.]+) MHz", (ROOT / name).read_text()))
    assert clocks == {str(hwh.CLOCK_MHZ)}


def test_demo_picture_is_that_of_the_demo():
    text = "".join(ElementTree.parse(ROOT / "docs/pictures/demo.svg").getroot().itertext()).replace("\xa0", " ")
    assert f"ms an image at {hwh.CLOCK_MHZ} MHz" in text and text.index("images/s") < text.index("cycles =")


@pytest.fixture(scope="module")
def drawn():
    """Boxes by name, as left, top, right, bottom; thick wires, as their first and last points."""
    boxes, wires, box = {}, [], None
    for element in ElementTree.parse(ROOT / "docs/pictures/architecture.svg").getroot():
        if element.tag == SVG + "rect" and element.get("x"):
            x, y, width, height = (float(element.get(key)) for key in ("x", "y", "width", "height"))
            box = x, y, x + width, y + height
        elif element.tag == SVG + "text" and element.get("class") == "name":
            boxes[element.text] = box
        elif element.tag == SVG + "path" and "thick" in element.get("class"):
            x = y = 0.0
            points = []
            for step, numbers in re.findall(r"([MHV])([\d.,]+)", element.get("d")):
                values = [float(number) for number in numbers.split(",")]
                x, y = values if step == "M" else (values[0], y) if step == "H" else (x, values[0])
                points.append((x, y))
            wires.append(points)
    return boxes, wires


def touches(box, point, slack=4):
    left, top, right, bottom = box
    return left - slack <= point[0] <= right + slack and top - slack <= point[1] <= bottom + slack


def leads(drawn, begin, end):
    """Whether a wire leads from a box to another, or joins one that does."""
    boxes, wires = drawn
    def arrives(points, rest):
        if touches(boxes[end], points[-1]):
            return True
        x, y = points[-1]
        return any(other is not points and arrives(other, [w for w in rest if w is not other]) for other in rest
                   for (x0, y0), (x1, y1) in zip(other, other[1:], strict=False)
                   if min(x0, x1) - 4 <= x <= max(x0, x1) + 4 and min(y0, y1) - 4 <= y <= max(y0, y1) + 4)
    return any(touches(boxes[begin], points[0]) and arrives(points, [w for w in wires if w is not points])
               for points in wires)


@pytest.mark.parametrize("begin, end, there", [
    ("lattice_shift", "max_pool", True), ("act_memory", "global_average", True), ("max_pool", "act_memory", True),
    ("global_average", "act_memory", True), ("drain", "act_memory", True), ("lattice_shift", "49 x mac_lane", True),
    ("49 x mac_lane", "drain", True), ("49 x mac_lane", "max_pool", False), ("lattice_shift", "global_average", False)])
def test_picture_is_wired_as_the_engine(drawn, begin, end, there):
    """hw/rtl/engine.sv: max_pool reads `shifted`, global_average `act_rdata_i`; all three write."""
    assert leads(drawn, begin, end) is there


PAGES = sorted(path for path in (ROOT / "docs").glob("*.md")) + [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_index_has_every_page():
    text = (ROOT / "docs/index.md").read_text()
    assert all(f"]({page.name})" in text for page in PAGES if page.parent.name == "docs" and page.name != "index.md")
    assert "docs/index.md" in (ROOT / "README.md").read_text()
