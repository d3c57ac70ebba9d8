"""Random work for the stand-alone cores: memories laid out as hls/include/riffle/map.hpp says, and what must come out.

Both the native cores (test_hls_cores.py) and their Verilog (sim/test_generated_cores.py) are tested with it.
"""

from dataclasses import dataclass

import numpy as np

from riffle.graph.integer_graph import Shuffle
from riffle.graph.reference import clamp, convolution, requantise

MEMORY_WORDS = 65536
NO_SHUFFLE = Shuffle(1, 1, 1)


@dataclass
class Case:
    """One call of a core.

    Attributes
    ----------
    arguments
        by name, in the order of the core's parameters
    memory, before
        input memory and what the output memory holds before, uint32 [65536]
    at
        first word of the result in the output memory
    expected
        int8 [C][H][W]
    """

    arguments: dict[str, int]
    memory: np.ndarray
    before: np.ndarray
    at: int
    expected: np.ndarray

    def check(self, memory):
        """The result is right and nothing beside it was written; what fills rows up may hold anything."""
        found, size = unpack(memory, self.at, self.expected.shape)
        wrong = np.argwhere(found != self.expected)
        assert not len(wrong), f"channel, y, x {wrong[0]} of {len(wrong)}: {self.arguments}"
        beside = np.delete(np.arange(MEMORY_WORDS), np.arange(self.at, self.at + size))
        assert (memory[beside] == self.before[beside]).all(), f"written beside the result: {self.arguments}"


def pitch(width):
    return -(-width // 4)


def pack(maps, rng):
    """int8 [C][H][W] -> words; rows are filled up with noise."""
    channels, height, width = maps.shape
    rows = rng.integers(-128, 128, (channels, height, 4 * pitch(width)), np.int8)
    rows[:, :, :width] = maps
    return rows.reshape(-1).view("<u4")


def unpack(memory, at, shape):
    """Maps of a shape at a place in memory, and how many words they take."""
    channels, height, width = shape
    size = channels * height * pitch(width)
    rows = memory[at:at + size].view(np.int8).reshape(channels, height, -1)
    return rows[:, :, :width], size


def random_scales(rng, channels, terms):
    """Bias, multiplier and shift that spread sums of so many products over the int8 range, and their words."""
    shift = rng.integers(16, 32, channels)
    spread = 75 * 75 * np.sqrt(terms)
    multiplier = np.minimum(2.0**shift * 64 / spread, 2**17 - 1).astype(np.int64)
    bias = rng.integers(-5000, 5001, channels)
    words = np.stack([bias & 0xFFFFFFFF, multiplier | shift << 17], 1).astype("<u4")
    return bias, multiplier[:, None, None], shift[:, None, None], words.reshape(-1)


def weight_words(weights):
    """int8 [O][n] -> words; each output channel begins a word."""
    padded = np.zeros((len(weights), 4 * pitch(weights.shape[1])), np.int8)
    padded[:, :weights.shape[1]] = weights
    return padded.reshape(-1).view("<u4")


def lay_out(rng, parts):
    """An input memory with parts in it one after the other, gaps between, and where each begins."""
    memory = rng.integers(0, 1 << 32, MEMORY_WORDS, np.uint32)
    places, at = [], 0
    for part in parts:
        at += int(rng.integers(0, 9))
        memory[at:at + len(part)] = part
        places.append(at)
        at += len(part)
    return memory, places


def random_shuffle(rng, channels):
    divisors = [n for n in range(1, channels + 1) if channels % n == 0]
    groups = int(rng.choice(divisors))
    return [NO_SHUFFLE, Shuffle.paper(channels, groups), Shuffle.inverse(channels, groups)][rng.integers(3)]


def steps(shuffle):
    return {"modulus": shuffle.modulus, "step_low": shuffle.step_low, "step_high": shuffle.step_high}


def random_pointwise(rng, small):
    groups, inputs, outputs = (int(n) for n in rng.integers(1, [5, 6, 6] if small else [9, 41, 17]))
    height, width = (int(n) for n in rng.integers(1, 4 if small else 9, 2))
    maps = rng.integers(-128, 128, (groups * inputs, height, width), np.int8)
    weight = rng.integers(-127, 128, (groups * outputs, inputs), np.int8)
    bias, multiplier, shift, scales = random_scales(rng, groups * outputs, inputs)
    shuffle, residual = random_shuffle(rng, groups * outputs), int(rng.integers(2))
    zero_point = 0 if residual else int(rng.integers(-128, 128))
    memory, places = lay_out(rng, [pack(maps, rng), weight_words(weight), scales])
    before = rng.integers(0, 1 << 32, MEMORY_WORDS, np.uint32)
    at = int(rng.integers(0, 99))
    old, _ = unpack(before, at, (groups * outputs, height, width))
    sums = convolution(maps, weight[:, :, None, None], bias, groups)
    values, positions = requantise(sums, multiplier, shift), shuffle.positions(groups * outputs)
    expected = np.empty(old.shape, np.int8)
    expected[positions] = clamp(values + (old[positions] if residual else zero_point))
    arguments = dict(zip(("maps", "weights", "scales"), places, strict=True))
    arguments |= {"result": at, "words": height * pitch(width), "groups": groups, "inputs": inputs, "outputs": outputs}
    arguments |= steps(shuffle) | {"zero_point": zero_point, "residual": residual}
    return Case(arguments, memory, before, at, expected)


def random_depthwise(rng, small):
    channels = int(rng.integers(1, 4 if small else 20))
    height, width = (int(n) for n in rng.integers(1, 7 if small else 30, 2))
    stride, fill, zero_point = int(rng.integers(1, 3)), int(rng.integers(-128, 128)), int(rng.integers(-128, 128))
    maps = rng.integers(-128, 128, (channels, height, width), np.int8)
    weight = rng.integers(-127, 128, (channels, 9), np.int8)
    if rng.integers(4) == 0:
        weight[:] = 1  # average pool
    bias, multiplier, shift, scales = random_scales(rng, channels, 9)
    memory, places = lay_out(rng, [pack(maps, rng), weight_words(weight), scales])
    sums = convolution(maps, weight.reshape(channels, 1, 3, 3), bias, channels, stride, fill)
    expected = clamp(requantise(sums, multiplier, shift) + zero_point)
    at = int(rng.integers(0, 99))
    arguments = dict(zip(("maps", "weights", "scales"), places, strict=True))
    arguments |= {"result": at, "channels": channels, "height": height, "width": width, "stride": stride, "fill": fill,
                  "zero_point": zero_point}
    return Case(arguments, memory, rng.integers(0, 1 << 32, MEMORY_WORDS, np.uint32), at, expected)


def random_copy(rng, small):
    channels = int(rng.integers(1, 10 if small else 100))
    height, width = (int(n) for n in rng.integers(1, 4 if small else 15, 2))
    maps = rng.integers(-128, 128, (channels, height, width), np.int8)
    shuffle = random_shuffle(rng, channels)
    memory, (place,) = lay_out(rng, [pack(maps, rng)])
    expected = np.empty_like(maps)
    expected[shuffle.positions(channels)] = maps
    at = int(rng.integers(0, 99))
    arguments = {"maps": place, "result": at, "channels": channels, "words": height * pitch(width)} | steps(shuffle)
    return Case(arguments, memory, rng.integers(0, 1 << 32, MEMORY_WORDS, np.uint32), at, expected)


CASES = {"grouped_pointwise": random_pointwise, "depthwise": random_depthwise, "channel_shuffle": random_copy}
HUGE = (1 << 32) - 1
_NO_PERMUTATION = [{"modulus": 0}, {"modulus": 3, "step_low": 2, "step_high": 2}, {"step_low": HUGE, "step_high": 1}]
BAD_ARGUMENTS = {
    "grouped_pointwise": [{name: value} for name in ("words", "groups", "inputs", "outputs") for value in (0, HUGE)]
    + [{name: MEMORY_WORDS} for name in ("maps", "weights", "scales", "result")] + [{"inputs": 2049}] + _NO_PERMUTATION
    + [{"groups": MEMORY_WORDS, "outputs": MEMORY_WORDS}],
    "depthwise": [{name: value} for name in ("channels", "height", "width", "stride") for value in (0, HUGE)]
    + [{name: MEMORY_WORDS} for name in ("maps", "weights", "scales", "result")] + [{"stride": 3}],
    "channel_shuffle": [{name: value} for name in ("channels", "words") for value in (0, HUGE)]
    + [{name: MEMORY_WORDS} for name in ("maps", "result")] + _NO_PERMUTATION,
}


def random_case(kernel, rng, small=False):
    """A call of a core by name; small ones for the simulation of its Verilog."""
    return CASES[kernel](rng, small)
