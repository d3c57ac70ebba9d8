"""What an image costs the host, as `riffle bench --host` shows it: the words are promised, the time is measured."""

import json
import sys

import numpy as np
import pytest

import riffle
from riffle import cli
from riffle.analysis import bus_traffic
from riffle.compiler import compile_network
from riffle.errors import HardwareError
from riffle.zoo import digits


@pytest.mark.parametrize("way, words, blocks", [
    ("window", {"IMAGE": 28 * 28, "ACTIVATIONS": 4 * 10, "REGISTERS": 15}, 2),
    ("ddr", {"ACTIVATIONS": 4 * 10, "REGISTERS": 17}, 1)])
def test_words_and_time_of_an_image(full_hardware, way, words, blocks):
    network, (images, labels) = digits.network(), digits.held_out()
    full_hardware.load(compile_network(network), images=way)
    library = full_hardware.backend._library
    work = bus_traffic.measure(full_hardware, images[0], repeat=3)
    assert work.words == words and work.accesses == words["REGISTERS"] - 5 + blocks  # six registers in one access
    assert 0 < work.python_ms < 20 and work.simulated_ms > work.python_ms, work
    assert full_hardware.backend._library is library and full_hardware.segment.backend is full_hardware.backend
    assert full_hardware.run(images[0]).label == str(labels[0])


def test_time_needs_a_model(full_hardware):
    accelerator = riffle.open("numpy", configuration="small")
    with pytest.raises(HardwareError, match="on simulated hardware only. Remedy: open the backend 'rtl'"):
        bus_traffic.measure(accelerator, np.zeros((8, 12), np.uint8))


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_command(monkeypatch, capsys, options):
    monkeypatch.setattr(sys, "argv", ["riffle", "bench", "--host", "--only", "digits", *options])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    out = capsys.readouterr().out
    assert stop.value.code in (0, None)
    if options:
        fetched, written = json.loads(out)
        assert written["words"]["IMAGE"] == 784 and "IMAGE" not in fetched["words"] and fetched["python_ms"] > 0
    else:
        assert "784" in out and "Python ms" in out
