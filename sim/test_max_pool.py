"""max_pool: windows of any length from four slots on, back to back, the banks a cycle apart."""

import cocotb
import numpy as np

from cycles import begin, generator, play, unpack
from runner import simulate

LANES, BANKS, OUT_AT = 6, 4, 2


@cocotb.test()
async def maxima_of_windows(dut):
    rng = generator()
    sizes = rng.choice([4, 5, 9, 12], 60)
    gaps = rng.choice([0, 0, 1, 5], 60)
    length = int((sizes + gaps).sum()) + 16
    words = rng.choice([-128, 127, *range(-128, 128)], (length, BANKS, LANES))
    inputs = {"valid_i": [0] * length, "first_i": [0] * length, "last_i": [0] * length, "word_i": [0] * length}
    due, at = {}, 2
    for size, gap in zip(sizes, gaps, strict=True):
        slots = np.arange(at, at + size)
        inputs["first_i"][at], inputs["last_i"][at + size - 1] = 1, 1
        for t in slots:
            inputs["valid_i"][t] = 1
        for k in range(BANKS):
            due[int(slots[-1]) + k + OUT_AT] = k, words[slots + k, k].max(0)
        at += int(size + gap)
    for t in range(length):
        inputs["word_i"][t] = int.from_bytes((words[t] & 0xFF).astype(np.uint8).tobytes(), "little")
    await begin(dut, **dict.fromkeys(inputs, 0))
    seen = await play(dut, inputs, ["write_o", "word_o"])
    assert {t for t, write in enumerate(seen["write_o"]) if write} == set(due)
    for t, (bank, expected) in due.items():
        assert seen["write_o"][t] == 1 << bank
        np.testing.assert_array_equal(unpack(seen["word_o"][t], 8, LANES), expected, err_msg=f"cycle {t}, bank {bank}")


def test_max_pool():
    simulate("max_pool", __file__, Lanes=LANES)
