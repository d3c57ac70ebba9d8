"""What a descriptor does, in NumPy: descriptors and weight stream in, activation memory changed in place.

This is the executable form of "What a descriptor executes" in docs/architecture.md. The hardware gives the same bits
and the same error codes, in the same order: for each pair what is wrong with its header and weights, then, phase by
phase, its reads and then its writes. It is written pair by pair; phases and lanes are array axes. As in the hardware, a
pair reads its input before it writes, and inputs that several pairs share are not expected to change between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riffle.errors import EngineError, InputError
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, unpack_header, unpack_program
from riffle.isa.spec import CONV, GLOBAL_AVERAGE, MAXPOOL


def execute(memory: np.ndarray, descriptors: Sequence[Descriptor] | np.ndarray, stream: bytes | np.ndarray,
            rows: int, columns: int, lane: int = 0) -> None:
    """Run a program on an activation memory, in place.

    Parameters
    ----------
    memory
        int8 [4][depth][rows*columns]
    descriptors
        `Descriptor`s, or the program memory image, uint32 [n][8]
    stream
        weight stream: bytes, or uint8 [n][16]
    rows, columns
        of the lattice
    lane
        what the LANE register holds: where GLOBAL_AVERAGE writes

    Raises
    ------
    EngineError
        where the hardware stops with an error; what the descriptors before have written stays, and what the failing
        one writes is undefined
    ValueError
        if the memory does not have this shape and type, or the lane does not exist
    """
    lanes = rows * columns
    if memory.dtype != np.int8 or memory.ndim != 3 or memory.shape[::2] != (spec.BANKS, lanes):
        raise InputError(f"memory is {memory.dtype} {memory.shape}, but must be int8 (4, depth, {lanes})")
    if not 0 <= lane < lanes:
        raise InputError(f"lane is {lane}, but the lattice has lanes 0 to {lanes - 1}")
    if isinstance(descriptors, np.ndarray):
        descriptors = unpack_program(descriptors)
    engine = _Engine(memory, bytes(stream), rows, columns, lane)
    for engine.index, descriptor in enumerate(descriptors):
        engine.run(descriptor)
    if engine.stream_offset < len(engine.stream):
        engine.fail("STREAM_LEFT")


def contradiction(d: Descriptor) -> str | None:
    """Why a descriptor of a known opcode is BAD_DESCRIPTOR, None where it is not."""
    pool = d.opcode in (MAXPOOL, GLOBAL_AVERAGE)
    rules = {
        "log2s is too large": d.log2s > spec.LOG2S_MAX,
        "blocks, groups, group_outputs or modulus is 0": 0 in (d.blocks, d.groups, d.group_outputs, d.modulus),
        "remainder is not below modulus": d.remainder >= d.modulus,
        "stride2 with a single phase": d.stride2 and d.log2s == 0,
        "paired without taps9": d.paired and not d.taps9,
        "taps4 with taps9": d.taps4 and d.taps9,
        "residual with raw or duplicate": d.residual and (d.raw or d.duplicate),
        "residual with shuffled outputs": d.residual and (d.step_low != 1 or d.step_high != d.modulus),
        "raw with duplicate": d.raw and d.duplicate,
        "more weights than a pair may have": d.opcode == CONV and len(taps(d)) * d.blocks > spec.PAIR_WEIGHTS_MAX,
        "a flag that pools do not have": pool and (d.paired or d.residual or d.raw or d.duplicate or d.taps4),
        "an odd number of outputs in a pool": pool and d.group_outputs % 2,
        "a maximum of other than 9 taps and 1 block": d.opcode == MAXPOOL and (not d.taps9 or d.blocks != 1),
        "an average with taps9 or log2s": d.opcode == GLOBAL_AVERAGE and (d.taps9 or d.log2s),
        "an average over more phases than there are": d.opcode == GLOBAL_AVERAGE and d.blocks > 4**spec.LOG2S_MAX,
    }
    return next((text for text, broken in rules.items() if broken), None)


def tap_steps(rows: int, columns: int) -> np.ndarray:
    """Which lane each lane reads, rows*columns for outside, at lattice steps 3*(dy + 1) + dx + 1 of -1..1 an axis."""
    outside = rows * columns
    table = np.full((9, outside), outside)
    for step in range(9):
        for lane in range(outside):
            y, x = lane // columns + step // 3 - 1, lane % columns + step % 3 - 1
            if 0 <= y < rows and 0 <= x < columns:
                table[step, lane] = y * columns + x
    return table


def requantise(accumulator: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """(accumulator * multiplier + 2^(shift - 1)) >> shift."""
    return (accumulator * multiplier + (1 << (shift - 1))) >> shift


class _Engine:
    def __init__(self, memory: np.ndarray, stream: bytes, rows: int, columns: int, lane: int):
        self.memory, self.stream, self.lane = memory, stream, lane
        self.depth, self.lanes = memory.shape[1:]
        self.steps = tap_steps(rows, columns)
        self.stream_offset = 0
        self.index = 0

    def fail(self, name: str, detail: int = 0) -> None:
        raise EngineError(spec.ERROR_CODES[name], self.index, detail)

    def run(self, d: Descriptor) -> None:
        if d.opcode not in (CONV, MAXPOOL, GLOBAL_AVERAGE):
            self.fail("UNKNOWN_OPCODE", d.opcode)
        if contradiction(d):
            self.fail("BAD_DESCRIPTOR")
        pair = {CONV: self.convolution, MAXPOOL: self.maximum, GLOBAL_AVERAGE: self.average}[d.opcode]
        positions = Positions(d)
        for group in range(d.groups):
            first = d.in_channel + group * d.group_step
            shared = None  # input of the pairs of a group, where they have the same
            for number in range(d.pairs):
                channel = first + number * d.pair_step
                places = [positions.next()]
                if 2 * number + 1 < d.group_outputs:
                    places.append(positions.next())
                weights = self.next_pair(d) if d.opcode != MAXPOOL else None
                if shared is None or d.pair_step:
                    reads = self.addresses(d, channel)
                writes = [self.targets(d, position) for position in places]
                self.check(reads, np.stack(writes, 1))
                if shared is None or d.pair_step:
                    shared = self.gather(d, reads)
                pair(d, shared, weights, places, writes)

    def next_pair(self, d: Descriptor) -> tuple[dict[str, int], np.ndarray]:
        """Header and weights, int8 [2][taps*blocks*4], of the next pair in the stream."""
        end = self.stream_offset + spec.STREAM_BYTES
        if end > len(self.stream):
            self.fail("STREAM_END")
        header = unpack_header(self.stream[self.stream_offset:end])
        expected = len(taps(d)) * d.blocks if d.opcode == CONV else 0
        if header["tag"] != spec.STREAM_TAG or header["count"] != expected:
            self.fail("STREAM_HEADER", header["count"])
        self.stream_offset = end + -(-expected // 2) * spec.STREAM_BYTES
        if self.stream_offset > len(self.stream):
            self.fail("STREAM_END")
        weights = np.frombuffer(self.stream, np.int8, expected * 8, end).reshape(-1, 2)
        return header, weights.T

    @staticmethod
    def window(d: Descriptor) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each input that a pair sees, in phases of the map, int [output phases][taps][banks]."""
        stride, tap = 1 + d.stride2, taps(d)[None]  # [1][taps][banks]
        out = np.arange((1 << d.log2s) // stride)
        return (stride * np.repeat(out, len(out))[:, None, None] + tap // 3 - 1,
                stride * np.tile(out, len(out))[:, None, None] + tap % 3 - 1)

    def addresses(self, d: Descriptor, channel: int) -> np.ndarray:
        """What a pair reads: int [output phases][taps][blocks][4 banks], in the hardware's order."""
        s, (qy, qx) = 1 << d.log2s, self.window(d)
        block = channel // spec.BANKS + np.arange(d.blocks)[:, None]  # [blocks][1]
        return d.in_base + block * s * s + (qy % s * s + qx % s)[:, :, None]

    def gather(self, d: Descriptor, address: np.ndarray) -> np.ndarray:
        """Input of a pair: int8 [output phases][taps][blocks][4 banks][lanes]."""
        s, (qy, qx) = 1 << d.log2s, self.window(d)
        step = (qy // s + 1) * 3 + qx // s + 1
        low, high = address.min(), address.max() + 1
        fill = np.full((spec.BANKS, high - low, 1), d.fill, np.int8)
        words = np.concatenate([self.memory[:, low:high], fill], 2)
        bank = np.arange(spec.BANKS)[:, None]
        return words[bank, address[..., None] - low, self.steps[step][:, :, None]]

    def check(self, reads: np.ndarray, writes: np.ndarray) -> None:
        """Stop at the first address, of [phases][...], beyond the memory: phase by phase, reads before writes."""
        if max(reads.max(), writes.max()) < self.depth:
            return
        for phase in range(len(reads)):
            for error, address in (("READ_RANGE", reads[phase]), ("WRITE_RANGE", writes[phase])):
                beyond = address[address >= self.depth]
                if beyond.size:
                    self.fail(error, int(beyond.flat[0]))

    @staticmethod
    def targets(d: Descriptor, position: int) -> np.ndarray:
        """Addresses of the output phases of a channel, int [phases]."""
        phases = (1 << 2 * d.log2s) >> 2 * d.stride2
        block = position if d.raw else position // (2 if d.duplicate else spec.BANKS)
        return d.out_base + block * phases + np.arange(phases)

    def convolution(self, d: Descriptor, words: np.ndarray, pair: tuple, places: list[int],
                    writes: list[np.ndarray]) -> None:
        header, weights = pair
        phases = len(words)
        # float64 sums of int8 products are exact far beyond 32 bits, and fast
        matrix = words.reshape(phases, -1, self.lanes).astype(np.float64)
        sums = np.tensordot(weights.astype(np.float64), matrix, (1, 1)).astype(np.int64)  # [2][phases][lanes]
        for i, (position, address) in enumerate(zip(places, writes, strict=True)):
            accumulator = sums[i] + header[f"bias{i}"]
            if d.raw:
                parts = accumulator.astype("<i4").view(np.int8).reshape(phases, self.lanes, 4)
                self.memory[:, address] = parts.transpose(2, 0, 1)
                continue
            result = requantise(accumulator, header[f"multiplier{i}"], header[f"shift{i}"]) + d.zero_point
            banks = (position % 2, position % 2 + 2) if d.duplicate else (position % spec.BANKS,)
            if d.residual:
                result += self.memory[banks[0], address]
            for bank in banks:
                self.memory[bank, address] = result.clip(-128, 127)

    def maximum(self, d: Descriptor, words: np.ndarray, _: None, places: list[int], writes: list[np.ndarray]) -> None:
        self.memory[:, writes[0]] = words[:, :, 0].max(1).transpose(1, 0, 2)

    def average(self, d: Descriptor, words: np.ndarray, pair: tuple, places: list[int],
                writes: list[np.ndarray]) -> None:
        header, _ = pair
        total = words.sum((0, 1, 2, 4), dtype=np.int64) + header["bias0"]  # [banks]
        result = requantise(total, header["multiplier0"], header["shift0"]) + d.zero_point
        lane = (self.lane + d.fill) % spec.LANES_MAX
        if lane < self.lanes:
            self.memory[:, writes[0], lane] = result.clip(-128, 127)[:, None]


class Positions:
    """Where the output channels go, one after the other."""

    def __init__(self, d: Descriptor):
        self.d, self.position, self.row, self.remainder = d, d.position, d.row, d.remainder

    def next(self) -> int:
        result = self.position
        self.remainder += 1
        if self.remainder == self.d.modulus:
            self.remainder = 0
            self.row += self.d.step_high
            self.position = self.row
        else:
            self.position += self.d.step_low
        return result


def taps(d: Descriptor) -> np.ndarray:
    """Tap (3*ty + tx) that each bank sees at each step, int [taps][4 banks]; one tap is the centre."""
    if d.paired:
        return np.arange(5)[:, None] + [0, 0, 4, 4]
    chosen = range(9) if d.taps9 else (4, 5, 7, 8) if d.taps4 else (4,)
    return np.repeat(np.array(chosen)[:, None], spec.BANKS, 1)
