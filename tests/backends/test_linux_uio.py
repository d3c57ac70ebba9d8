"""The backend without PYNQ: its accesses in a file that stands for the memory, its interrupt in a pipe."""

import os
import socket

import numpy as np
import pytest

import riffle
from riffle.backends import linux_uio
from riffle.backends.axi_intc import ACKNOWLEDGE, ENABLE, MASTER, SET_ENABLE
from riffle.backends.linux_uio import UioBackend, interrupt_device, load_bitstream
from riffle.backends.quiet import hold
from riffle.bitstream import hwh
from riffle.driver import registers
from riffle.driver.accelerator import Accelerator
from riffle.driver.registers import Segment, identify
from riffle.errors import HardwareError
from riffle.isa import spec
from sample_manifest import save_manifest

AT = spec.REGISTERS
IDENTITY = {"ID": spec.ID_VALUE, "VERSION": spec.VERSION_WORD, "SPEC_HASH": spec.SPEC_HASH, "CTRL": 0xC,
            "CAPS": 7 | 7 << 4, "DEPTHS": 2048 | 10240 << 16}


@pytest.fixture
def memory(tmp_path):
    """The first 2 MB are the accelerator, the page behind them the interrupt controller."""
    path = tmp_path / "mem"
    words = np.zeros((spec.SEGMENT_SIZE + 4096) // 4, np.uint32)
    for name, value in IDENTITY.items():
        words[AT[name] // 4] = value
    words.tofile(path)
    return path


@pytest.fixture
def backend(memory):
    return UioBackend(memory, base=0)


def test_every_access_lands_at_its_offset(memory, backend, rng):
    values = rng.integers(0, 1 << 32, 1000, np.uint64).astype(np.uint32)
    backend.write(AT["LANE"], 0x12345678)
    backend.write_block(spec.WINDOWS["WEIGHTS"][0], values)
    content = memory.read_bytes()
    assert content[AT["LANE"]:AT["LANE"] + 4] == bytes.fromhex("78563412"), "little endian"
    np.testing.assert_array_equal(np.frombuffer(content, "<u4", 1000, spec.WINDOWS["WEIGHTS"][0]), values)
    np.testing.assert_array_equal(backend.read_block(spec.WINDOWS["WEIGHTS"][0] + 8, 5), values[2:7])
    assert backend.read(AT["ID"]) == spec.ID_VALUE


def test_driver_knows_the_hardware(memory, backend):
    found = identify(Segment(backend))
    assert found == {"rows": 7, "columns": 7, "activation_depth": 2048, "weight_depth": 10240}
    Accelerator(backend)
    words = np.fromfile(memory, np.uint32)
    assert [int(words[AT[name] // 4]) for name in ("GIER", "IER", "ISR")] == [1, 3, 3]


@pytest.mark.parametrize("offset", [2, -4, spec.SEGMENT_SIZE])
def test_wrong_offsets_are_refused(backend, offset):
    for access in (backend.read, lambda o: backend.write(o, 0), lambda o: backend.read_block(o, 1)):
        with pytest.raises(ValueError, match="misaligned or outside the segment: accesses are 32-bit words"):
            access(offset)


def test_interrupt(memory, tmp_path):
    """A pipe gives back what enables the interrupt, as if it came at once."""
    device = tmp_path / "uio0"
    os.mkfifo(device)
    backend = UioBackend(memory, device, base=0, interrupts=spec.SEGMENT_SIZE)
    assert backend.wait_interrupt(100_000)
    controller = np.fromfile(memory, np.uint32)[spec.SEGMENT_SIZE // 4:]
    assert [int(controller[o // 4]) for o in (SET_ENABLE, MASTER, ACKNOWLEDGE, ENABLE)] == [1, 3, 1, 0]
    backend.write(AT["ISR"], 1)
    assert backend.wait_interrupt(100_000) and backend.wait_interrupt(10)


@pytest.mark.parametrize("status", [0, 2])
def test_lost_interrupt(memory, monkeypatch, status):
    """ISR says whether the run is over, when the wait is."""
    backend = UioBackend(memory, "/dev/null", base=0, interrupts=spec.SEGMENT_SIZE)
    sockets = socket.socketpair()
    os.dup2(sockets[0].fileno(), backend._uio)
    looks = iter((0, status))
    monkeypatch.setattr(backend, "read", lambda offset: next(looks))
    assert backend.wait_interrupt(100_000) == bool(status)
    assert sockets[1].recv(4) == b"\1\0\0\0", "the interrupt was not enabled"
    for end in sockets:
        end.close()


def test_files_that_cannot_be_used(tmp_path, memory):
    with pytest.raises(HardwareError, match="nothing cannot be opened .*Remedy: be root"):
        UioBackend(tmp_path / "nothing")
    with pytest.raises(HardwareError, match=r"has no 2097152 bytes at 0x40000000 .*Remedy: check the address map"):
        UioBackend(memory)


def bitstream(data):
    fields = b"".join(key + len(text).to_bytes(2, "big") + text for key, text in (
        (b"a", b"riffle;Version=2022.1\0"), (b"b", b"7z020clg400\0"), (b"c", b"2024/01/01\0"), (b"d", b"12:00:00\0")))
    return b"\0\x09" + bytes(9) + b"\0\x01" + fields + b"e" + len(data).to_bytes(4, "big") + data


def test_bitstream_goes_to_fpga_manager(tmp_path):
    manager = tmp_path / "sys/class/fpga_manager/fpga0"
    manager.mkdir(parents=True)
    (manager / "state").write_text("operating\n")
    file = tmp_path / "riffle.bit"
    file.write_bytes(bitstream(bytes.fromhex("aa995566 20000000")))
    load_bitstream(file, tmp_path)
    assert (tmp_path / "lib/firmware/riffle.bin").read_bytes() == bytes.fromhex("665599aa 00000020")
    assert (manager / "firmware").read_text() == "riffle.bin" and (manager / "flags").read_text() == "0"
    (manager / "state").write_text("write error\n")
    with pytest.raises(HardwareError, match="the FPGA is in state 'write error' .*Remedy: see dmesg"):
        load_bitstream(file, tmp_path)
    for content in (b"no bitstream", file.read_bytes()[:-3], b""):
        file.write_bytes(content)
        with pytest.raises(HardwareError, match="riffle.bit cannot be loaded .*Remedy: be root"):
            load_bitstream(file, tmp_path)


def test_no_bitstream_is_loaded_into_reads(tmp_path, memory, backend, monkeypatch):
    """What is there is asked only if this process has identified it, and Linux says that the FPGA is configured."""
    manager, file = tmp_path / "sys/class/fpga_manager/fpga0", tmp_path / "riffle.bit"
    manager.mkdir(parents=True)
    (manager / "state").write_text("operating\n")
    file.write_bytes(bitstream(bytes(8)))
    monkeypatch.setattr(registers, "DRY_POLLS", 10)
    abort, reading = (1 << spec.REGISTER_FIELDS["CTRL"][name][0] for name in ("ABORT", "READING"))
    load_bitstream(file, tmp_path)
    assert backend.read(AT["CTRL"]) == IDENTITY["CTRL"], "nobody has identified it"
    accelerator = Accelerator(backend)
    ctrl, read = IDENTITY["CTRL"] | reading, backend.read
    monkeypatch.setattr(backend, "read", lambda offset: ctrl if offset == AT["CTRL"] else read(offset))
    (manager / "firmware").unlink()
    with pytest.raises(HardwareError, match="reads of memory are in flight .*Remedy: load no other bitstream now"):
        load_bitstream(file, tmp_path)
    assert not (manager / "firmware").exists() and backend._words[AT["CTRL"] // 4] == abort
    ctrl = IDENTITY["CTRL"]
    load_bitstream(file, tmp_path)
    assert (manager / "firmware").exists()
    backend._words[AT["CTRL"] // 4] = 0
    load_bitstream(file, tmp_path)
    assert backend._words[AT["CTRL"] // 4] == 0, "what was replaced is not asked again"
    hold(accelerator)
    (manager / "state").write_text("unknown\n")
    with pytest.raises(HardwareError, match="the FPGA is in state 'unknown'"):
        load_bitstream(file, tmp_path)
    assert backend._words[AT["CTRL"] // 4] == 0, "an FPGA that is not configured is left alone"


def test_manifest_vouches_for_the_bitstream(tmp_path, memory, monkeypatch):
    file = tmp_path / "riffle.bit"
    file.write_bytes(bitstream(bytes(8)))
    hwh.write(file.with_suffix(".hwh"))
    loaded = []
    monkeypatch.setattr(linux_uio, "load_bitstream", loaded.append)
    with pytest.warns(UserWarning, match="has no manifest riffle.json"):
        riffle.open("uio", bitstream=file, memory=memory, base=0)
    save_manifest(file, build_hash="00000000")
    riffle.open("uio", bitstream=file, memory=memory, base=0)
    save_manifest(file, build_hash="89abcdef")
    with pytest.raises(HardwareError, match="the FPGA holds build 00000000, .* says 89abcdef"):
        riffle.open("uio", bitstream=file, memory=memory, base=0)
    save_manifest(file, spec_hash="01234567")
    with pytest.raises(HardwareError, match="is not loaded.*hardware of spec 01234567.*take bitstream"):
        riffle.open("uio", bitstream=file, memory=memory, base=0)
    file.with_suffix(".json").write_text("{}")
    with pytest.raises(HardwareError, match="is not loaded: .*name is missing"):
        riffle.open("uio", bitstream=file, memory=memory, base=0)
    assert loaded == [file] * 3


def test_interrupt_device_is_found_by_name(tmp_path):
    assert interrupt_device(tmp_path) is None
    for number, name in enumerate(("audio", "fabric")):
        folder = tmp_path / f"sys/class/uio/uio{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
    assert interrupt_device(tmp_path) == tmp_path / "dev/uio1"
