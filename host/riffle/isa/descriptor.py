"""Descriptors and weight stream headers as bits, laid out as `spec/riffle.yaml` says.

A `Descriptor` has one integer attribute per field of the specification, 0 where nothing is given:
`Descriptor(opcode=spec.OPCODES["CONV"], blocks=3).pack()` is what goes into the program memory.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from riffle.errors import InputError
from riffle.isa import spec


def _check(name: str, value: int, bits: int, signed: bool) -> None:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= value <= high:
        raise InputError(f"field {name} is {value}, but holds {low} to {high}")


def _unpack(value: int, fields: dict[str, tuple[int, int, bool]]) -> dict[str, int]:
    result = {}
    for name, (low, bits, signed) in fields.items():
        field = value >> low & ((1 << bits) - 1)
        result[name] = field - (1 << bits) if signed and field >> (bits - 1) else field
    return result


@dataclasses.dataclass(frozen=True)
class Descriptor(spec.DescriptorFields):
    """One loop nest, with what follows from its fields."""

    @property
    def pairs(self) -> int:
        """Pairs of output channels in a group; where `group_outputs` is odd, the last has one channel."""
        return -(-self.group_outputs // 2)

    @property
    def in_phases(self) -> int:
        """Phases of an input channel: words of memory."""
        return 1 << 2 * self.log2s

    @property
    def out_phases(self) -> int:
        """Phases of an output channel."""
        return self.in_phases >> 2 * self.stride2

    def pack(self) -> np.ndarray:
        """The eight words of the program memory, uint32 [8].

        Raises
        ------
        ValueError
            if a value does not fit its field
        """
        packed = 0
        for name, (low, bits, signed) in spec.DESCRIPTOR_FIELDS.items():
            value = int(getattr(self, name))
            _check(name, value, bits, signed)
            packed |= (value & ((1 << bits) - 1)) << low
        return np.frombuffer(packed.to_bytes(4 * spec.DESCRIPTOR_WORDS, "little"), "<u4").copy()

    @classmethod
    def unpack(cls, words: np.ndarray) -> Descriptor:
        """The descriptor in eight 32-bit words; bits that no field owns are ignored."""
        return cls(**_unpack(int.from_bytes(np.asarray(words, "<u4").tobytes(), "little"), spec.DESCRIPTOR_FIELDS))

    def replace(self, **fields: int) -> Descriptor:
        """A copy with other values in some fields."""
        return dataclasses.replace(self, **fields)


def pack_program(descriptors: Iterable[Descriptor]) -> np.ndarray:
    """Image of the program memory, uint32 [n][8]."""
    return np.array([d.pack() for d in descriptors], "<u4").reshape(-1, spec.DESCRIPTOR_WORDS)


def unpack_program(words: np.ndarray) -> list[Descriptor]:
    """The descriptors in a program memory image, uint32 [n][8]."""
    return [Descriptor.unpack(row) for row in np.asarray(words, "<u4").reshape(-1, spec.DESCRIPTOR_WORDS)]


def pack_headers(bias: np.ndarray, multiplier: np.ndarray, shift: np.ndarray, count: int) -> np.ndarray:
    """Stream headers of many pairs.

    Parameters
    ----------
    bias, multiplier, shift
        int [pairs][2]; shift 16 to 31
    count
        weight words of each pair

    Returns
    -------
    uint8 [pairs][16]

    Raises
    ------
    ValueError
        if a value does not fit its field
    """
    bias, multiplier, shift = (np.asarray(a, np.int64).reshape(-1, 2) for a in (bias, multiplier, shift))
    pairs = len(bias)
    values = {"count": np.full(pairs, count), "tag": np.full(pairs, spec.STREAM_TAG)}
    for i in range(2):
        values[f"bias{i}"], values[f"multiplier{i}"] = bias[:, i], multiplier[:, i]
        values[f"shift{i}"] = shift[:, i] - spec.SHIFT_MIN
    halves = np.zeros((pairs, 2), "<u8")  # no field crosses from one 64-bit half to the other
    for name, (low, bits, signed) in spec.STREAM_HEADER_FIELDS.items():
        for extreme in (values[name].min(initial=0), values[name].max(initial=0)):
            _check(name, int(extreme), bits, signed)
        field = values[name].astype("<u8") & np.uint64((1 << bits) - 1)
        halves[:, low // 64] |= field << np.uint64(low % 64)
    return halves.view(np.uint8).reshape(pairs, spec.STREAM_BYTES)


def unpack_header(data: bytes | np.ndarray) -> dict[str, int]:
    """Fields of one stream header of 16 bytes; shifts are given as shifts, 16 to 31."""
    fields = _unpack(int.from_bytes(bytes(data), "little"), spec.STREAM_HEADER_FIELDS)
    return {name: value + spec.SHIFT_MIN if name.startswith("shift") else value for name, value in fields.items()}
