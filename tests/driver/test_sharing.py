"""Several handles, threads and processes on one accelerator; handles that are closed."""

import os
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import numpy as np
import pytest

import riffle
from cases import Case
from riffle.backends import hardware_lock
from riffle.backends.hardware_lock import HardwareLock
from riffle.backends.numpy_engine import NumpyBackend
from riffle.backends.verilated import RtlBackend, build
from riffle.driver.accelerator import Accelerator
from riffle.errors import HardwareError, RiffleError
from riffle.isa import spec


@pytest.fixture(params=["numpy", "rtl"])
def backend(request):
    with NumpyBackend("small") if request.param == "numpy" else RtlBackend(build("small")) as backend:
        yield backend


@pytest.fixture
def two(backend, rng):
    """Two handles on one accelerator, each with a network of its own."""
    return Case(Accelerator(backend), rng), Case(Accelerator(backend), rng)


@pytest.mark.parametrize("weights", ["resident", "ddr", "host"])
def test_each_handle_computes_its_own_network(two, weights):
    one, other = two
    one.accelerator.load(one.program, weights)
    other.accelerator.load(other.program, weights)
    for case in (one, other, one):
        with pytest.warns(RuntimeWarning, match="another handle .* sample is loaded again, .*Remedy: use one handle"):
            case.check() if case is one else (one.check(), other.check())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nobody else has loaded since
        one.check()


def test_counters_of_another_handle_are_not_ones_own(two):
    one, other = two
    other.check()
    assert len(other.accelerator.layer_cycles()) == len(other.program.records)
    with pytest.raises(RiffleError, match="another handle or process, or a reset, has replaced the program: run it"):
        one.accelerator.layer_cycles()


def test_handles_take_turns_in_threads(two, rng):
    """Each keeps its network through 20 runs of the other."""
    wrong = []

    def work(case):
        for _ in range(10):
            if not np.array_equal(case.accelerator.run(case.image).output, case.expected):
                wrong.append(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        threads = [threading.Thread(target=work, args=(case,)) for case in two]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_reset_forgets_the_program(rng):
    """Memories may hold anything after it; the next run loads again, without a warning."""
    with RtlBackend(build("small")) as backend:
        case = Case(Accelerator(backend), rng)
        case.check()
        backend.reset()
        assert case.accelerator.segment.read("PROGRAM_ID") == 0
        case.accelerator.segment.write_window("PROGRAM", 0, np.zeros(64, np.uint32))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            case.check()


def test_half_a_program_is_none(backend, rng, monkeypatch):
    """A load that fails in the middle leaves nothing that another handle would take for its own."""
    one, other = Case(Accelerator(backend), rng), Case(Accelerator(backend), rng)
    monkeypatch.setattr(other.accelerator.segment, "write_window", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        other.accelerator.load(other.program)
    assert one.accelerator.segment.read("PROGRAM_ID") == 0
    one.check()
    with pytest.raises(RiffleError, match=r"no program is loaded: call load\(\) first"):
        other.accelerator.run(other.image)


def test_closed_handles_say_so(backend, rng):
    """Never a crash: neither in the library nor in memory that is gone."""
    with Accelerator(backend) as accelerator:
        case = Case(accelerator, rng)
        case.check()
        buffer = accelerator.source.buffer if accelerator.source.name == "ddr" else None
    assert "closed" in repr(accelerator) and buffer is None
    for use in (lambda: accelerator.run(case.image), lambda: accelerator.load(case.program), accelerator.counters,
                accelerator.layer_cycles, accelerator.stop, accelerator.unload, lambda: accelerator.start(100),
                lambda: accelerator.run_batch([case.image])):
        with pytest.raises(RiffleError, match=r"the accelerator is closed: open it again, with riffle.open\(\)"):
            use()
    accelerator.close()


def test_arrays_outlive_the_simulation():
    """What is left of a buffer can still be looked at, and given back."""
    backend = RtlBackend(build("small"))
    buffer = backend.allocate(1 << 20)
    buffer.array[:] = 7
    backend.close()
    buffer.array[:] += 1
    assert (buffer.array == 8).all()
    buffer.free()


def test_image_that_comes_for_nobody(rng):
    """As of a process that was killed in a batch: the next run does not find it."""
    with RtlBackend(build("small")) as backend:
        case = Case(Accelerator(backend), rng)
        case.check()
        backend.ddr.silent = 1
        case.accelerator.images.bring(case.image)
        case.accelerator.segment.set_fields("CTRL", FETCH=1)
        other = Case(Accelerator(backend), rng)
        assert not other.accelerator.segment.fields("CTRL")["FETCHING"]
        backend.ddr.silent = 0
        other.check()


@pytest.mark.parametrize("again", [False, True])
def test_reset_during_a_run_is_no_result(backend, rng, again):
    """Even where the run ends as if nothing had been: its settings may be those after a reset."""
    accelerator = Accelerator(backend)
    case = Case(accelerator, rng)
    result = accelerator.result

    def reset_before(*arguments):
        accelerator.segment.write("PROGRAM_ID", 77 if again else 0)
        return result(*arguments)
    accelerator.result = reset_before
    with pytest.raises(HardwareError, match="was reset, or another program was loaded, during the run.*Remedy: run it"):
        accelerator.run(case.image)
    accelerator.result = result
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case.check()


def test_closed_simulation_says_so(rng):
    backend = RtlBackend(build("small"))
    accelerator = Accelerator(backend)
    case = Case(accelerator, rng)
    backend.close()
    for use in (lambda: accelerator.run(case.image), lambda: backend.read(0), lambda: backend.write(0, 0),
                lambda: backend.read_block(0, 4), lambda: backend.write_block(0, np.zeros(4, np.uint32)),
                lambda: backend.wait_interrupt(100), backend.reset, lambda: backend.cycles, lambda: backend.interrupt,
                lambda: backend.ddr):
        with pytest.raises(HardwareError, match="the simulation is closed: open the accelerator again"):
            use()
    backend.close()


def test_load_takes_programs_networks_names_and_paths(tmp_path, rng):
    accelerator = Accelerator(NumpyBackend("small"))
    case = Case(accelerator, rng)
    case.program.save(tmp_path / "x.riffle")
    case.network.save(tmp_path / "x.npz")
    for what in (case.program, case.network, tmp_path / "x.riffle", str(tmp_path / "x.npz")):
        accelerator.load(what)
        case.check()
    with Accelerator(NumpyBackend()) as full:
        full.load("digits")
        assert full.program.name == riffle.load("digits").name and full.program.name in repr(full)
        with pytest.warns(UserWarning, match="g3-0.25x-c10 is an architecture: its weights are random"):
            full.load("g3-0.25x-c10", batch=True)
        assert full.program.batch
    for what, message in ((None, "a NoneType cannot be loaded. Give a Program, an IntegerNetwork, a name as 'digits'"),
                          (7, "a int cannot be loaded"), ("letters", "there is no network or file 'letters'"),
                          (tmp_path / "y.riffle", "cannot read program .*y.riffle: No such file")):
        with pytest.raises(RiffleError, match=message):
            accelerator.load(what)
        case.check()


def test_nothing_is_no_image(rng):
    """`cv2.imread("typo.png")` gives None."""
    case = Case(Accelerator(NumpyBackend("small")), rng)
    for use in (case.accelerator.run, case.accelerator.classify):
        with pytest.raises(ValueError, match="the image is None, which is what cv2.imread gives .*: check the path"):
            use(None)
    for image in ([], "typo.png", np.nan, {}, b"", [[None]]):
        with pytest.raises(ValueError, match="the image is .*: resize or convert it first"):
            case.accelerator.run(image)
    case.check()


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """A named lock in a folder of its own, and the code with which another process takes it."""
    monkeypatch.setattr(hardware_lock, "_folder", lambda: tmp_path)
    code = f"""
        import sys
        from pathlib import Path
        from riffle.backends import hardware_lock as locking
        locking._folder = lambda: Path({str(tmp_path)!r})
        with locking.HardwareLock("fpga"):
            print("taken", flush=True)
            sys.stdin.read()
    """
    return HardwareLock("fpga", timeout=0.2), [sys.executable, "-c", textwrap.dedent(code)]


def other_process(command):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "taken\n"
    return process


def test_lock_between_processes_names_the_holder(lock):
    mine, command = lock
    process = other_process(command)
    with pytest.raises(HardwareError, match=f"process {process.pid} uses the accelerator for more than 0.2 s .*Remedy"):
        mine.__enter__()
    process.communicate("")
    with mine, mine:
        assert mine.path.read_text() == f"{os.getpid()}\n"


def test_killed_process_leaves_no_lock(lock):
    mine, command = lock
    process = other_process(command)
    process.kill()
    process.wait()
    with mine:
        pass


def test_lock_is_waited_for(lock):
    mine, command = lock
    mine.timeout = 30
    process = other_process(command)
    threading.Timer(0.1, process.communicate, ("",)).start()
    begin = time.monotonic()
    with mine:
        assert 0.05 < time.monotonic() - begin < 20


def test_process_that_wants_the_lock_again_lets_others_go_first(lock):
    """One that takes it in a loop leaves the others their turn, at once."""
    mine, command = lock
    command[2] = textwrap.dedent("""
        import time
        from pathlib import Path
        from riffle.backends import hardware_lock as locking
        locking._folder = lambda: Path({!r})
        lock = locking.HardwareLock("fpga")
        print("taken", flush=True)
        while True:
            with lock:
                time.sleep(0.02)
    """).format(str(mine.path.parent))
    process, mine.timeout = other_process(command), 10
    begin = time.monotonic()
    for _ in range(20):
        with mine:
            pass
    process.kill()
    process.communicate()
    assert time.monotonic() - begin < 8


def test_lock_between_threads_has_a_limit():
    mine, inside, leave = HardwareLock(timeout=0.1), threading.Event(), threading.Event()

    def hold():
        with mine:
            inside.set()
            leave.wait(20)
    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(20)
    with pytest.raises(HardwareError, match="another thread uses the accelerator for more than 0.1 s. Remedy: "):
        mine.__enter__()
    leave.set()
    thread.join()
    with mine:
        pass


def test_program_id_is_cleared_by_a_reset_only(backend):
    accelerator = Accelerator(backend)
    accelerator.segment.write("PROGRAM_ID", 0xDEADBEEF)
    accelerator.control.abort()
    assert accelerator.segment.read("PROGRAM_ID") == 0xDEADBEEF
    assert spec.REGISTER_RESETS.get("PROGRAM_ID", 0) == 0
