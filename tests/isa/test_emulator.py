"""The interpreter against the loop nest of docs/architecture.md written out scalar by scalar, and its errors."""

import numpy as np
import pytest

from random_programs import random_convolution, random_stream
from riffle.errors import EngineError
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_headers
from riffle.isa.emulator import execute
from riffle.isa.spec import ERROR_CODES

ROWS, COLUMNS, DEPTH = 2, 3, 2048
CONV = spec.OPCODES["CONV"]


def clamp(value):
    return max(-128, min(127, value))


def requantise(accumulator, multiplier, shift):
    return (int(accumulator) * int(multiplier) + (1 << (int(shift) - 1))) >> int(shift)


def read(memory, d, bank, block, py, px, tap, lane):
    """The value that one lane of one bank sees, pixel by pixel: phases, lattice steps and fill."""
    s = 1 << d.log2s
    qy, qx = (1 + d.stride2) * py + tap // 3 - 1, (1 + d.stride2) * px + tap % 3 - 1
    y, x = lane // COLUMNS + qy // s, lane % COLUMNS + qx // s
    if not (0 <= y < ROWS and 0 <= x < COLUMNS):
        return d.fill
    return int(memory[bank, d.in_base + block * s * s + qy % s * s + qx % s, y * COLUMNS + x])


def naive(memory, d, parameters, weights):
    """One descriptor, literally; parameters [pairs][2][bias, multiplier, shift], weights [pairs][count][4][2]."""
    so = (1 << d.log2s) >> d.stride2
    window = range(5 if d.paired else 9) if d.taps9 else [4, 5, 7, 8] if d.taps4 else [4]
    position, row, remainder, pair_index = d.position, d.row, d.remainder, 0
    for group in range(d.groups):
        channel = d.in_channel + group * d.group_step
        for pair in range((d.group_outputs + 1) // 2):
            outputs = []
            for _ in range(min(2, d.group_outputs - 2 * pair)):
                outputs.append(position)
                remainder += 1
                if remainder == d.modulus:
                    remainder, row = 0, row + d.step_high
                    position = row
                else:
                    position += d.step_low
            before = memory.copy()
            for py, px, lane in np.ndindex(so, so, ROWS * COLUMNS):
                for i, p in enumerate(outputs):
                    total, n = int(parameters[pair_index][i][0]), 0
                    for t in window:
                        for b in range(d.blocks):
                            for bank in range(4):
                                tap = t + 4 * (d.paired and bank >= 2)
                                value = read(before, d, bank, channel // 4 + b, py, px, tap, lane)
                                total += int(weights[pair_index][n][bank][i]) * value
                            n += 1
                    phase = py * so + px
                    if d.raw:
                        for bank, byte in enumerate(total.to_bytes(4, "little", signed=True)):
                            memory[bank, d.out_base + p * so * so + phase, lane] = np.uint8(byte).view(np.int8)
                        continue
                    out = requantise(total, *parameters[pair_index][i][1:]) + d.zero_point
                    banks, per_block = ((p % 2, p % 2 + 2), 2) if d.duplicate else ((p % 4,), 4)
                    address = d.out_base + p // per_block * so * so + phase
                    if d.residual:
                        out += int(before[banks[0], address, lane])
                    for bank in banks:
                        memory[bank, address, lane] = clamp(out)
            channel += d.pair_step
            pair_index += 1


def random_memory(rng):
    return rng.integers(-128, 128, (4, DEPTH, ROWS * COLUMNS), np.int8)


def test_random_convolutions(rng):
    seen, fields = [], set()
    for _ in range(40):
        d = Descriptor(**{name: int(value) for name, value in random_convolution(rng).items()}, in_base=3, out_base=515)
        parameters, weights, stream = random_stream(rng, d)
        memory = random_memory(rng)
        expected = memory.copy()
        naive(expected, d, parameters, weights)
        before = memory.copy()
        execute(memory, [d], stream, ROWS, COLUMNS)
        np.testing.assert_array_equal(memory, expected, err_msg=str(d))
        seen.append(memory[memory != before])
        flags = ("taps9", "taps4", "paired", "residual", "duplicate", "raw", "stride2")
        fields |= {name for name in flags if getattr(d, name)}
    values = np.concatenate(seen)
    assert {-128, 127} <= set(values) and len(set(values)) > 200, "the stimulus does not cover the output range"
    assert len(fields) == 7, f"only {fields} were drawn"


@pytest.mark.parametrize("log2s, stride2", [(0, 0), (1, 0), (1, 1), (2, 1)])
def test_max_pool(rng, log2s, stride2):
    d = Descriptor(opcode=spec.OPCODES["MAXPOOL"], log2s=log2s, stride2=stride2, taps9=1, fill=-128, in_base=3,
                   out_base=100, in_channel=4, pair_step=4, blocks=1, groups=1, group_outputs=6, position=4,
                   modulus=2, step_low=1, step_high=4, row=4)
    memory = random_memory(rng)
    expected = memory.copy()
    so = (1 << log2s) >> stride2
    for block, bank, py, px, lane in np.ndindex(3, 4, so, so, ROWS * COLUMNS):
        window = [read(memory, d, bank, 1 + block, py, px, tap, lane) for tap in range(9)]
        expected[bank, 100 + (1 + block) * so * so + py * so + px, lane] = max(window)
    execute(memory, [d], b"", ROWS, COLUMNS)
    np.testing.assert_array_equal(memory, expected)


def test_global_average(rng):
    phases = 4
    d = Descriptor(opcode=spec.OPCODES["GLOBAL_AVERAGE"], in_base=8, out_base=200, pair_step=4 * phases, blocks=phases,
                   groups=1, group_outputs=6, modulus=2, step_low=1, step_high=4, zero_point=-7)
    bias, multiplier, shift = [-900, 0, 700], 2800, 16
    stream = pack_headers([[b, 0] for b in bias], [[multiplier, 0]] * 3, [[shift, 16]] * 3, 0).tobytes()
    memory = random_memory(rng)
    expected = memory.copy()
    for block, bank in np.ndindex(3, 4):
        total = int(memory[bank, 8 + block * phases:8 + (block + 1) * phases].astype(int).sum()) + bias[block]
        expected[bank, 200 + block, 5] = clamp(requantise(total, multiplier, shift) - 7)
    for lane, fill in ((5, 0), (1, 4)):
        result = memory.copy()
        execute(result, [d.replace(fill=fill)], stream, ROWS, COLUMNS, lane)
        np.testing.assert_array_equal(result, expected)
    result = memory.copy()
    execute(result, [d.replace(fill=1)], stream, ROWS, COLUMNS, lane=5)
    np.testing.assert_array_equal(result, memory, err_msg="beyond the lattice nothing is written")


SMALL = Descriptor(opcode=CONV, log2s=1, blocks=2, groups=2, group_step=4, group_outputs=2, modulus=4, step_low=1,
                   step_high=4, out_base=128)


def stop(d, stream, index=0):
    """The error with which a program ends whose first descriptors are right."""
    good = Descriptor(opcode=spec.OPCODES["MAXPOOL"], taps9=1, pair_step=4, blocks=1, groups=1, group_outputs=2,
                      modulus=2, step_low=1, step_high=4, out_base=200)
    with pytest.raises(EngineError) as caught:
        execute(np.zeros((4, DEPTH, 6), np.int8), [good] * index + [d], stream, ROWS, COLUMNS)
    assert caught.value.index == index
    return caught.value.name, caught.value.detail


@pytest.mark.parametrize("fields, expected", [
    ({"opcode": 9}, ("UNKNOWN_OPCODE", 9)),
    ({"opcode": 0}, ("UNKNOWN_OPCODE", 0)),
    ({"in_base": DEPTH - 11}, ("READ_RANGE", DEPTH)),  # the second group reads one word more than the first
    ({"in_base": DEPTH}, ("READ_RANGE", DEPTH)),
    ({"residual": 1, "out_base": DEPTH - 3}, ("WRITE_RANGE", DEPTH)),
    ({"out_base": DEPTH + 9}, ("WRITE_RANGE", DEPTH + 9)),
])
def test_unknown_opcode_and_addresses(rng, fields, expected):
    stream = random_stream(rng, SMALL)[2].tobytes()
    assert stop(SMALL.replace(**fields), stream, index=2) == expected


@pytest.mark.parametrize("fields", [
    {"log2s": 6}, {"blocks": 0}, {"groups": 0}, {"group_outputs": 0}, {"modulus": 0}, {"remainder": 4},
    {"stride2": 1, "log2s": 0}, {"paired": 1}, {"residual": 1, "raw": 1}, {"residual": 1, "duplicate": 1},
    {"residual": 1, "step_low": 2}, {"residual": 1, "step_high": 5},
    {"raw": 1, "duplicate": 1}, {"blocks": 1009}, {"blocks": 113, "taps9": 1}, {"blocks": 253, "taps4": 1},
    {"blocks": 1, "taps4": 1, "taps9": 1}, {"opcode": 3, "log2s": 0, "taps4": 1},
    {"opcode": 2, "taps9": 1, "blocks": 2}, {"opcode": 2, "blocks": 1},
    {"opcode": 2, "taps9": 1, "blocks": 1, "raw": 1},
    {"opcode": 2, "taps9": 1, "blocks": 1, "group_outputs": 3}, {"opcode": 3, "log2s": 1},
    {"opcode": 3, "log2s": 0, "taps9": 1}, {"opcode": 3, "log2s": 0, "blocks": 1025},
])
def test_contradictions(fields):
    assert stop(SMALL.replace(**fields), b"") == ("BAD_DESCRIPTOR", 0)


def test_stream_errors(rng):
    stream = random_stream(rng, SMALL)[2].tobytes()
    pair = len(stream) // 2
    assert stop(SMALL, b"", 1) == ("STREAM_END", 0)
    assert stop(SMALL, stream[:pair + 16]) == ("STREAM_END", 0)
    assert stop(SMALL, stream + bytes(16)) == ("STREAM_LEFT", 0)
    assert stop(SMALL.replace(blocks=1), stream) == ("STREAM_HEADER", 2)
    assert stop(SMALL, stream[:pair] + bytes(16) + stream[pair:]) == ("STREAM_HEADER", 0)
    broken = bytearray(stream)
    broken[7] ^= 1  # the tag
    assert stop(SMALL, bytes(broken)) == ("STREAM_HEADER", 2)


def test_memory_and_lane_are_checked():
    with pytest.raises(ValueError, match=r"must be int8 \(4, depth, 6\)"):
        execute(np.zeros((4, DEPTH, 49), np.int8), [], b"", ROWS, COLUMNS)
    with pytest.raises(ValueError, match="lane is 6, but the lattice has lanes 0 to 5"):
        execute(np.zeros((4, DEPTH, 6), np.int8), [], b"", ROWS, COLUMNS, lane=6)


def test_message_names_cause_and_remedy():
    message = str(EngineError(ERROR_CODES["STREAM_END"], 3))
    assert "STREAM_END at descriptor 3" in message and "Remedy: check STREAM_BASE and STREAM_LENGTH" in message
