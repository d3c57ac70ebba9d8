"""The driver on the Verilated accelerator: right results, clear errors, and after every error a right result again."""

from dataclasses import replace

import numpy as np
import pytest

from cases import AT, HEIGHT, SMALL, WIDTH, Case, Proxy
from riffle.backends.verilated import RtlBackend, build
from riffle.compiler import compile_network
from riffle.driver.accelerator import Accelerator
from riffle.errors import BusError, EngineError, HardwareError, ProgramError, RiffleError, RunTimeout
from riffle.graph import reference
from riffle.isa import spec
from riffle.isa.program import Program
from riffle.zoo import digits
from sample_networks import Builder


@pytest.fixture
def case(small_hardware, rng):
    return Case(small_hardware, rng)


def test_run_gives_the_reference_and_its_cost(case):
    result = case.check()
    assert result.logits.dtype == np.int32 and result.logits.shape == (5,)
    assert result.milliseconds == pytest.approx(result.cycles / case.accelerator.backend.clock_hz * 1e3)
    assert 0 < result.busy < result.cycles and result.starved < result.cycles
    log = case.accelerator.layer_cycles()
    assert [layer for layer, _ in log] == [record.layer for record in case.program.records]
    assert 0 < result.cycles - sum(entry["CYCLES"] for _, entry in log) < 60
    assert sum(entry["BUSY"] for _, entry in log) == result.busy
    label, likely = case.accelerator.classify(case.image)
    assert label == result.label and likely.sum() == pytest.approx(1) and "abcde"[likely.argmax()] == label


def test_images_are_fetched_or_written(full_hardware, rng):
    """The same cycles, in the log, too: the wait for the image is apart."""
    network, (images, _) = digits.network(), digits.held_out()
    program, results, logs = compile_network(network), {}, {}
    for way in ("window", "ddr", "auto"):
        full_hardware.load(program, "resident", way)
        full_hardware.run(images[1])
        results[way] = full_hardware.run(images[0])
        logs[way] = full_hardware.layer_cycles()
        np.testing.assert_array_equal(results[way].output, reference.run(network, images[0])[network.output])
    assert min(results["ddr"].waited, results["auto"].waited) > 28 * 28 * 4 / 8 and results["window"].waited == 0
    assert results["ddr"].cycles == results["window"].cycles and logs["ddr"] == logs["window"]


def test_images_that_cannot_be_fetched(case, small_hardware, larger_network):
    with pytest.raises(ValueError, match="images is 'usb', but must be 'auto', 'ddr' or 'window'"):
        small_hardware.load(case.program, images="usb")
    with pytest.raises(ProgramError, match="takes no pictures, .*Remedy: load it with images='window'"):
        small_hardware.load(compile_network(larger_network, "small"), images="ddr")
    apart = Accelerator(Proxy(small_hardware.backend, shares_memory=False))
    with pytest.raises(ProgramError, match="share no memory. Remedy: load it with images='window'"):
        apart.load(case.program, images="ddr")
    apart.load(case.program)
    assert apart.images.name == "window" and apart.source.name == "resident"
    case.check(reload=True)


def test_image_may_be_grey_or_the_tensor_itself(case, rng):
    tensor = (case.image ^ 0x80).view(np.int8).transpose(2, 0, 1)
    np.testing.assert_array_equal(case.accelerator.run(tensor).output, case.expected)
    grey = rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    expected = reference.run(case.network, np.repeat(grey[:, :, None], 3, 2))["logits"]
    np.testing.assert_array_equal(case.accelerator.run(grey).output, expected)


def test_lanes_hold_the_images_of_a_batch(case):
    lanes = SMALL["rows"] * SMALL["columns"]
    for lane in range(lanes):
        np.testing.assert_array_equal(case.accelerator.run(case.image, lane=lane).output, case.expected)
    for lane in (-1, lanes):
        with pytest.raises(ValueError, match=f"lane is {lane}, but the lattice has lanes 0 to {lanes - 1}"):
            case.accelerator.run(case.image, lane=lane)
    case.check()


def test_program_from_a_file_gives_the_same(case, tmp_path):
    case.program.save(tmp_path / "x.riffle")
    case.accelerator.load(Program.load(tmp_path / "x.riffle"))
    case.check()


@pytest.mark.parametrize("shape, dtype", [
    ((WIDTH, HEIGHT, 3), np.uint8), ((HEIGHT, WIDTH, 4), np.uint8), ((HEIGHT, WIDTH, 3), np.float32),
    ((HEIGHT, WIDTH, 3), np.int8), ((3, HEIGHT, WIDTH), np.uint8), ((), np.uint8), ((0,), np.uint8)])
def test_wrong_image_is_refused(case, shape, dtype):
    with pytest.raises(ValueError, match=r"the image is .*, but sample takes uint8 8x12 \(grey\) or 8x12x3 \(RGB\): "
                                         "resize or convert it first"):
        case.accelerator.run(np.zeros(shape, dtype))
    case.check()


def test_wrong_tensor_is_refused(small_hardware, case, rng):
    b = Builder(rng, 5, 4, 6)
    b.convolution("image", 4)
    network = b.network()
    small_hardware.load(compile_network(network, "small"))
    with pytest.raises(ValueError, match=r"the image is uint8 4x6x3, but sample takes int8 5x4x6: resize or convert"):
        small_hardware.run(np.zeros((4, 6, 3), np.uint8))
    tensor = rng.integers(-128, 128, (5, 4, 6), np.int8)
    result = small_hardware.run(tensor)
    np.testing.assert_array_equal(result.output, reference.run(network, tensor)[network.output])
    assert result.label == "", "a map has no class"
    case.check(reload=True)


def test_program_for_other_hardware_is_refused(case):
    foreign = (
        (compile_network(digits.network()), "a lattice of 7x7, the hardware has 2x3: compile the network for this"),
        (compile_network(case.network, SMALL | {"activation_depth": 600}), "600 words of activation memory, the "
                                                                           "hardware has 512: compile the network"))
    for program, message in foreign:
        with pytest.raises(ProgramError, match=message):
            case.accelerator.load(program)
        case.check()


def test_damaged_and_foreign_files_are_refused(case, tmp_path):
    path = tmp_path / "x.riffle"
    case.program.save(path)
    content = path.read_bytes()
    for data, message in ((content[:-100], "is damaged .*: copy it again, or compile the network again"),
                          (b"bitstream", "is not a Riffle program: compile the network again with `riffle compile`")):
        path.write_bytes(data)
        with pytest.raises(ProgramError, match=message):
            case.accelerator.load(Program.load(path))
        case.check()


@pytest.fixture
def larger_network(rng):
    """More weights than the small hardware's memory holds, fewer in each layer."""
    b = Builder(rng, 32, 4, 6)
    b.convolution(b.convolution(b.convolution("image", 64), 56), 64)
    return b.network()


@pytest.mark.parametrize("weights", ["auto", "ddr", "host"])
def test_weights_beyond_the_memory_are_streamed(small_hardware, case, larger_network, rng, weights):
    program = compile_network(larger_network, "small")
    assert len(program.stream) > SMALL["weight_depth"], "the ring is not gone round"
    small_hardware.load(program, weights)
    assert small_hardware.source.name == ("ddr" if weights == "auto" else weights)
    for _ in range(2):
        tensor = rng.integers(-128, 128, (32, 4, 6), np.int8)
        result = small_hardware.run(tensor)
        np.testing.assert_array_equal(result.output, reference.run(larger_network, tensor)[larger_network.output])
    case.check(reload=True)
    assert small_hardware.source.name == "resident"


def test_weights_that_cannot_be_where_they_are_wanted(small_hardware, case, larger_network):
    program = compile_network(larger_network, "small")
    with pytest.raises(ProgramError, match="the weight memory holds 512: use a smaller network, or stream the weights"):
        small_hardware.load(program, "resident")
    with pytest.raises(ValueError, match="weights is 'flash', but must be 'auto', 'resident', 'ddr' or 'host'"):
        small_hardware.load(program, "flash")
    case.check(reload=True)


def test_shared_memory_runs_out_and_comes_back(small_hardware, case, larger_network):
    backend, program = small_hardware.backend, compile_network(larger_network, "small")
    small_hardware.unload()
    free = fill(backend)
    with pytest.raises(MemoryError, match=r"of shared memory are wanted, \d+ of 33554432 are left: free other buffers"):
        small_hardware.load(program)
    for buffer in free:
        buffer.free()
    for _ in range(3):
        small_hardware.load(program)
    small_hardware.unload()
    again = fill(backend)
    assert [buffer.array.size for buffer in again] == [buffer.array.size for buffer in free]
    for buffer in again:
        buffer.free()
    case.check(reload=True)


def fill(backend):
    """Take all of the shared memory that is free; returns the buffers."""
    taken, size = [], 32 << 20
    while size >= 4096:
        try:
            taken.append(backend.allocate(size))
        except MemoryError:
            size //= 2
    return taken


@pytest.mark.parametrize("fault, error", [("fail_from", "DDR_RESPONSE"), ("silent", "WATCHDOG")])
def test_faults_of_the_memory(small_hardware, case, larger_network, rng, fault, error):
    small_hardware.load(compile_network(larger_network, "small"))
    tensor, ddr = rng.integers(-128, 128, (32, 4, 6), np.int8), small_hardware.backend.ddr
    setattr(ddr, fault, small_hardware.source.buffer.physical_address + 4096 if fault == "fail_from" else 1)
    with pytest.raises(EngineError, match=error):
        small_hardware.run(tensor)
    setattr(ddr, fault, 0xFFFFFFFF if fault == "fail_from" else 0)
    result = small_hardware.run(tensor)  # answers to the run before may still be on their way
    np.testing.assert_array_equal(result.output, reference.run(larger_network, tensor)[larger_network.output])
    case.check(reload=True)


@pytest.mark.parametrize("register, value, message", [
    ("ID", 0xDEADBEEF, "ID is 0xdeadbeef, not 0x5249464c: this is not a Riffle accelerator. Remedy: load its bitst"),
    ("VERSION", 0x070203, "the hardware is version 7.2.3, this package .*Remedy: load the bitstream of this version"),
    ("SPEC_HASH", 0x1234, r"the hardware \(version 0.1.0\) speaks specification 0x00001234, this package .*Remedy: ")])
def test_other_hardware_is_refused_before_anything_is_written(case, register, value, message):
    backend = case.accelerator.backend

    def refuse(*_):
        raise AssertionError("something was written")
    other = Proxy(backend, read=lambda offset: value if offset == spec.REGISTERS[register] else backend.read(offset),
                  write=refuse, write_block=refuse)
    with pytest.raises(HardwareError, match=message):
        Accelerator(other)
    case.check()


@pytest.mark.parametrize("offset, name, actions", [
    (max(spec.REGISTERS.values()) + 4, "BUS_UNMAPPED", ("read", "write")),
    (0x20000, "BUS_UNMAPPED", ("read", "write")),
    (AT["WEIGHTS"] + 16 * SMALL["weight_depth"], "BUS_UNMAPPED", ("read", "write")),
    (AT["ACTIVATIONS"] + 256 * SMALL["activation_depth"], "BUS_UNMAPPED", ("read", "write")),
    (2, "BUS_MISALIGNED", ("read", "write")),
    (AT["ACTIVATIONS"] + 1, "BUS_MISALIGNED", ("read", "write")),
    (spec.REGISTERS["ID"], "BUS_ACCESS", ("write",)),
    (AT["LOG"], "BUS_ACCESS", ("write",)),
    (AT["IMAGE"], "BUS_ACCESS", ("read",))])
def test_wrong_access_is_refused_on_the_bus(case, offset, name, actions):
    backend = case.accelerator.backend
    for action in actions:
        with pytest.raises(BusError, match=f"{action} at offset {offset:#08x} refused, {name}: .*Remedy: ") as caught:
            backend.read(offset) if action == "read" else backend.write(offset, 1)
        assert (caught.value.offset, caught.value.name) == (offset, name)
        case.check()


def test_wrong_access_is_seen_before_the_bus(case):
    segment = case.accelerator.segment
    for access, message in (
            (lambda: segment.xil_in32(2), "offset 0x2 is misaligned: accesses are 32-bit words at multiples of 4"),
            (lambda: segment.xil_out32(0x20000, 0), "offset 0x20000 lies in no window of the accelerator: see docs/"),
            (lambda: segment.xil_out32(0, 1 << 32), "value 4294967296 is not a 32-bit word"),
            (lambda: segment.set_fields("LANE", INDEX=64), "LANE.INDEX is 64, but holds 0 to 63"),
            (lambda: segment.read_window("PROGRAM", 0x1FFC, 2), "8 bytes at 0x1ffc exceed the window PROGRAM")):
        with pytest.raises(ValueError, match=message):
            access()
    case.check()


def test_memories_are_busy_while_the_engine_runs(case):
    accelerator, segment = case.accelerator, case.accelerator.segment
    case.check()
    segment.set_fields("CTRL", START=1)
    for window in ("PROGRAM", "WEIGHTS", "ACTIVATIONS"):
        with pytest.raises(BusError, match="refused, BUS_BUSY: .*Remedy: wait for the interrupt"):
            segment.read_window(window, 0, 1)
        with pytest.raises(BusError, match="BUS_BUSY"):
            segment.write_window(window, 0, np.full(4, 0x55, np.uint32))
    with pytest.raises(BusError, match="BUS_BUSY"):
        accelerator.write_image(case.image)
    with pytest.raises(BusError, match="BUS_BUSY"):
        segment.set_fields("CTRL", START=1)
    assert accelerator.backend.wait_interrupt(100_000)
    case.check()


@pytest.fixture
def board_like(rng):
    """The small hardware as the board has it: refused accesses are answered with OKAY, and only ERROR tells."""
    with RtlBackend(build("small"), slverr=False) as backend:
        yield Case(Accelerator(backend), rng)


@pytest.mark.parametrize("moment", ["before", "between", "while it runs"])
def test_refused_access_without_slverr_is_told_by_the_next_run(board_like, moment):
    """And the run after that is right."""
    accelerator, backend = board_like.accelerator, board_like.accelerator.backend
    offset, name = (spec.REGISTERS["ID"], "BUS_ACCESS") if moment == "before" else (0x20000, "BUS_UNMAPPED")
    if moment != "before":
        board_like.check()
    if moment != "while it runs":
        backend.write(offset, 1)
        run = lambda: accelerator.run(board_like.image)  # noqa: E731
    else:
        cycles = accelerator.launch(0, len(board_like.program.records), image=board_like.image)
        assert backend.read(offset) == 0
        run = lambda: accelerator.finish(cycles)  # noqa: E731
    with pytest.raises(BusError, match=f"access at offset {offset:#08x} refused, {name}: .*Remedy: ") as caught:
        run()
    assert (caught.value.offset, caught.value.name) == (offset, name)
    board_like.check()


def test_refused_writes_of_load_and_image_without_slverr_are_told(board_like):
    accelerator, backend = board_like.accelerator, board_like.accelerator.backend
    cut = Accelerator(Proxy(backend, write_block=lambda offset, values: backend.write_block(
        offset + 4 * SMALL["weight_depth"] * 4 * (offset == AT["WEIGHTS"]), values)))
    with pytest.raises(BusError, match="BUS_UNMAPPED"):
        cut.load(board_like.program)
    board_like.check(reload=True)
    accelerator.load(board_like.program, images="window")
    place = board_like.program.image
    board_like.program.image = replace(place, base=SMALL["activation_depth"] - 1)
    with pytest.raises(BusError, match=f"access at offset {AT['IMAGE'] + 4:#08x} refused, BUS_UNMAPPED"):
        accelerator.run(board_like.image)
    board_like.program.image = place
    board_like.check()


def test_refused_access_without_slverr_and_an_error_of_the_engine(board_like):
    board_like.damage(1, opcode=15)
    board_like.accelerator.backend.read(0x20000)
    with pytest.raises(EngineError, match="UNKNOWN_OPCODE at descriptor 1"):
        board_like.accelerator.run(board_like.image)
    board_like.check(reload=True)


def test_reset_keeps_errors_as_they_are_wanted(case, board_like):
    for found, wanted in ((case, 1), (board_like, 0)):
        found.accelerator.backend.reset()
        assert found.accelerator.segment.fields("BUS")["SLVERR"] == wanted
        found.check()


def test_access_outside_does_not_disturb_a_run(case):
    """Registers may be read at any time, and a refused access is none."""
    backend, wait = case.accelerator.backend, case.accelerator.backend.wait_interrupt

    def look_around(cycles):
        for offset in (0x20000, AT["ACTIVATIONS"]):
            with pytest.raises(BusError):
                backend.read(offset)
        assert not case.accelerator.segment.fields("CTRL")["IDLE"]
        return wait(cycles)
    other = Accelerator(Proxy(backend, wait_interrupt=look_around))
    other.load(case.program)
    np.testing.assert_array_equal(other.run(case.image).output, case.expected)


@pytest.mark.parametrize("name, fields", [
    ("UNKNOWN_OPCODE", {"opcode": 15}), ("BAD_DESCRIPTOR", {"blocks": 0}), ("READ_RANGE", {"in_base": 0xFFF0}),
    ("WRITE_RANGE", {"out_base": 0xFFF0})])
def test_bad_descriptor_stops_the_program(case, name, fields):
    for index in (0, len(case.program.records) - 1):
        case.damage(index, **fields)
        error = case.stopped(name, index, lambda: case.accelerator.run(case.image))
        if name == "UNKNOWN_OPCODE":
            assert error.detail == 15
        case.check(reload=True)


def test_broken_weight_stream_stops_the_program(case):
    segment, records = case.accelerator.segment, case.program.records
    words = len(case.program.stream)
    second = next(i for i, record in enumerate(records) if record.stream_first)
    segment.write_window("WEIGHTS", 16 * records[second].stream_first, np.zeros(4, np.uint32))
    case.stopped("STREAM_HEADER", second, lambda: case.accelerator.run(case.image))
    case.check(reload=True)
    for name, length in (("STREAM_END", words - 1), ("STREAM_LEFT", words + 1)):
        segment.write("STREAM_LENGTH", length)
        case.stopped(name, len(records) - 1, lambda: case.accelerator.start(100_000))
        case.check()


@pytest.mark.parametrize("register, value, error", [
    ("STREAM_ADDRESS", 0x10000008, "BAD_STREAM .*Remedy: set both before START; take buffers from the driver"),
    ("STREAM_SOURCE", 3, "BAD_STREAM"), ("STREAM_LENGTH", 0, "STREAM_END"), ("STREAM_ADDRESS", 0, "DDR_RESPONSE")])
def test_stream_from_nowhere_is_refused(small_hardware, case, register, value, error):
    """A base that is not aligned or not memory, an unknown source, no words at all; then the right ones."""
    small_hardware.load(case.program, "ddr")
    small_hardware.run(case.image)
    right = small_hardware.segment.read(register)
    small_hardware.segment.write(register, value)
    with pytest.raises(EngineError, match=error):
        small_hardware.start(100_000)
    small_hardware.segment.write(register, right)
    case.check(reload=True)


def test_program_that_is_not_there_is_refused(case):
    case.accelerator.segment.write("PROGRAM_LENGTH", 0)
    with pytest.raises(EngineError, match="BAD_PROGRAM .*Remedy: set both before START"):
        case.accelerator.start(100_000)
    for first, count in ((-1, 2), (0, 0), (1, len(case.program.records))):
        with pytest.raises(ValueError, match="are not all in sample, which has"):
            case.accelerator.run_descriptors(first, count)
    case.check()


def test_engine_that_never_finishes_meets_the_watchdog(case):
    case.never_end(1)
    error = case.stopped("WATCHDOG", 1, lambda: case.accelerator.run(case.image))
    assert "raise WATCHDOG if the program is that long" in str(error)
    case.check(reload=True)
    with pytest.raises(EngineError, match="WATCHDOG at descriptor"):
        case.accelerator.run_descriptors(0, len(case.program.records), watchdog=300)
    assert 300 <= case.accelerator.counters()["CYCLES"] < 400, "what is in flight ends first"
    case.check()


def test_lost_interrupt_is_a_timeout_and_the_run_is_aborted(case):
    other = Accelerator(Proxy(case.accelerator.backend, wait_interrupt=lambda cycles: False))
    other.load(case.program)
    case.never_end()
    with pytest.raises(RunTimeout, match=r"no interrupt within \d+ cycles \(CTRL 0x\w*1, .*Remedy: the run "
                                         "was aborted, the next one may work: check that the interrupt is") as caught:
        other.run(case.image)
    assert caught.value.state["ISR"] == 0 and not caught.value.state["CTRL"] & 4
    assert case.accelerator.segment.fields("CTRL")["IDLE"]
    case.check(reload=True)


def test_engine_that_ignores_abort_is_named(case):
    backend, stuck = case.accelerator.backend, []

    def read(offset):
        value = backend.read(offset)
        return 1 if stuck and offset == spec.REGISTERS["CTRL"] else value
    other = Accelerator(Proxy(backend, read=read, wait_interrupt=lambda cycles: stuck.append(cycles)))
    other.load(case.program)
    with pytest.raises(RunTimeout, match="the engine does not react to ABORT either: reset or load the hardware again"):
        other.run(case.image)
    with pytest.raises(HardwareError, match="the engine runs and does not react to ABORT: reset or load the hardware"):
        other.load(case.program)
    case.check()


def test_interrupted_wait_leaves_no_engine_running(case):
    def interrupted(cycles):
        raise KeyboardInterrupt
    other = Accelerator(Proxy(case.accelerator.backend, wait_interrupt=interrupted))
    other.load(case.program)
    case.never_end()
    with pytest.raises(KeyboardInterrupt):
        other.run(case.image)
    assert case.accelerator.segment.fields("CTRL")["IDLE"]
    case.check(reload=True)


def test_run_does_not_wait_for_an_image_that_somebody_else_fetches(case):
    """One that never comes, besides: what reads IMAGE is ended before it is written."""
    case.check()
    segment, ddr = case.accelerator.segment, case.accelerator.backend.ddr
    ddr.silent = 1
    segment.set_fields("CTRL", FETCH=1)
    assert segment.fields("CTRL")["FETCHING"]
    Accelerator(case.accelerator.backend)
    assert not segment.fields("CTRL")["FETCHING"]
    segment.set_fields("CTRL", FETCH=1)
    ddr.silent = 0
    case.check()


def test_new_accelerator_stops_what_runs(case):
    case.check()
    case.never_end()
    case.accelerator.segment.set_fields("CTRL", START=1)
    Accelerator(case.accelerator.backend)
    assert case.accelerator.segment.fields("CTRL")["IDLE"]
    case.check(reload=True)


def test_reset_during_a_run(case):
    case.check()
    case.accelerator.segment.set_fields("CTRL", START=1)
    case.accelerator.backend.reset()
    case.check()


def test_nothing_runs_before_a_program_is_loaded(case):
    with pytest.raises(RiffleError, match=r"no program is loaded: call load\(\) first"):
        Accelerator(case.accelerator.backend).run(case.image)
    case.check()
