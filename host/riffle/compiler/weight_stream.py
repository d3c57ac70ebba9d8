"""Weights and parameters as the stream that the engine reads: for each output pair a header, then weight words.

A weight word holds, for each of the four banks, the weight of the pair's first and of its second channel.
"""

from __future__ import annotations

import numpy as np

from riffle.isa import spec
from riffle.isa.descriptor import pack_headers


def group_blocks(first: int, step: int, groups: int, channels: int) -> int:
    """Input blocks that each group sums over, so that the group with the most has enough.

    Parameters
    ----------
    first, step
        input channel where group 0 begins, and from one group to the next
    groups, channels
        how many groups, input channels of each
    """
    start = first + step * np.arange(groups)
    return int((-(-(start + channels) // spec.BANKS) - start // spec.BANKS).max())


def grouped(weight: np.ndarray, groups: int, first: int, blocks: int) -> np.ndarray:
    """Weight words of a grouped convolution.

    Parameters
    ----------
    weight
        int8 [outputs][inputs per group][taps]
    groups
        groups in `weight`
    first
        input channel where the first group begins
    blocks
        input blocks that each pair sums over; channels of other groups in them get weight 0

    Returns
    -------
    int8 [pairs][taps*blocks][4 banks][2]
    """
    outputs, inputs, taps = len(weight) // groups, *weight.shape[1:]
    even = outputs + outputs % 2
    dense = np.zeros((groups, even, taps, blocks * spec.BANKS), np.int8)
    for group in range(groups):
        lead = (first + group * inputs) % spec.BANKS
        dense[group, :outputs, :, lead:lead + inputs] = (
            weight[group * outputs:(group + 1) * outputs].transpose(0, 2, 1))
    words = dense.reshape(groups * even // 2, 2, taps * blocks, spec.BANKS)
    return words.transpose(0, 2, 3, 1)


def depthwise(weight: np.ndarray) -> np.ndarray:
    """Weight words of a depthwise convolution on a plain input, from the first channel of a block on.

    int8 [channels][9] -> int8 [pairs][9][4 banks][2]
    """
    pairs = -(-len(weight) // 2)
    words = np.zeros((pairs, 9, spec.BANKS, 2), np.int8)
    for i in range(2):
        own = weight[i::2]
        pair = np.arange(len(own))
        words[pair, :, (2 * pair + i) % spec.BANKS, i] = own
    return words


def paired_depthwise(weight: np.ndarray) -> np.ndarray:
    """Weight words of a depthwise convolution on a duplicated input.

    Banks 0 and 1 see taps 0 to 4, banks 2 and 3 taps 4 to 8; the tap that both see counts in the former.
    int8 [channels][9] -> int8 [pairs][5][4 banks][2]
    """
    words = np.zeros((-(-len(weight) // 2), 5, spec.BANKS, 2), np.int8)
    for i in range(2):
        own = weight[i::2]
        words[:len(own), :, i, i] = own[:, :5]
        words[:len(own), 1:, i + 2, i] = own[:, 5:]
    return words


def by_pair(values: np.ndarray, groups: int, padding: int) -> np.ndarray:
    """One value per output channel -> [pairs][2], with padding where a group has an odd number."""
    values = np.asarray(values, np.int64).reshape(groups, -1)
    return np.pad(values, ((0, 0), (0, values.shape[1] % 2)), constant_values=padding).reshape(-1, 2)


def stream(words: np.ndarray, bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The stream of a descriptor, uint8 [stream words][16].

    Parameters
    ----------
    words
        int8 [pairs][count][4][2]
    bias, multiplier, shift
        [pairs][2]
    """
    pairs, count = words.shape[:2]
    padded = np.zeros((pairs, count + count % 2, 8), np.int8)
    padded[:, :count] = words.reshape(pairs, count, 8)
    headers = pack_headers(bias, multiplier, shift, count)
    return np.concatenate([headers, padded.view(np.uint8).reshape(pairs, -1)], 1).reshape(-1, spec.STREAM_BYTES)
