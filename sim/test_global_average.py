"""global_average: sums over reads and lanes of four banks, put into one lane of the words that lie there."""

import cocotb
import numpy as np

from cycles import begin, generator, play, unpack
from riffle.isa.emulator import requantise
from runner import simulate

ROWS, COLUMNS, BANKS, SPACING, OLD_AT, OUT_AT = 2, 3, 4, 8, 12, 5
LANES = ROWS * COLUMNS


@cocotb.test()
async def averages_go_into_their_lane(dut):
    rng = generator()
    reads = rng.choice([1, 2, 4, 9], 40)
    length = int(SPACING * (reads + 2).sum()) + 64
    words = rng.choice([-128, 127, *range(-128, 128)], (length, BANKS, LANES))
    names = ("feed_i", "first_i", "last_i", "bias_i", "mult_i", "shift_i", "zero_point_i", "lane_i", "word_i")
    inputs = {name: [0] * length for name in names}
    due, at = {}, 4
    for count in reads:
        bias, multiplier, shift = int(rng.integers(-9999, 9999)), int(rng.integers(1 << 17)), int(rng.integers(0, 6))
        zero_point, lane = int(rng.integers(-128, 128)), int(rng.integers(LANES))
        feeds = at + SPACING * np.arange(count)
        last = int(feeds[-1])
        inputs["first_i"][at] = inputs["last_i"][last] = 1
        for t in feeds:
            inputs["feed_i"][t] = 1
        for t in range(at + 5, at + 10):
            inputs["bias_i"][t] = bias & (1 << 25) - 1
        for t in range(last + 8, last + 15):
            inputs["mult_i"][t], inputs["shift_i"][t] = multiplier, shift
        for t in range(at, last + OLD_AT + OUT_AT + BANKS):
            inputs["zero_point_i"][t], inputs["lane_i"][t] = zero_point & 0xFF, lane
        for k in range(BANKS):
            total = int(words[feeds + k, k].sum()) + bias
            expected = words[last + OLD_AT + k, k].copy()
            expected[lane] = max(-128, min(127, requantise(total, multiplier, shift + 16) + zero_point))
            due[last + OLD_AT + k + OUT_AT] = k, expected
        at = last + 3 * SPACING
    for t in range(length):
        inputs["word_i"][t] = int.from_bytes((words[t] & 0xFF).astype(np.uint8).tobytes(), "little")
    await begin(dut, **dict.fromkeys(inputs, 0))
    seen = await play(dut, inputs, ["write_o", "word_o"])
    assert {t for t, write in enumerate(seen["write_o"]) if write} == set(due)
    for t, (bank, expected) in due.items():
        assert seen["write_o"][t] == 1 << bank
        np.testing.assert_array_equal(unpack(seen["word_o"][t], 8, LANES), expected, err_msg=f"cycle {t}, bank {bank}")


def test_global_average():
    simulate("global_average", __file__, Rows=ROWS, Columns=COLUMNS)
