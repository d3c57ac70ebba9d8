"""mac_lane: sums of products of two channels, begun and gone on with in any cycle."""

import cocotb
import numpy as np

from cycles import begin, delayed, generator, play
from runner import simulate

ACC, LOW = 25, 12  # bits
SUM_AT = 8  # cycles from a slot's bank 0 to its sum


def packed(w0: int, w1: int) -> int:
    """Two weights as the array takes them: together they are (w1 << 17) + w0."""
    return (w1 - (w0 < 0) & 0xFF) << 8 | w0 & 0xFF


@cocotb.test()
async def sums_of_products(dut):
    rng, count = generator(), 2000
    act = rng.choice([-128, 127, 0, *range(-128, 128)], (count, 4))
    weight = rng.choice([-127, 127, 0, *range(-127, 128)], (count, 4, 2))
    for i in range(3):  # all extremes at once
        act[100 * i:100 * i + 100], weight[100 * i:100 * i + 100] = -128, (127, -127, (-1) ** i * 127)[i]
    weight[rng.random(count) < 0.1] = 0
    first = rng.random(count) < 0.05
    first[0] = True
    bias = rng.integers(-(1 << 20), 1 << 20, (count, 2))
    length = count + 16
    low = (1 << LOW) - 1
    inputs = {
        "act_i": [0] * length, "weight_i": [0] * length, "first_i": delayed(first, SUM_AT - 2, length),
        **{f"bias{o}_i": [0] * length for o in range(2)}}
    for slot, k in np.ndindex(count, 4):
        inputs["act_i"][slot + k] |= (int(act[slot, k]) & 0xFF) << 8 * k
        inputs["weight_i"][slot + k] |= packed(*map(int, weight[slot, k])) << 16 * k
    for slot, o in np.ndindex(count, 2):
        value = int(bias[slot, o])
        inputs[f"bias{o}_i"][slot + SUM_AT - 1] |= value & low
        inputs[f"bias{o}_i"][slot + SUM_AT] |= value & ((1 << ACC) - 1) & ~low
    await begin(dut, **dict.fromkeys(inputs, 0))
    seen = await play(dut, inputs, ["acc0_o", "acc1_o"])
    total = np.zeros(2, np.int64)
    for slot in range(count):
        total = (bias[slot] if first[slot] else total) + (act[slot] @ weight[slot])
        assert np.abs(total).max() < 1 << ACC - 1, "the stimulus exceeds the accumulator"
        for o in range(2):
            early, late = seen[f"acc{o}_o"][slot + SUM_AT], seen[f"acc{o}_o"][slot + SUM_AT + 1]
            got = late & ~low | early & low
            assert got == int(total[o]) & (1 << ACC) - 1, f"slot {slot}, channel {o}"


def test_mac_lane():
    simulate("mac_lane", __file__)
