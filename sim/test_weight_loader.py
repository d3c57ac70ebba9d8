"""weight_loader: pairs of any size through table and ring, taken at random times, with stalls; bad headers."""

import random

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from cycles import begin, generator
from riffle.isa import spec
from riffle.isa.descriptor import pack_headers
from runner import simulate

RING = 1024  # weight words


class Loader:
    """Feeds the stream and takes pairs as the sequencer does."""

    def __init__(self, dut):
        self.dut, self.stream, self.sent, self.offered, self.base = dut, [], 0, False, 0

    async def start(self):
        await begin(self.dut, enable_i=0, stream_valid_i=0, stream_data_i=0, take_i=0, base_i=0, weight_addr_i=0,
                    params_id_i=0)
        return self

    async def enable(self, stream: np.ndarray):
        self.dut.enable_i.value = 0
        await self.cycle()
        self.stream, self.sent, self.base = [int.from_bytes(word.tobytes(), "little") for word in stream], 0, 0
        self.dut.base_i.value, self.dut.enable_i.value = 0, 1

    async def cycle(self, stall: float = 0.0) -> None:
        self.offered = self.sent < len(self.stream) and random.random() >= stall
        self.dut.stream_valid_i.value = self.offered
        self.dut.stream_data_i.value = self.stream[self.sent] if self.offered else random.getrandbits(128)
        await RisingEdge(self.dut.clk_i)
        self.sent += bool(self.offered and self.dut.stream_ready_o.value)

    async def take(self, stall: float) -> tuple[int, int] | None:
        """Number and count of the next pair; None where none comes."""
        for _ in range(3000):
            await self.cycle(stall)
            if self.dut.ready_o.value:
                break
        else:
            return None
        await self.cycle(stall)  # the count follows the number by a cycle
        number, count = int(self.dut.id_o.value), int(self.dut.count_o.value)
        self.dut.take_i.value = 1
        await self.cycle(stall)
        self.dut.take_i.value = 0
        for _ in range(4 + random.choice([0, 0, 30])):
            await self.cycle(stall)
        return number, count

    async def weight(self, address: int) -> int:
        for following in range(4):  # the address is there for a cycle, and others after it
            self.dut.weight_addr_i.value = random.randrange(RING) if following else address % RING
            await self.cycle(1.0)
        return int(self.dut.weight_o.value)

    async def parameters(self, number: int) -> tuple[int, int, int]:
        self.dut.params_id_i.value = number
        for _ in range(2):
            await self.cycle(1.0)
        return tuple(int(getattr(self.dut, name).value) for name in ("bias_o", "mult_o", "shift_o"))

    def release(self, count: int) -> None:
        """The oldest pair has been used up: its place is free."""
        self.base = (self.base + count + count % 2) % RING
        self.dut.base_i.value = self.base // 2


def pairs(rng, counts):
    """Parameters and weights of pairs, and their stream, uint8 [n][16] each."""
    result = []
    for count in counts:
        bias, multiplier = rng.integers(-(1 << 24), 1 << 24, 2), rng.integers(0, 1 << 17, 2)
        shift = rng.integers(16, 32, 2)
        weights = rng.integers(0, 256, (count, 8), np.uint8)
        padded = np.concatenate([weights, np.zeros((count % 2, 8), np.uint8)]).reshape(-1, spec.STREAM_BYTES)
        stream = np.concatenate([pack_headers(bias, multiplier, shift, count), padded])
        fields = tuple(int(a) & mask | (int(b) & mask) << bits for a, b, bits, mask in (
            (*bias, 25, (1 << 25) - 1), (*multiplier, 17, (1 << 17) - 1), (*(shift - 16), 4, 15)))
        result.append((count, fields, weights, stream))
    return result


@cocotb.test()
async def pairs_come_as_they_were_sent(dut):
    rng = generator()
    loader = await Loader(dut).start()
    for stall in (0.0, 0.5):
        sizes = rng.choice([0, 1, 2, 3, 40, 200, 501, 1008], 60)
        sent = pairs(rng, map(int, sizes))
        await loader.enable(np.concatenate([stream for *_, stream in sent]))
        for i, (count, fields, weights, _) in enumerate(sent):
            assert await loader.take(stall) == (i % 16, count), f"pair {i}"
            assert await loader.parameters(i % 16) == fields, f"pair {i}"
            for j in {0, count // 2, count - 1} if count else ():
                got = await loader.weight(loader.base + j)
                assert got == int.from_bytes(weights[j].tobytes(), "little"), f"pair {i}, weight {j}"
            loader.release(count)
        assert loader.sent == len(loader.stream) and dut.empty_o.value


@cocotb.test()
async def pairs_in_use_are_not_overwritten(dut):
    """What has come is kept while its place is not given back, however much is sent."""
    rng = generator()
    loader = await Loader(dut).start()
    sent = pairs(rng, [300, 300, 300, 300, 300])
    await loader.enable(np.concatenate([stream for *_, stream in sent]))
    for _ in range(3):
        await loader.take(0.0)
    assert await loader.take(0.0) is None, "three pairs fill the ring"
    for i in range(3):
        for j in range(0, 300, 37):
            assert await loader.weight(300 * i + j) == int.from_bytes(sent[i][2][j].tobytes(), "little")
    loader.release(300)
    assert await loader.take(0.0) == (3, 300)


@cocotb.test()
async def bad_headers_stop_the_stream(dut):
    rng = generator()
    loader = await Loader(dut).start()
    for spoil in ("tag", "count"):
        sent = pairs(rng, [4, 3, 5])
        bad = sent[1][3].copy()
        low, bits, _ = spec.STREAM_HEADER_FIELDS[spoil]
        word = int.from_bytes(bad[0].tobytes(), "little")
        word ^= 1 << low if spoil == "tag" else (word >> low & (1 << bits) - 1 ^ 1009) << low
        bad[0] = np.frombuffer(word.to_bytes(16, "little"), np.uint8)
        await loader.enable(np.concatenate([sent[0][3], bad, sent[2][3]]))
        assert await loader.take(0.0) == (0, 4)
        assert await loader.take(0.0) is None and dut.error_o.value and not dut.empty_o.value
        assert int(dut.error_count_o.value) == (3 if spoil == "tag" else 1009)
        await loader.enable(sent[2][3])
        assert await loader.take(0.3) == (0, 5), "enabled again, it begins anew"


def test_weight_loader():
    simulate("weight_loader", __file__)
