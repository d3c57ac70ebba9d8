"""The account of a run, and what is made of it: tables, report, trace, baselines."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from riffle.analysis import cpu_baselines, timing
from riffle.analysis.profile import account
from riffle.analysis.report import page
from riffle.analysis.report.charts import parts_of
from riffle.analysis.trace import trace
from riffle.bitstream import hwh
from riffle.compiler import compile_network
from riffle.graph import reference
from riffle.graph.integer_graph import FullyConnected
from riffle.zoo import catalogue


@pytest.fixture(scope="module", params=["digits", "g3-1x-stage3-residual"])
def measured(request, full_hardware):
    """A run, its account, its times and its network; the second one adds residuals and streams its weights."""
    network = catalogue.find(request.param)
    full_hardware.load(compile_network(network), "ddr")
    image = catalogue.sample_input(network)
    full_hardware.run(image)
    taken, result = timing.measure(full_hardware, image), full_hardware.run(image)
    return result, account(full_hardware, network), taken, network


def test_account_adds_up(measured):
    result, found, _, network = measured
    layers = found.layers()
    assert [e.layer for e in layers] == list(dict.fromkeys(e.layer for e in found.descriptors))
    assert {e.layer for e in layers} == {layer.name for layer in network.layers}
    assert 0 < found.rest < 40 and found.cycles == result.cycles
    for name, total in (("busy", result.busy), ("starved", result.starved), ("macs", found.macs)):
        assert sum(getattr(e, name) for e in layers) == total, name
    for e in layers:
        assert e.busy + e.starved + e.drain <= e.cycles and e.busy <= e.reads <= e.cycles and 0 < e.writes <= e.cycles
        assert sum(parts_of(e, found.peak, 1).values()) == pytest.approx(e.cycles)
    ends = [e.begin + e.cycles for e in found.descriptors]
    assert ends[:-1] == [e.begin for e in found.descriptors[1:]]


def test_writes_are_the_words_of_the_outputs(measured):
    """A convolution writes each of its channels once in each phase, a classifier each byte of a score."""
    _, found, _, network = measured
    for layer in network.layers:
        entry = next(e for e in found.layers() if e.layer == layer.name)
        tensor = network.tensors[layer.output]
        if hasattr(layer, "groups"):
            assert entry.writes == len(layer.weight) * tensor.height * tensor.width // 49
        if isinstance(layer, FullyConnected):
            assert entry.writes == 4 * len(layer.weight)
        if getattr(layer, "residual", None):  # one read for the two pairs of a block
            assert entry.reads - entry.busy == entry.writes // 4


def test_bytes_of_a_frame():
    """1x, g = 3: what the read port must bring for each image."""
    program = compile_network(catalogue.find("g3-1x-c1000"))
    assert program.stream.nbytes + 224 * 224 * 4 <= 2_300_000


def test_report_is_one_page_without_requests(measured):
    result, found, taken, _ = measured
    text = page(found, taken, exact=True, from_ddr=True)
    assert not re.search(r"(src|href)=|@import|url\(|https?://(?!www\.w3\.org/2000/svg)", text)
    assert f"{result.cycles:,}" in text and "bit for bit that of NumPy" in text and "No board was used" in text
    assert "NOT that of NumPy" in page(found, taken, exact=False, from_ddr=True)
    cards = re.findall(r'class="card"><b>(.*?)</b><span>(.*?)</span>', text)
    assert cards[0] == (taken.about, f"{taken.total_ms:.2f} ms an image, at {hwh.CLOCK_MHZ} MHz")
    assert [what.split(":")[0] for _, what in cards[1:4]] == ["engine", "until the image has come", "host"]
    assert taken.total_ms == pytest.approx(taken.engine_ms + taken.waited / 1e5 + taken.host_ms)
    assert taken.engine_ms == pytest.approx(result.milliseconds, rel=0.01)  # the memory is not always as fast
    pictures = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]
    assert [p.get("class") for p in pictures] == ["timeline", "roofline", "bars"]
    rectangles = [r for r in pictures[0].iter() if r.tag.endswith("rect") and r.get("height") == "18"]
    assert len(rectangles) == len(found.descriptors)
    assert float(rectangles[-1].get("x")) + float(rectangles[-1].get("width")) == pytest.approx(960, abs=0.5)


def test_trace_is_what_perfetto_reads(measured):
    _, found, *_ = measured
    data = json.loads(json.dumps(trace(found, 1e8)))
    assert data["otherData"]["clock_hz"] == 1e8 and data["otherData"]["cycles"] == found.cycles
    slices = [e for e in data["traceEvents"] if e["ph"] == "X"]
    for thread in (1, 2):
        track = [e for e in slices if e["tid"] == thread]
        assert sum(e["dur"] for e in track) == pytest.approx((found.cycles - found.rest) / 100)
        assert all(a["ts"] + a["dur"] <= b["ts"] + 1e-6 for a, b in zip(track, track[1:], strict=False))
    assert {e["ph"] for e in data["traceEvents"]} == {"M", "X", "C"}
    assert len([e for e in slices if e["tid"] == 1]) == len(found.descriptors)


def test_baselines_are_exact_or_say_what_is_missing(monkeypatch):
    network = catalogue.find("digits")
    image = catalogue.sample_input(network)
    results, missing = cpu_baselines.measure(network, image, times=1)
    assert all(b.exact and b.milliseconds > 0 for b in results) and len(results) + len(missing) == 2
    monkeypatch.setitem(sys.modules, "torch", None)
    results, missing = cpu_baselines.measure(network, image, times=1)
    assert [b.what.split()[0] for b in results] == ["NumPy"] and "pip install torch" in missing[0]
    outputs = iter([1, 2])  # the reference gives one result, what is measured another
    monkeypatch.setattr(reference, "run", lambda *_: {network.output: np.array(next(outputs, 2))})
    assert not cpu_baselines.measure(network, image, times=1)[0][0].exact
