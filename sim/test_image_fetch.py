"""image_fetch: an image from memory lies as the image window would have put it, whatever waits on either side."""

import random
from collections import deque

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from cycles import begin, generator, unpack
from riffle.isa import layout, spec
from runner import simulate

ROWS, COLUMNS, DEPTH, BASE = 2, 3, 2048, 7
LANES = ROWS * COLUMNS
BAD_IMAGE, IMAGE_RESPONSE = (next(code for code, (found, *_) in spec.ERRORS.items() if found == name)
                             for name in ("BAD_IMAGE", "IMAGE_RESPONSE"))


class Around:
    """Memory on one side, activation memory on the other."""

    def __init__(self, dut, image: np.ndarray, address: int):
        self.dut, self.address, self.data = dut, address, image.reshape(-1, 8)
        self.words = np.zeros((4, DEPTH, LANES), np.int8)
        self.requests, self.fail_at, self.held_writes = deque(), None, 0
        self.errors = []

    async def cycle(self, ready: float = 0.7, hold: bool = False) -> None:
        dut = self.dut
        dut.req_ready_i.value = random.random() < ready
        dut.write_ready_i.value = random.random() < ready
        dut.hold_i.value = hold
        give = bool(self.requests) and random.random() < ready
        dut.data_valid_i.value = give
        if give:
            beat = self.requests.popleft()
            dut.data_i.value = int.from_bytes(self.data[beat].tobytes(), "little")
            dut.data_error_i.value = beat == self.fail_at
        await RisingEdge(dut.clk_i)
        if dut.error_o.value:
            self.errors.append(int(dut.error_code_o.value))
        if dut.req_valid_o.value and dut.req_ready_i.value:
            offset = int(dut.req_addr_o.value) - self.address
            beats = int(dut.req_last_o.value) + 1
            assert offset % (8 * beats) == 0, "a burst lies within its segment"
            self.requests += range(offset // 8, offset // 8 + beats)
        if dut.write_valid_o.value and dut.write_ready_i.value:
            self.held_writes += hold
            bank = int(dut.write_banks_o.value).bit_length() - 1
            assert int(dut.write_banks_o.value) == 1 << bank
            self.words[bank, int(dut.write_addr_o.value)] = unpack(int(dut.write_word_o.value), 8, LANES)

    async def start(self, log2s: int) -> None:
        self.dut.address_i.value, self.dut.base_i.value, self.dut.log2s_i.value = self.address, BASE, log2s
        self.dut.start_i.value = 1
        await self.cycle(0.0)
        self.dut.start_i.value = 0
        await self.cycle(0.0)

    async def finish(self, ready: float, limit: int = 60_000) -> bool:
        for _ in range(limit):
            if not self.dut.busy_o.value:
                return True
            await self.cycle(ready)
        return False


def around(dut, rng, log2s):
    size = (ROWS << log2s, COLUMNS << log2s)
    image = rng.integers(0, 256, (*size, 4), np.uint8)
    expected = layout.to_words((image[:, :, :3].transpose(2, 0, 1).astype(int) - 128).astype(np.int8), ROWS, COLUMNS)
    return Around(dut, image, 128 * int(rng.integers(1, 1 << 20))), expected


async def ready(dut):
    await begin(dut, start_i=0, abort_i=0, hold_i=0, address_i=0, base_i=0, log2s_i=1, req_ready_i=0, data_valid_i=0,
                data_i=0, data_error_i=0, write_ready_i=0)


@cocotb.test()
async def images_of_all_sizes(dut):
    rng = generator()
    await ready(dut)
    for log2s, pace in ((1, 1.0), (2, 0.5), (3, 0.9), (5, 1.0), (1, 0.3)):
        side, expected = around(dut, rng, log2s)
        await side.start(log2s)
        assert await side.finish(pace), "the image does not arrive"
        phases = 1 << 2 * log2s
        np.testing.assert_array_equal(side.words[:3, BASE:BASE + phases], expected[:3, :phases])
        assert not side.words[3].any() and not side.requests


@cocotb.test()
async def nothing_is_written_while_held(dut):
    rng = generator()
    await ready(dut)
    side, expected = around(dut, rng, 3)
    await side.start(3)
    for _ in range(40):
        hold = random.random() < 0.6
        for _ in range(random.randint(1, 60)):
            await side.cycle(0.8, hold)
    assert side.held_writes == 0
    assert await side.finish(1.0)
    np.testing.assert_array_equal(side.words[:3, BASE:BASE + 64], expected[:3, :64])


@cocotb.test()
async def abort_and_errors_end_it_and_the_next_image_is_right(dut):
    rng = generator()
    await ready(dut)
    for fault in ("abort", "error") * 4:
        side, _ = around(dut, rng, 3)
        side.fail_at = int(rng.integers(0, 60)) if fault == "error" else None
        await side.start(3)
        for _ in range(int(rng.integers(1, 200)) if fault == "abort" else 1500):
            await side.cycle()
        dut.abort_i.value = fault == "abort"
        await side.cycle()
        dut.abort_i.value = 0
        await side.cycle(0.0)
        assert not dut.busy_o.value and not dut.req_valid_o.value
        assert side.errors == [IMAGE_RESPONSE] * (fault == "error")
        side, expected = around(dut, rng, 2)
        await side.start(2)
        assert await side.finish(0.8)
        np.testing.assert_array_equal(side.words[:3, BASE:BASE + 16], expected[:3, :16])


def fits(address: int, base: int, log2s: int) -> bool:
    phases = 1 << 2 * log2s
    return (address % 128 == 0 and 1 <= log2s <= spec.LOG2S_MAX and base + phases <= DEPTH
            and address + 4 * LANES * phases <= 1 << 32)


@cocotb.test()
async def what_does_not_fit_is_refused_and_nothing_is_asked_for(dut):
    await ready(dut)
    seen = set()
    for _ in range(300):
        log2s = random.randrange(8)
        phases = 1 << 2 * log2s
        base = random.choice([0, DEPTH - phases + random.randint(-1, 1), random.getrandbits(16)]) % (1 << 16)
        address = random.choice([random.getrandbits(25) << 7, random.getrandbits(32),
                                 (1 << 32) - 4 * LANES * phases - random.choice([-128, 0, 128, 256]) & ~127,
                                 (1 << 32) - 128]) % (1 << 32)
        dut.address_i.value, dut.base_i.value, dut.log2s_i.value = address, base, log2s
        dut.req_ready_i.value, dut.start_i.value = 0, 1
        asked = errors = 0
        for _ in range(12):
            await RisingEdge(dut.clk_i)
            dut.start_i.value = 0
            asked |= int(dut.req_valid_o.value)
            errors += int(dut.error_o.value)
            if dut.error_o.value:
                assert int(dut.error_code_o.value) == BAD_IMAGE
        good = fits(address, base, log2s)
        assert (asked, errors, bool(dut.busy_o.value)) == (good, not good, good), (hex(address), base, log2s)
        seen.add((good, address + 4 * LANES * phases > 1 << 32, base + phases > DEPTH))
        dut.abort_i.value = 1
        await RisingEdge(dut.clk_i)
        dut.abort_i.value = 0
        await RisingEdge(dut.clk_i)
    assert (True, False, False) in seen and len(seen) == 5


def test_image_fetch():
    simulate("image_fetch", __file__, Rows=ROWS, Columns=COLUMNS, Depth=DEPTH)
