"""Random programs within the rules: every operation, every flag, any order, outputs that are the next one's inputs."""

import numpy as np

from riffle.compiler.hazards import may_overlap, words_read, words_written
from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_headers
from riffle.isa.emulator import taps
from riffle.isa.spec import CONV, GLOBAL_AVERAGE, MAXPOOL


def random_program(rng, depth, length):
    """Descriptors that read one half of a memory and write the other, mostly in turn, and their weight stream.

    Returns
    -------
    list of Descriptor, and the stream words of each, list of uint8 [n][16]
    """
    descriptors, streams = [], []
    for i in range(length):
        half = i % 2 if rng.integers(3) else int(rng.integers(2))
        d = random_descriptor(rng, depth // 2, half * (depth // 2), (1 - half) * (depth // 2))
        descriptors.append(d.replace(overlap=int(i > 0 and may_overlap(descriptors, d))))
        streams.append(random_stream(rng, d)[2])
    return descriptors, streams


def random_descriptor(rng, size, in_base, out_base):
    """A valid descriptor that reads `size` words from `in_base` on, at most, and writes as many from `out_base` on."""
    while True:
        draw = rng.choice([random_convolution] * 6 + [random_maximum, random_average])
        d = Descriptor(**{name: int(value) for name, value in draw(rng).items()})
        offset = int(rng.integers(0, 4))
        if offset + max(words_read(d), words_written(d)) <= size:
            return d.replace(in_base=in_base + offset, out_base=out_base + offset)


def random_convolution(rng):
    """Fields of a convolution, bases aside."""
    log2s, residual = rng.integers(0, 3), rng.integers(2)
    outputs, groups, window = rng.integers(1, 6), rng.integers(1, 4), rng.choice([1, 4, 9, 9])
    style = 0 if residual else rng.integers(3)
    low, high, modulus = (1, groups * outputs, groups * outputs) if residual else rng.integers(1, 5, 3)
    return {
        "opcode": CONV, "log2s": log2s, "stride2": log2s > 0 and rng.integers(2), "taps9": window == 9,
        "taps4": window == 4, "paired": window == 9 and rng.integers(2), "residual": residual,
        "duplicate": style == 1, "raw": style == 2, "zero_point": 0 if residual else rng.integers(-128, 128),
        "fill": rng.integers(-128, 128),
        "in_channel": rng.integers(0, 9), "group_step": rng.integers(0, 4), "pair_step": 2 * rng.integers(0, 2),
        "blocks": rng.integers(1, 4), "groups": groups, "group_outputs": outputs, "position": rng.integers(0, 3),
        "modulus": modulus, "step_low": low, "step_high": high, "row": rng.integers(0, 3),
        "remainder": 0 if residual else rng.integers(0, modulus)}  # a residual is added once to each place


def random_maximum(rng):
    """Fields of a maximum pool."""
    log2s, position = rng.integers(0, 3), 4 * rng.integers(0, 2)
    return {
        "opcode": MAXPOOL, "log2s": log2s, "stride2": log2s > 0 and rng.integers(2), "taps9": 1,
        "fill": rng.integers(-128, 128), "in_channel": rng.integers(0, 6), "pair_step": 4, "blocks": 1, "groups": 1,
        "group_outputs": 2 * rng.integers(1, 4), "position": position, "row": position, "modulus": 2, "step_low": 1,
        "step_high": 4}


def random_average(rng):
    """Fields of a global average."""
    phases = 4 ** rng.integers(0, 3)
    return {
        "opcode": GLOBAL_AVERAGE, "pair_step": 4 * phases, "blocks": phases, "groups": 1,
        "group_outputs": 2 * rng.integers(1, 4), "modulus": 2, "step_low": 1, "step_high": 4,
        "zero_point": rng.integers(-128, 128), "fill": rng.choice([0, 1, 4, -1])}


def random_stream(rng, d):
    """Parameters that spread the results over the int8 range, [pairs][2][bias, multiplier, shift]; weights, int8
    [pairs][count][4][2]; and the stream of both, uint8 [n][16]."""
    pairs = d.groups * d.pairs if d.opcode != MAXPOOL else 0
    count = len(taps(d)) * d.blocks if d.opcode == CONV else 0
    weights = rng.integers(-127, 128, (pairs, count, 4, 2), np.int8)
    shift = rng.integers(16, 32, (pairs, 2))
    sigma = 75 * 75 * np.sqrt(4 * count) if count else 75 * np.sqrt(d.blocks * 6)
    parameters = np.stack([rng.integers(-5000, 5001, (pairs, 2)),
                           np.minimum(2.0**shift * 64 / sigma, 2**17 - 1).astype(int), shift], 2)
    words = np.zeros((pairs, -(-count // 2) * 2, 8), np.int8)
    words[:, :count] = weights.reshape(pairs, count, 8)
    headers = pack_headers(*parameters.transpose(2, 0, 1), count=count)
    stream = np.concatenate([headers, words.view(np.uint8).reshape(pairs, words[0].size if pairs else 0)], 1)
    return parameters, weights, stream.reshape(-1, spec.STREAM_BYTES)
