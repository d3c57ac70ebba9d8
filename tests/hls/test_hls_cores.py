"""The stand-alone HLS cores, compiled natively, against the reference: random sizes, groups, strides and shuffles."""

import ctypes

import pytest

from hls_cores import BAD_ARGUMENTS, CASES, MEMORY_WORDS, random_case
from hls_native import build


def call(kernel, case, vendor):
    """Run a core on a case; its return value and the output memory."""
    function = getattr(ctypes.CDLL(str(build(kernel, vendor=vendor))), kernel)
    function.restype = ctypes.c_uint32
    function.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_uint32] * len(case.arguments)
    memory = case.before.copy()
    arguments = [int(value) & 0xFFFFFFFF for value in case.arguments.values()]
    return function(case.memory.ctypes.data, memory.ctypes.data, *arguments), memory


@pytest.mark.parametrize("vendor", [False, True], ids=["standard types", "ap_int"])
@pytest.mark.parametrize("kernel", CASES)
def test_core_gives_what_the_reference_gives(kernel, vendor, rng):
    seen = set()
    for _ in range(10 if vendor else 60):
        case = random_case(kernel, rng)
        code, memory = call(kernel, case, vendor)
        assert code == 0, case.arguments
        case.check(memory)
        seen |= {(name, value) for name, value in case.arguments.items() if name in ("stride", "residual", "groups")}
    assert vendor or kernel == "channel_shuffle" or len(seen) > 1


@pytest.mark.parametrize("kernel", CASES)
def test_core_refuses_sizes_that_contradict_each_other_and_writes_nothing(kernel, rng):
    for change in BAD_ARGUMENTS[kernel]:
        case = random_case(kernel, rng)
        case.arguments.update(change)
        code, memory = call(kernel, case, False)
        assert code == 1 and (memory == case.before).all(), change


def test_a_map_may_end_with_the_memory(rng):
    """The last word of both memories is read and written, one further is refused."""
    case = random_case("channel_shuffle", rng)
    size = case.arguments["channels"] * case.arguments["words"]
    case.arguments |= {"maps": MEMORY_WORDS - size, "result": MEMORY_WORDS - size}
    code, memory = call("channel_shuffle", case, False)
    assert code == 0 and set(memory[-size:]) == set(case.memory[-size:])
    for name in ("maps", "result"):
        case.arguments[name] += 1
        assert call("channel_shuffle", case, False)[0] == 1
        case.arguments[name] -= 1
