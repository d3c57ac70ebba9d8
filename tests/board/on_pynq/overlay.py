"""PYNQ's own classes around the accelerator: binding, registers, windows, memory, clocks, cost of accesses."""

import numpy as np
import pynq
import pytest

from riffle.bitstream import hwh
from riffle.board import RiffleIP, load_overlay
from riffle.board.overlay import check_part
from riffle.errors import BusError, HardwareError
from riffle.isa import spec


def test_driver_is_bound_by_vlnv(ip):
    assert type(ip) is RiffleIP and ip.bindto == ["riffle.org:riffle:accelerator:1.0"]
    assert pynq.Overlay.__module__.startswith("pynq") and isinstance(ip.interrupt, pynq.Interrupt)


def test_registers_have_names(ip):
    assert int(ip.register_map.ID) == ip.read(spec.REGISTERS["ID"]) == spec.ID_VALUE
    ip.register_map.WATCHDOG = 1234
    assert ip.register_map.WATCHDOG.CYCLES == ip.read(spec.REGISTERS["WATCHDOG"]) == 1234


def test_run_through_pynq_gives_the_reference(case):
    for _ in range(3):
        case.check()


@pytest.mark.parametrize("weights", ["resident", "ddr", "host"])
def test_weights_from_everywhere(case, weights):
    case.accelerator.load(case.program, weights)
    case.check()


def test_allocated_memory_is_what_the_accelerator_reads(board, case):
    first, second = (pynq.allocate(5000, np.uint8) for _ in range(2))
    assert first.physical_address % 4096 == 0 and second.physical_address >= first.physical_address + 5000
    address = first.physical_address
    first.freebuffer()
    assert pynq.allocate((10, 3), np.uint16).physical_address == address, "what was freed is not used again"


def test_clock_is_that_of_the_block_design(case):
    assert pynq.Clocks.fclk0_mhz == pytest.approx(hwh.CLOCK_MHZ)
    assert case.accelerator.backend.clock_hz == pytest.approx(hwh.CLOCK_MHZ * 1e6)


@pytest.mark.parametrize("images, most", [("window", 22), ("ddr", 24)])
def test_host_work_of_a_run_in_bus_words(board, case, images, most):
    """Besides scores and, if it is not fetched, the image: those to the interrupt controller are six of them."""
    case.accelerator.load(case.program, images=images)
    case.check()
    before = board.accesses
    case.check()
    height, width, _ = case.image.shape
    scores = 4 * 5  # words: four bytes of a score lie in four banks, five classes
    assert board.accesses - before - height * width * (images == "window") - scores <= most


def test_image_is_one_assignment(case, monkeypatch):
    """NumPy does the rest, in C; on a board `mmio.array` is an array of device memory."""
    backend, memory = case.accelerator.backend, np.zeros(spec.SEGMENT_SIZE // 4, np.uint32)
    monkeypatch.setattr(backend, "_mapped", memory)
    monkeypatch.setattr(backend, "write_block", None)
    case.accelerator.write_image(case.image)
    first, pitch = spec.WINDOWS["IMAGE"][0] // 4, spec.IMAGE_PITCH // 4
    height, width, _ = case.image.shape
    written = memory[first:first + height * pitch].reshape(height, pitch)
    pixels = written[:, :width].copy().view(np.uint8).reshape(height, width, 4)
    np.testing.assert_array_equal(pixels[:, :, :3], case.image)
    assert not written[:, width:].any()
    monkeypatch.undo()
    case.check()


def test_scores_are_one_read(case, monkeypatch):
    """Also where a score is four bytes in four banks, of 49 lanes one: in C, not a Python loop over words."""
    case.check()
    backend, reads = case.accelerator.backend, []
    expected = case.accelerator.result(0, case.accelerator.counters()).output
    read_rows = backend.read_rows
    monkeypatch.setattr(backend, "read_rows", lambda *arguments: reads.append(arguments) or read_rows(*arguments))
    monkeypatch.setattr(backend, "read_block", None)
    np.testing.assert_array_equal(case.accelerator.result(0, case.accelerator.counters()).output, expected)
    ((_, rows, words, pitch),) = reads
    assert (rows, words, pitch) == (4 * 5, 1, 16)


def test_window_is_an_array(ip, case):
    words = ip.mmio.array[spec.WINDOWS["WEIGHTS"][0] // 4:][:16]
    values = np.arange(16, dtype=np.uint32) * 0x01010101
    words[:] = values
    np.testing.assert_array_equal(words, values)
    np.testing.assert_array_equal(words[4:8] & 0xFF, values[4:8] & 0xFF)
    words[-1] = 7
    assert words[15] == 7 and len(words) == 16
    with pytest.raises(IndexError):
        words[16]
    with pytest.raises(ValueError, match="16 words are not 3 rows of 5"):
        words.reshape(3, 5)
    with pytest.raises(TypeError, match="32-bit words, not uint8: use uint32"):
        words.view(np.uint8)
    with pytest.raises(IndexError, match="without a step"):
        words[::2]
    case.check(reload=True)


def test_wrong_accesses(ip, board, case):
    segment = case.accelerator.segment
    with pytest.raises(ValueError, match="misaligned"):
        segment.xil_out32(2, 1)
    assert ip.read(0x20000) == 0, "SLVERR would end the process"
    with pytest.raises(BusError, match="access at offset 0x020000 refused, BUS_UNMAPPED: .*Remedy: "):
        case.accelerator.run(case.image)
    case.check()
    ip.write(spec.REGISTERS["LANE"], 64)
    with pytest.raises(BusError, match="access at offset 0x000038 refused, BUS_VALUE"):
        case.accelerator.run(case.image)
    with pytest.raises(MemoryError, match="Unaligned"):
        ip.read(2)
    with pytest.raises(RuntimeError, match="bus error: nothing lies at 0x50000000"):
        pynq.MMIO(0x50000000, 64).read(0)
    case.check()


def test_bitstream_that_is_not_there():
    with pytest.raises(HardwareError, match="there is no bitstream nowhere.bit .*Remedy: put it and its .hwh"):
        load_overlay("nowhere.bit")


@pytest.mark.parametrize("change, message", [
    (('DEVICE="7z020"', 'DEVICE="7z010"'), "is for a 7z010clg400, this board has a 7z020clg400"),
    ((spec.VLNV, "riffle.org:riffle:accelerator:9.9"), "holds no accelerator of this version")])
def test_other_bitstreams_are_refused(tmp_path, board, case, change, message):
    bitstream = tmp_path / "other.bit"
    bitstream.touch()
    description = hwh.write(bitstream.with_suffix(".hwh"))
    description.write_text(description.read_text().replace(*change))
    loaded = board.timestamp
    with pytest.raises(HardwareError, match=message):
        load_overlay(bitstream)
    assert board.timestamp == loaded, "it was loaded all the same"
    case.check()


def test_description_that_is_missing(tmp_path):
    with pytest.raises(HardwareError, match=r"other.hwh cannot be read .*Remedy: "):
        check_part(tmp_path / "other.bit")
