"""Bit flips in descriptors and headers: RTL, interpreter and HLS engine stop with the same code at the same place."""

import numpy as np
import pytest

from campaigns import campaign
from random_programs import random_program
from riffle.backends.hls_engine import Engine
from riffle.backends.verilated import RtlBackend, build
from riffle.isa import spec
from riffle.isa.cost import predict
from riffle.isa.descriptor import unpack_program
from riffle.isa.emulator import CONV, GLOBAL_AVERAGE, MAXPOOL, EngineError, contradiction, execute

SMALL = spec.CONFIGURATIONS["small"]
DEPTH, LANES = SMALL["activation_depth"], SMALL["rows"] * SMALL["columns"]
LONGEST = 40_000  # cycles; a flip that makes a program longer is drawn again


@pytest.fixture(scope="module")
def hardware():
    with RtlBackend(build("small")) as backend:
        yield backend


def draw(rng):
    """A program of three descriptors, uint32 [3][8], and its stream, uint8 [n][16], with one bit flipped."""
    while True:
        descriptors, streams = random_program(rng, DEPTH, 3)
        words = np.array([d.pack() for d in descriptors], np.uint32)
        stream = np.concatenate(streams)
        if rng.integers(5) or not len(stream):
            bit = int(rng.integers(words.size * 32))
            words.reshape(-1)[bit // 32] ^= np.uint32(1 << bit % 32)
        else:  # a header's count or tag
            start = int(rng.integers(3))
            place = sum(map(len, streams[:start]))
            if not len(streams[start]):
                continue
            bit = int(rng.integers(46, 64))
            stream[place, bit // 8] ^= 1 << bit % 8
        changed = unpack_program(words)
        good = [d for d in changed if d.opcode in (CONV, MAXPOOL, GLOBAL_AVERAGE) and not contradiction(d)]
        if sum(predict(good)) < LONGEST and len(stream) <= SMALL["weight_depth"]:
            return words, stream


def of_interpreter(words, stream):
    try:
        execute(np.zeros((spec.BANKS, DEPTH, LANES), np.int8), words, stream, SMALL["rows"], SMALL["columns"])
    except EngineError as error:
        return error.code, error.index, error.detail
    return 0, 0, 0


def of_hls(engine, words, stream):
    try:
        engine.execute(np.zeros((spec.BANKS, DEPTH, LANES), np.int8), words, stream)
    except EngineError as error:
        return error.code, error.index, error.detail
    return 0, 0, 0


def of_rtl(backend, words, stream):
    backend.write_block(spec.WINDOWS["PROGRAM"][0], words)
    if len(stream):
        backend.write_block(spec.WINDOWS["WEIGHTS"][0], np.ascontiguousarray(stream).reshape(-1).view(np.uint32))
    for name, value in (("PROGRAM_FIRST", 0), ("PROGRAM_LENGTH", len(words)), ("STREAM_LENGTH", len(stream)),
                        ("STREAM_BASE", 0), ("STREAM_SOURCE", 0), ("WATCHDOG", 4 * LONGEST), ("IER", 3), ("GIER", 1),
                        ("ISR", 3), ("CTRL", 1)):
        backend.write(spec.REGISTERS[name], value)
    assert backend.wait_interrupt(5 * LONGEST)
    code, info = backend.read(spec.REGISTERS["ERROR"]), backend.read(spec.REGISTERS["ERROR_INFO"])
    return (code, info & 0xFF, info >> 8) if code else (0, 0, 0)


def flipped_headers(rng):
    """Programs of which each bit of a count or tag was flipped in turn."""
    found, wanted = 0, campaign(60, 500)
    while found < wanted:
        descriptors, streams = random_program(rng, DEPTH, 2)
        if len(streams[0]) < 3 or sum(map(len, streams)) > SMALL["weight_depth"]:
            continue
        found += 1
        for bit in range(46, 64):
            stream = np.concatenate(streams)
            stream[0, bit // 8] ^= 1 << bit % 8
            yield np.array([d.pack() for d in descriptors], np.uint32), stream


def test_flipped_headers_end_alike(hardware, rng):
    """What comes after a wrong count is taken for headers, too: the detail is that of the first."""
    engine = Engine(SMALL)
    for words, stream in flipped_headers(rng):
        expected = of_interpreter(words, stream)
        assert of_rtl(hardware, words, stream) == expected == of_hls(engine, words, stream), unpack_program(words)
        assert expected[:2] == (spec.ERROR_CODES["STREAM_HEADER"], 0)


def test_flips_end_alike(hardware, rng):
    engine, seen = Engine(SMALL), set()
    for number in range(campaign(200, 20_000)):
        words, stream = draw(rng)
        expected = of_interpreter(words, stream)
        rtl, hls = of_rtl(hardware, words, stream), of_hls(engine, words, stream)
        name = spec.ERRORS[expected[0]][0]
        told = f"flip {number}: {name} {expected}, RTL {rtl}, HLS {hls}: {unpack_program(words)}"
        assert rtl[:2] == expected[:2] == hls[:2], told
        if name in ("READ_RANGE", "WRITE_RANGE"):  # the HLS engine names the highest address of the phase
            assert min(rtl[2], 1 << 16) == min(expected[2], 1 << 16) or rtl[2] >> 16, told
            assert hls[2] >= min(expected[2], DEPTH), told
        else:
            assert rtl[2] == expected[2] == hls[2], told
        seen.add(name)
    assert {"NONE", "BAD_DESCRIPTOR", "READ_RANGE", "WRITE_RANGE", "STREAM_HEADER"} <= seen, seen


def test_a_pair_is_judged_header_first_then_phase_by_phase(hardware, rng):
    """Two faults in one pair: the one that comes first in the loops is told."""
    engine, seen = Engine(SMALL), set()
    for _ in range(150):
        descriptors, streams = random_program(rng, DEPTH, 1)
        d = descriptors[0].replace(in_base=DEPTH - int(rng.integers(1, 12)), out_base=DEPTH - int(rng.integers(1, 12)))
        stream = streams[0].copy()
        if rng.integers(3) == 0 and len(stream):
            stream[0, 6] ^= 1  # the count
        words = np.array([d.pack()], np.uint32)
        expected = of_interpreter(words, stream)[:2]
        assert of_rtl(hardware, words, stream)[:2] == expected == of_hls(engine, words, stream)[:2], d
        seen.add(spec.ERRORS[expected[0]][0])
    assert {"STREAM_HEADER", "READ_RANGE", "WRITE_RANGE"} <= seen
