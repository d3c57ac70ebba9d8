"""drain: the sums of pairs as close together as they may come, with residual or as raw bytes."""

import cocotb
import numpy as np
import pytest

from cycles import begin, generator, pack, play, unpack
from riffle.isa.emulator import requantise
from runner import simulate

ACC, LOW = 25, 12  # bits
DONE_AT = 14  # cycles from the sums to the first words


class Stimulus:
    """Pairs at random distances of at least `gap` cycles; between them the inputs are noise."""

    def __init__(self, lanes: int, gap: int, count: int = 60):
        rng = self.rng = generator()
        self.lanes = lanes
        self.at = 3 + np.cumsum(gap + rng.choice([0, 0, 0, 1, 2, 7], count))  # cycle of the sums
        self.sums = rng.integers(1 - (1 << 24), 1 << 24, (count, 2, lanes)) >> rng.integers(0, 20, (count, 2, 1))
        self.residual = rng.integers(-128, 128, (count, 2, lanes))
        self.multiplier, self.shift = rng.integers(0, 1 << 17, (count, 2)), rng.integers(0, 16, (count, 2))
        self.length = int(self.at[-1]) + 40

    def inputs(self, **held: int) -> dict[str, list[int]]:
        rng, low = self.rng, (1 << LOW) - 1
        noise = {"mult_i": 34, "shift_i": 8, "residual_i": 16 * self.lanes,
                 "acc0_i": ACC * self.lanes, "acc1_i": ACC * self.lanes}
        inputs = {name: [int.from_bytes(rng.bytes(-(-bits // 8)), "little") >> -bits % 8 for _ in range(self.length)]
                  for name, bits in noise.items()}
        inputs["capture_i"] = [0] * self.length
        for name, value in held.items():
            inputs[name] = [value] * self.length
        low_mask = pack([low] * self.lanes, ACC)
        for i, t in enumerate(self.at):
            inputs["capture_i"][t - 1] = 1
            inputs["mult_i"][t] = pack(self.multiplier[i], 17)
            inputs["shift_i"][t] = pack(self.shift[i], 4)
            inputs["residual_i"][t] = pack(self.residual[i].reshape(-1), 8)
            for o in range(2):
                word, name = pack(self.sums[i, o], ACC), f"acc{o}_i"
                inputs[name][t] = inputs[name][t] & ~low_mask | word & low_mask
                inputs[name][t + 1] = inputs[name][t + 1] & low_mask | word & ~low_mask
        return inputs


async def run(dut, stimulus: Stimulus, passes: int, **held: int) -> np.ndarray:
    """Words at the times when they must come, int [pairs][passes][2][lanes]; nothing may come at others."""
    inputs = stimulus.inputs(**held)
    await begin(dut, **dict.fromkeys(inputs, 0))
    seen = await play(dut, inputs, ["word_o", "done_o", "pass_o"])
    due = {int(t) + DONE_AT + 5 * p: p for t in stimulus.at for p in range(passes)}
    assert [t for t, done in enumerate(seen["done_o"]) if done] == sorted(due)
    assert all(seen["pass_o"][t] == p for t, p in due.items())
    words = [unpack(seen["word_o"][t], 8, 2 * stimulus.lanes) for t in sorted(due)]
    return np.array(words).reshape(len(stimulus.at), passes, 2, stimulus.lanes)


@cocotb.test()
async def requantised_with_and_without_residual(dut):
    lanes = int(dut.Lanes.value)
    for residual, zero_point in ((0, -128), (1, 0), (0, 77)):
        s = Stimulus(lanes, 5)
        got = await run(dut, s, 1, raw_i=0, residual_add_i=residual, zero_point_i=zero_point & 0xFF)
        for i, o in np.ndindex(len(s.at), 2):
            value = requantise(s.sums[i, o], int(s.multiplier[i, o]), int(s.shift[i, o]) + 16)
            expected = (value + zero_point + residual * s.residual[i, o]).clip(-128, 127)
            np.testing.assert_array_equal(got[i, 0, o], expected, err_msg=f"pair {i}, channel {o}")


@cocotb.test()
async def raw_bytes(dut):
    s = Stimulus(int(dut.Lanes.value), 20, 30)
    got = await run(dut, s, 4, raw_i=1, residual_add_i=0, zero_point_i=0)
    for i, byte, o in np.ndindex(len(s.at), 4, 2):
        expected = s.sums[i, o].astype("<i4").view(np.int8).reshape(-1, 4)[:, byte]
        np.testing.assert_array_equal(got[i, byte, o], expected, err_msg=f"pair {i}, byte {byte}, channel {o}")


@pytest.mark.parametrize("lanes", [12, 49])
def test_drain(lanes):
    simulate("drain", __file__, Lanes=lanes)
