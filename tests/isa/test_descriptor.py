"""Descriptors and stream headers: what is packed comes back, and the C++ header reads the same values."""

import numpy as np
import pytest

from riffle.isa import spec
from riffle.isa.descriptor import Descriptor, pack_headers, pack_program, unpack_header, unpack_program


def random_fields(rng, layout):
    """A random value for each field of a layout {name: (lowest bit, bits, signed)}, extremes included."""
    fields = {}
    for name, (_, bits, signed) in layout.items():
        low = -(1 << (bits - 1)) if signed else 0
        high = low + (1 << bits) - 1
        fields[name] = int(rng.choice([low, high, rng.integers(low, high + 1)]))
    return fields


def test_program_survives_packing(rng):
    descriptors = [Descriptor(**random_fields(rng, spec.DESCRIPTOR_FIELDS)) for _ in range(50)]
    assert unpack_program(pack_program(descriptors)) == descriptors


def test_fields_lie_where_the_specification_says():
    words = Descriptor(opcode=1, log2s=5, zero_point=-128, in_base=0x1234, remainder=0xABCD).pack()
    assert words.dtype == np.uint32 and words.shape == (8,)
    assert [hex(word) for word in words] == ["0x800051", "0x1234", "0x0", "0x0", "0x0", "0x0", "0x0", "0xabcd0000"]


@pytest.mark.parametrize("field", spec.DESCRIPTOR_FIELDS)
def test_value_too_large_is_refused(field):
    _, bits, signed = spec.DESCRIPTOR_FIELDS[field]
    limit = 1 << (bits - signed)
    Descriptor(**{field: limit - 1}).pack()
    with pytest.raises(ValueError, match=f"{field} is {limit}, but holds"):
        Descriptor(**{field: limit}).pack()


def test_headers_survive_packing(rng):
    headers = [random_fields(rng, spec.STREAM_HEADER_FIELDS) | {"count": 37, "tag": spec.STREAM_TAG} for _ in range(50)]
    for header in headers:
        header["shift0"] += spec.SHIFT_MIN
        header["shift1"] += spec.SHIFT_MIN
    columns = [[[h[f"{name}{i}"] for i in range(2)] for h in headers] for name in ("bias", "multiplier", "shift")]
    packed = pack_headers(*columns, count=37)
    assert packed.shape == (50, spec.STREAM_BYTES) and packed.dtype == np.uint8
    assert [unpack_header(row) for row in packed] == headers


@pytest.mark.parametrize("column, value", [(0, 1 << 24), (0, -(1 << 24) - 1), (1, 1 << 17), (2, 15), (2, 32)])
def test_header_value_too_large_is_refused(column, value):
    columns = [[[0, 0]], [[0, 0]], [[16, 16]]]
    columns[column][0][1] = value
    with pytest.raises(ValueError, match="but holds"):
        pack_headers(*columns, count=1)
