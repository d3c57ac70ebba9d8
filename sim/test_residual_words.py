"""residual_words: old words of pairs in any banks, and blocks whose second pair finds them kept."""

import cocotb

from cycles import begin, generator, play
from riffle.isa import spec
from runner import simulate

WIDTH, BANKS = 24, 4


def schedule(rng):
    """Reads five cycles apart or more: cycle, banks of both channels (-1: none), keep, kept."""
    reads, cycle = [], 2
    for _ in range(60):
        style = rng.integers(3)
        phases = int(rng.integers(1, spec.KEPT_PHASES + 1)) if style else 1
        if style:  # a block: all phases of its first pair, then as many of its second
            batch = [(0, 1, 1, 0)] * phases + [(2, int(rng.choice([3, -1])), 0, 1)] * phases
        else:
            first = int(rng.integers(BANKS))
            batch = [(first, int(rng.choice([(first + 1) % BANKS, -1])), 0, 0)]
        for read in batch:
            reads.append((cycle, *read))
            cycle += int(rng.choice([5, 5, 6, 9]))
    return reads, cycle + 8


@cocotb.test()
async def words_of_the_memory_and_kept_ones(dut):
    rng = generator()
    reads, length = schedule(rng)
    words = rng.integers(0, 2**WIDTH, (length, BANKS))
    packed = [sum(int(word) << WIDTH * k for k, word in enumerate(row)) for row in words]
    inputs = {name: [0] * length for name in ("valid_i", "keep_i", "kept_i", "banks0_i", "banks1_i")}
    due, kept = {}, []
    for cycle, *channels, keep, use in reads:
        inputs["valid_i"][cycle], inputs["keep_i"][cycle], inputs["kept_i"][cycle] = 1, keep, use
        banks = [0 if k < 0 else 1 << k for k in channels]
        inputs["banks0_i"][cycle], inputs["banks1_i"][cycle] = banks
        if keep:
            kept.append([words[cycle + k, k] for k in (2, 3)])
        old = kept.pop(0) if use else [words[cycle + max(k, 0), max(k, 0)] for k in channels]
        due |= {(cycle + (2 + o if use else k) + 1, o): old[o] for o, k in enumerate(channels) if k >= 0}
    for cycle in range(length):  # banks mean nothing without valid_i
        if not inputs["valid_i"][cycle]:
            inputs["banks0_i"][cycle], inputs["banks1_i"][cycle] = (int(x) for x in rng.integers(0, 16, 2))
    await begin(dut, **dict.fromkeys(inputs, 0), word_i=0)
    seen = await play(dut, inputs | {"word_i": packed}, ["old_o"])
    for (cycle, o), expected in due.items():
        assert seen["old_o"][cycle] >> WIDTH * o & 2**WIDTH - 1 == expected, f"cycle {cycle}, channel {o}"


def test_residual_words():
    simulate("residual_words", __file__, Width=WIDTH)
