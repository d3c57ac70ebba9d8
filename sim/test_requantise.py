"""requantise: one sum a cycle, parameters of each with the stage that uses them, against riffle.isa.emulator."""

import cocotb
import numpy as np

from cycles import begin, delayed, generator, play
from riffle.isa.emulator import requantise
from runner import simulate

COUNT, LATENCY = 3000, 8
EDGE = (1 << 24) - 1  # largest sum


def stimuli():
    rng = generator()
    acc = rng.integers(-EDGE, EDGE + 1, COUNT) >> rng.integers(0, 24, COUNT)
    acc[:4] = -EDGE, EDGE, 0, -1
    multiplier = rng.integers(0, 1 << 17, COUNT)
    multiplier[::7], multiplier[1::7] = (1 << 17) - 1, 0
    return acc, multiplier, rng.integers(0, 16, COUNT), rng.integers(-256, 255, COUNT)


async def run(dut, acc, multiplier, shift, rounding, offset, raw):
    length = COUNT + LATENCY + 2
    inputs = {
        "acc_i": delayed(acc & (1 << 25) - 1, 0, length), "mult_i": delayed(multiplier, 1, length),
        "round_i": delayed(rounding, 2, length), "shift_hi_i": delayed(shift >> 2, 3, length),
        "shift_lo_i": delayed(shift & 3, 4, length), "offset_i": delayed(offset & 0x1FF, 6, length),
        "raw_i": [raw] * length}
    await begin(dut, **dict.fromkeys(inputs, 0))
    return (await play(dut, inputs, ["out_o"]))["out_o"][LATENCY:]


@cocotb.test()
async def clamped_sums(dut):
    acc, multiplier, shift, offset = stimuli()
    got = await run(dut, acc, multiplier, shift, 1 << shift, offset, 0)
    values = set()
    for i in range(COUNT):
        value = requantise(int(acc[i]), int(multiplier[i]), int(shift[i]) + 16) + int(offset[i])
        expected = max(-128, min(127, value))
        assert got[i] == expected & 0xFF, f"({acc[i]} * {multiplier[i]} >> {shift[i] + 16}) + {offset[i]}"
        values.add(expected)
    assert {-128, 127} < values and len(values) > 200


@cocotb.test()
async def raw_bytes(dut):
    acc, _, _, _ = stimuli()
    for multiplier, shift, byte in ((1 << 16, 0, 0), (1 << 16, 8, 1), (1 << 8, 8, 2), (1, 8, 3)):
        fixed = np.full(COUNT, 0)
        got = await run(dut, acc, fixed + multiplier, fixed + shift, fixed, fixed, 1)
        for i in range(COUNT):
            assert got[i] == int(acc[i]).to_bytes(4, "little", signed=True)[byte], f"byte {byte} of {acc[i]}"


def test_requantise():
    simulate("requantise", __file__)
