"""lattice_shift: every step of random words, against the table of lattice steps that riffle.isa.emulator uses."""

import cocotb
import numpy as np
import pytest

from cycles import begin, delayed, generator, pack, play, unpack
from riffle.isa.emulator import tap_steps
from runner import simulate

STEP = {0: 0b00, 1: 0b01, -1: 0b10}


@cocotb.test()
async def words_move_by_a_step(dut):
    rng = generator()
    rows, columns = int(dut.Rows.value), int(dut.Columns.value)
    table, count = tap_steps(rows, columns), 300
    await begin(dut, dy_i=0, dx_i=0, fill_i=0, word_i=0)
    for fill in (-128, 127, int(rng.integers(-127, 127))):
        words = rng.integers(-128, 128, (count, rows * columns), np.int8)
        dy, dx = rng.integers(-1, 2, (2, count))
        seen = await play(dut, {
            "dy_i": [STEP[int(d)] for d in dy] + [0] * 4, "fill_i": [fill & 0xFF] * (count + 4),
            "word_i": delayed([pack(word, 8) for word in words], 1, count + 4),
            "dx_i": delayed([STEP[int(d)] for d in dx], 1, count + 4)}, ["word_o"])
        for i, word in enumerate(words):
            expected = np.append(word, fill)[table[3 * (dy[i] + 1) + dx[i] + 1]]
            got = unpack(seen["word_o"][i + 3], 8, rows * columns)
            np.testing.assert_array_equal(got, expected, err_msg=f"word {i}, step {dy[i]}, {dx[i]}")


@pytest.mark.parametrize("rows, columns", [(3, 4), (7, 7), (1, 2)])
def test_lattice_shift(rows, columns):
    simulate("lattice_shift", __file__, Rows=rows, Columns=columns)
