"""A board that outlives its clients: they are killed, take turns, reset it and wait; it is killed itself."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import riffle
from board_clients import FORK, MOMENTS, Work, allocates, fetches, killed, loads, never_ends, runs
from campaigns import campaign
from cases import Case
from riffle.backends import exchange
from riffle.backends.process import ProcessBackend, spawn
from riffle.backends.simulated_board import Board
from riffle.backends.verilated import RtlBackend, build
from riffle.driver.accelerator import Accelerator
from riffle.errors import BusError, EngineError, HardwareError, InputError, RunTimeout, SharedMemoryError
from riffle.isa import spec

MEMORY = 32 << 20  # bytes that the board shares
FOREVER = 0xFFFFFFFF


@pytest.fixture(scope="module")
def board():
    """Tests share it; what one leaves behind the next must bear."""
    with spawn("small") as board:
        yield board


@pytest.fixture
def own_board():
    with spawn("small") as board:
        yield board


@pytest.fixture
def quiet():
    """Without the warnings of handles that share the board."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def attach(board, **options):
    return riffle.open("rtl", process=board.path, **options)


def await_memory(backend):
    """Until all memory is free: the board learns of the end of a process a moment later than its parent."""
    for _ in range(2000):
        try:
            return backend.allocate(MEMORY).free()
        except SharedMemoryError:
            time.sleep(0.005)
    raise AssertionError("the memory of a process that was killed is not given back")


@pytest.mark.parametrize("weights", ["resident", "ddr", "host"])
def test_client_gives_the_reference(board, rng, weights):
    with attach(board) as accelerator:
        case = Case(accelerator, rng)
        accelerator.load(case.program, weights)
        for _ in range(2):
            case.check()
        assert "in another process" in accelerator.backend.what


def test_clock_runs_by_itself_and_rests(board, rng):
    """A run ends though nobody waits for it; then no time passes."""
    with attach(board) as accelerator:
        case = Case(accelerator, rng)
        backend = accelerator.backend
        case.check()
        accelerator.launch(0, len(case.program.records), image=case.image)
        for _ in range(2000):
            if backend.interrupt:
                break
            time.sleep(0.005)
        assert backend.interrupt and accelerator.segment.read("ISR") == 1
        np.testing.assert_array_equal(accelerator.result(0, accelerator.counters()).output, case.expected)
        before = -1
        while before != (before := backend.cycles):
            time.sleep(0.1)


def test_accesses_are_those_of_the_model(board):
    with attach(board) as accelerator:
        backend, offset = accelerator.backend, spec.WINDOWS["WEIGHTS"][0]
        rows = np.arange(12, dtype=np.uint32).reshape(3, 4)
        backend.write_rows(offset, rows, 8)
        np.testing.assert_array_equal(backend.read_rows(offset, 3, 4, 8), rows)
        np.testing.assert_array_equal(backend.read_block(offset + 32, 4), rows[1])
        with pytest.raises(BusError, match="read at offset 0x020000 refused, BUS_UNMAPPED") as caught:
            backend.read(0x20000)
        assert caught.value.offset == 0x20000
        with pytest.raises(SharedMemoryError, match="bytes of shared memory are wanted"):
            backend.allocate(MEMORY + 1)
        backend.ddr.latency = 50
        assert backend.ddr.latency == 50
        backend.ddr.latency = 38
        with pytest.raises(AttributeError):
            backend.ddr.letancy = 1
        assert not backend.wait_interrupt(1000)


def test_private_to_its_user(board):
    for path, mode in ((exchange.beside(board.path, ".key"), 0o600), (board.path.parent, 0o700)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_two_clients_with_different_networks(board, rng, quiet):
    """In two processes, each in a loop: each is right every time, and nobody waits for ever."""
    rounds = campaign(10, 100)
    works = [Work(rng), Work(rng, batch=True)]

    def loop(work, failed):
        try:
            with attach(board) as accelerator:
                accelerator.load(work.program, "resident")
                for _ in range(rounds):
                    work.check(accelerator)
        except BaseException as error:
            failed.put(repr(error))
            raise
    failed = FORK.SimpleQueue()
    processes = [FORK.Process(target=loop, args=(work, failed), daemon=True) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60 + rounds * 10)
    assert [process.exitcode for process in processes] == [0, 0], failed.empty() or failed.get()


def test_holder_of_the_lock_is_named(board, monkeypatch):
    with attach(board) as mine, attach(board) as other:
        assert mine.exclusive is other.exclusive
        monkeypatch.setattr(other.exclusive, "timeout", 0.2)
        taken, leave = FORK.Event(), FORK.Event()

        def hold():
            with Accelerator(ProcessBackend(board.path)).exclusive:
                taken.set()
                leave.wait(60)
        process = FORK.Process(target=hold, daemon=True)
        process.start()
        assert taken.wait(60)
        with pytest.raises(HardwareError, match=f"process {process.pid} uses the accelerator for more than 0.2 s"):
            other.unload()
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        other.unload()
        mine.unload()


def test_reset_while_another_waits(board, rng):
    """The run that waits is no result; it says what happened, and the next one is right."""
    with attach(board) as accelerator, attach(board) as other:
        case = Case(accelerator, rng)
        case.never_end()
        timer = threading.Timer(0.2, other.backend.reset)
        timer.start()
        with pytest.raises(HardwareError, match="was reset, or another program was loaded, during the run.*Remedy"):
            accelerator.finish(accelerator.launch(0, len(case.program.records), watchdog=400_000, image=case.image))
        timer.join()
        case.check()


@pytest.mark.parametrize("batch", [False, True])
def test_reset_at_any_moment(board, rng, quiet, batch):
    """Before each access of a run once: an error or the right result, never another one."""
    with attach(board) as accelerator, attach(board) as other:
        work = Work(rng, batch)
        accelerator.load(work.program)
        work.check(accelerator)
        ask, asked, when = accelerator.backend._ask, 0, FOREVER

        def counted(*request):
            nonlocal asked
            asked += 1
            if asked == when:
                other.backend.reset()
            return ask(*request)
        accelerator.backend._ask, counted.ended, counted.close = counted, False, ask.close
        work.check(accelerator)
        refused, each = 0, asked
        for moment in sorted(rng.choice(np.arange(1, each), min(each - 1, campaign(12, 400)), replace=False)):
            asked, when = 0, int(moment)
            try:
                work.check(accelerator)
            except (HardwareError, RunTimeout, EngineError) as error:
                refused += 1
                assert "Remedy" in str(error)
            asked = FOREVER
            work.check(accelerator)
        assert refused


def test_engine_of_a_killed_client_runs_on(board, rng, quiet):
    """The next client finds it running, stops it, and is right."""
    for weights in ("resident", "ddr"):
        killed(never_ends, board.path, Work(rng), weights, int(rng.integers(10)), str(rng.choice(MOMENTS)))
        backend = ProcessBackend(board.path)
        assert not backend.read(spec.REGISTERS["CTRL"]) & 4, "the engine does not run"
        await_memory(backend)
        with Accelerator(backend) as accelerator:
            assert accelerator.segment.fields("CTRL")["IDLE"]
            Case(accelerator, rng).check()


def test_image_of_a_killed_client_comes_on(board, rng, quiet):
    """Nobody waits for it; the next client's run must not find it."""
    killed(fetches, board.path, Work(rng), "resident", 0, "before")
    backend = ProcessBackend(board.path)
    state = backend.read(spec.REGISTERS["CTRL"])
    with Accelerator(backend) as accelerator:
        assert not accelerator.segment.fields("CTRL")["FETCHING"]
        backend.ddr.silent = 0
        Case(accelerator, rng).check()
    assert state & 1 << 10, "no image was being fetched"


def test_reads_of_memory_that_was_given_back(board, rng):
    """The engine reads on when its client has gone; what it finds is refused, so that no result comes of it."""
    work = Work(rng)
    with attach(board) as accelerator:
        address = accelerator.backend.allocate(4096).physical_address
    with attach(board) as accelerator:
        accelerator.load(work.program, "ddr", "window")
        accelerator.segment.write("STREAM_ADDRESS", address)
        accelerator.control.written["STREAM_ADDRESS"] = accelerator.source.buffer.physical_address
        held = accelerator.source.buffer
        held.free()
        with pytest.raises(EngineError, match="DDR_RESPONSE"):
            accelerator.run(work.images[0])


def test_clients_that_are_killed(board, rng, quiet):
    """At any moment of a load, a run, a batch, an allocation; weights and images anywhere. The next one is right."""
    works = [Work(rng, batch) for batch in (False, True, False, True)]
    for number in range(campaign(20, 200)):
        deed = (loads, runs, never_ends, fetches, allocates)[number % 5]
        ways = [str(way) for way in rng.choice(["resident", "ddr"], 2)]
        victim, mine = (works[i] for i in rng.choice(4, 2, replace=False))
        request, moment = int(rng.integers(60)), str(rng.choice(MOMENTS))
        print(f"round {number}: {deed.__name__} {ways} batch {bool(victim.program.batch)} at {request} {moment}")
        killed(deed, board.path, victim, ways[0], request, moment)
        with attach(board) as accelerator:
            accelerator.backend.ddr.silent = 0
            await_memory(accelerator.backend)
            accelerator.load(mine.program, ways[1])
            mine.check(accelerator)


def test_aborted_reloaded_and_killed(board, rng, quiet):
    """Runs that are stopped at any moment, between loads, while another process is killed in its turn."""
    works = [Work(rng) for _ in range(3)]
    with attach(board) as accelerator:
        for _ in range(campaign(20, 200)):
            work = works[rng.integers(3)]
            accelerator.load(work.program, str(rng.choice(["resident", "ddr", "host"])))
            timer = threading.Timer(float(rng.uniform(0, 0.05)), accelerator.stop)
            timer.start()
            try:
                work.check(accelerator)
            except EngineError as error:
                assert error.name == "ABORTED"
            timer.join()
            if rng.integers(3) == 0:
                killed(runs, board.path, works[0], "ddr", int(rng.integers(40)), str(rng.choice(MOMENTS)))
            work.check(accelerator)


@pytest.fixture
def keyboard():
    """Interrupts come, also where the tests run in a shell's background, which ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interrupted_from_the_keyboard(board, rng, keyboard):
    """At any moment of a run: the connection is in step afterwards, the engine stops, the next run is right."""
    def interrupt():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    with attach(board) as accelerator:
        case, hits = Case(accelerator, rng), 0
        for _ in range(campaign(10, 100)):
            timer = threading.Timer(float(rng.uniform(0, 0.1)), interrupt)
            try:
                timer.start()
                while timer.is_alive():
                    case.check()
                    case.accelerator.backend.allocate(100).free()
                timer.join()
            except KeyboardInterrupt:
                hits += 1
            timer.join()
            case.check()
        assert hits
        accelerator.unload()
        await_memory(accelerator.backend)


def test_interrupted_request_is_done_before_the_next(board, monkeypatch):
    """However long it takes; memory of which nobody has heard is given back."""
    def interrupted(connection, *request):
        connection.send(("wait", 20_000))
        connection.send(request)
        raise KeyboardInterrupt
    with attach(board) as accelerator:
        backend, watchdog = accelerator.backend, spec.REGISTERS["WATCHDOG"]
        for value in (5, 6):
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
                patch.setattr(exchange, "ask", interrupted)
                backend.write(watchdog, value)
            assert backend.read(watchdog) == value
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(exchange, "ask", interrupted)
            backend.allocate(MEMORY)
        backend.allocate(MEMORY).free()


def test_request_that_comes_after_its_client_has_gone():
    """As when it is killed in the middle: memory that nobody could give back is not given."""
    board = Board(RtlBackend(build("small")))
    board.clients |= {"one", "other"}
    board.request("one", "allocate", (0, 100))
    board.part("one")
    with pytest.raises(HardwareError, match="the client has gone"):
        board.request("one", "allocate", (1, 100))
    board.request("other", "allocate", (0, MEMORY))
    board.end()


def test_threads_share_a_client(board, rng):
    """One waits while another looks at the registers."""
    with attach(board) as accelerator:
        case, seen, done = Case(accelerator, rng), [], threading.Event()

        def look():
            while not done.is_set():
                seen.append(accelerator.segment.read("ID"))
        thread = threading.Thread(target=look)
        thread.start()
        for _ in range(3):
            case.check()
        done.set()
        thread.join()
        assert set(seen) == {spec.ID_VALUE}


def test_fork_has_connections_of_its_own(board, rng):
    with attach(board) as accelerator:
        case = Case(accelerator, rng)
        case.check()

        def work():
            for _ in range(3):
                case.check()
            accelerator.backend.close()  # the parent's stays
        process = FORK.Process(target=work, daemon=True)
        process.start()
        process.join(60)
        assert process.exitcode == 0
        case.check()


def test_arrays_outlive_the_board(own_board):
    accelerator = attach(own_board)
    buffer = accelerator.backend.allocate(5000)
    buffer.array[:] = 7
    own_board.process.kill()
    own_board.process.wait()
    buffer.array[:] += 1
    assert (buffer.array == 8).all()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_board_that_ends(own_board, rng, how):
    """Every access says so, again and again; none waits."""
    accelerator = attach(own_board)
    case = Case(accelerator, rng)
    own_board.process.send_signal(how)
    own_board.process.wait(20)
    backend = accelerator.backend
    for _ in range(2):
        for use in (lambda: backend.read(0), lambda: backend.write(0, 0), lambda: backend.read_block(0, 4),
                    lambda: backend.write_block(0, np.zeros(4, np.uint32)), lambda: backend.wait_interrupt(100),
                    backend.reset, lambda: backend.cycles, lambda: backend.interrupt, lambda: backend.allocate(1),
                    lambda: backend.ddr.latency, lambda: accelerator.run(case.image)):
            with pytest.raises(HardwareError, match="has ended|is gone.*Remedy: start it again"):
                use()
    with pytest.raises(HardwareError, match="no process simulates hardware at .*Remedy: start one with `python -m"):
        attach(own_board)
    assert how == signal.SIGKILL or not own_board.path.parent.exists()


def test_board_that_ends_in_a_wait(own_board, rng):
    accelerator = attach(own_board)
    case = Case(accelerator, rng)
    case.never_end()
    threading.Timer(0.3, own_board.process.kill).start()
    with pytest.raises(HardwareError, match="has ended or does not answer"):
        accelerator.finish(accelerator.launch(0, len(case.program.records), watchdog=FOREVER, image=case.image))


def test_board_that_does_not_answer(own_board, monkeypatch):
    monkeypatch.setattr(exchange, "TIMEOUT", 0.3)
    accelerator = attach(own_board)
    own_board.process.send_signal(signal.SIGSTOP)
    with pytest.raises(HardwareError, match="does not answer .no answer within 0.3 s.*Remedy: start it again"):
        accelerator.backend.read(0)
    with pytest.raises(HardwareError, match="no process simulates hardware at .* .no answer within 0.3 s"):
        attach(own_board)
    own_board.process.send_signal(signal.SIGCONT)


def test_board_that_is_started_again(tmp_path_factory, rng):
    """On the socket of one that was killed. Clients of the old one do not take it for theirs."""
    path = tmp_path_factory.mktemp("b") / "board"
    command = [sys.executable, "-m", "riffle.backends.board_process", "--configuration", "small", "--socket", str(path)]

    def start():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return process, process.stdout.readline()
    first, ready = start()
    assert ready == f"READY {first.pid} {path}\n"
    old = riffle.open("rtl", process=path)
    second, ready = start()
    assert not ready and f"process {first.pid} simulates hardware at {path} already" in second.communicate()[1]
    first.kill()
    first.communicate()
    third, _ = start()
    with pytest.raises(HardwareError, match="Remedy: start it again|started again. Remedy: open"):
        old.backend.read(0)
    with riffle.open("rtl", process=path) as accelerator:
        Case(accelerator, rng).check()
    third.send_signal(signal.SIGINT)
    out, err = third.communicate(timeout=20)
    assert (third.returncode, out, err) == (0, "", "") and not list(path.parent.iterdir())


def test_board_ends_with_its_parent(rng):
    """Killed, too: neither a process nor a file stays."""
    script = ("from riffle.backends.process import spawn\n"
              "with spawn('small') as board:\n"
              "    print(board.process.pid, board.path, flush=True)\n"
              "    input()\n")
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid, path = parent.stdout.readline().split()
    with riffle.open("rtl", process=path) as accelerator:
        Case(accelerator, rng).check()
    parent.kill()
    parent.communicate()
    for _ in range(2000):
        if not os.path.exists(f"/proc/{pid}") and not os.path.exists(os.path.dirname(path)):
            break
        time.sleep(0.01)
    assert not os.path.exists(os.path.dirname(path)), "the socket is still there"
    with pytest.raises(HardwareError, match="no process simulates hardware at"):
        riffle.open("rtl", process=path)


def test_options_that_do_not_fit(board, tmp_path):
    for options in ({"configuration": "small"}, {"waves": "x.fst"}, {"seed": 3}):
        with pytest.raises(InputError, match="chosen where it is started. Remedy: give `process` alone"):
            attach(board, **options)
    with pytest.raises(HardwareError, match="no process simulates hardware at .*nothing .FileNotFoundError"):
        riffle.open("rtl", process=tmp_path / "nothing")
    (tmp_path / "other.key").write_text("1 wrong\n")
    (tmp_path / "other").symlink_to(board.path)
    with pytest.raises(HardwareError, match="no process simulates hardware at .*AuthenticationError"):
        riffle.open("rtl", process=tmp_path / "other")


def test_closed_client_says_so(board):
    accelerator = attach(board)
    buffer = accelerator.backend.allocate(10)
    accelerator.close()
    buffer.free()
    buffer.array[:] = 1
    with pytest.raises(HardwareError, match=r"the backend is closed: open the accelerator again, with riffle.open\(\)"):
        accelerator.backend.read(0)
    accelerator.backend.close()
