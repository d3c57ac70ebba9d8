"""A simulated board in a process of its own, which outlives its clients.

    python -m riffle.backends.board_process --socket PATH

It prints READY, its process and PATH once clients can attach, with `riffle.open("rtl", process=PATH)`. As on a board,
the clock does not wait for the host: a client that is killed leaves a running engine behind. Its memory is given back,
as Linux does; what the engine still reads there is answered with DECERR. SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import fcntl
import mmap
import os
import secrets
import signal
import sys
import tempfile
import threading
import traceback
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from multiprocessing.reduction import send_handle
from pathlib import Path

import numpy as np

from riffle.backends.exchange import TIMEOUT, beside, limit
from riffle.backends.simulated_board import Board
from riffle.backends.verilated import RtlBackend, build, ddr_size, load_model
from riffle.errors import HardwareError
from riffle.isa import spec

CLIENT_GONE = (EOFError, OSError, AuthenticationError)
SHARED_MEMORY = Path("/dev/shm")  # a file there is never written to a disk


class Server:
    """A board for the clients of a socket.

    Parameters
    ----------
    path
        of the socket; its folder is made where it is missing
    library
        the model, as `rtl.build` makes it
    seed
        of the model

    Raises
    ------
    HardwareError
        if another process serves this socket, or it cannot be made
    """

    def __init__(self, path: Path, library: Path, seed: int):
        self.path, self.failure = path, None
        self._key_file, self._key = _own(path)
        model = load_model(library)
        with tempfile.TemporaryFile(dir=SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None) as file:
            file.truncate(ddr_size(model))
            self._memory = os.dup(file.fileno())
        shared = np.frombuffer(mmap.mmap(self._memory, ddr_size(model)), np.uint8)
        self.board = Board(RtlBackend(library, seed=seed, memory=shared))
        try:
            self._listener = Listener(str(path), "AF_UNIX", backlog=64)
        except OSError as error:
            raise HardwareError(f"the socket {path} cannot be made ({error}). Remedy: choose a shorter path, in a "
                                "folder of your own") from error
        for work in (self.board.run_clock, self._accept):
            threading.Thread(target=self._guarded, args=(work,), daemon=True).start()

    def close(self) -> None:
        """End the simulation, and remove what lies in the folder."""
        self.board.end()
        self._listener.close()
        for suffix in (".lock", ".next", ".key"):
            beside(self.path, suffix).unlink(missing_ok=True)
        os.close(self._key_file)

    def _guarded(self, work: object) -> None:
        """Without its clock or its door the board is none: clients must learn it."""
        try:
            work()
        except Exception:
            self.failure = traceback.format_exc()
            end()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except ConnectionAbortedError:
                continue
            except OSError:
                if self.board.ended:
                    return
                raise
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        """A client's connection: its life line, at the end of which its memory is given back, or one for requests."""
        with connection:
            try:
                limit(connection.fileno(), TIMEOUT)
                deliver_challenge(connection, self._key)
                answer_challenge(connection, self._key)
                kind, *arguments = connection.recv()
                limit(connection.fileno(), 0)
                if kind == "attach":
                    self._keep(connection)
                elif arguments[0] in self.board.clients:
                    connection.send((True, None))
                    self._answer(connection, arguments[0])
                else:
                    connection.send((False, HardwareError("the process that simulated the hardware was started again. "
                                                          "Remedy: open the accelerator again, with riffle.open()")))
            except CLIENT_GONE:
                pass

    def _keep(self, connection: Connection) -> None:
        client = secrets.token_hex(8)
        self.board.clients.add(client)
        try:
            connection.send((True, (client, self.board.facts())))
            send_handle(connection, self._memory, None)
            connection.recv()  # never comes
        finally:
            self.board.part(client)

    def _answer(self, connection: Connection, client: str) -> None:
        while True:
            name, *arguments = connection.recv()
            try:
                answer = True, self.board.request(client, name, arguments)
            except Exception as error:
                answer = False, error
            connection.send(answer)


def _own(path: Path) -> tuple[int, bytes]:
    """Make the key of a socket, and hold it as long as this process lives; the file and the key."""
    os.umask(0o077)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(beside(path, ".key"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise HardwareError(f"the folder {path.parent} cannot be used ({error}). Remedy: choose one of your "
                            "own") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        process = os.pread(file, 100, 0).decode().partition(" ")[0]
        raise HardwareError(f"process {process} simulates hardware at {path} already. Remedy: attach to it, or choose "
                            "another socket") from None
    path.unlink(missing_ok=True)  # of a process that was killed
    key = secrets.token_hex(32)
    os.truncate(file, 0)
    os.pwrite(file, f"{os.getpid()} {key}\n".encode(), 0)
    return file, key.encode()


def end() -> None:
    """Let `main` end this process."""
    os.kill(os.getpid(), signal.SIGTERM)


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    end()


def main() -> int:
    """Serve until a signal comes; 0 where that was wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--socket", type=Path, help="by default in a new folder, which is removed at the end")
    parser.add_argument("--configuration", choices=list(spec.CONFIGURATIONS), default="full")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--with-input", action="store_true", help="end when standard input does, as with its parent")
    arguments = parser.parse_args()
    try:
        library = build(arguments.configuration)
        signals = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # in the threads, too
        folder = None if arguments.socket else Path(tempfile.mkdtemp(prefix="riffle-board-"))
        server = Server((arguments.socket or folder / "board").absolute(), library, arguments.seed)
    except HardwareError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.with_input:
        threading.Thread(target=_end_with_input, daemon=True).start()
    print(f"READY {os.getpid()} {server.path}", flush=True)
    signal.sigwait(signals)
    server.close()
    if folder:
        folder.rmdir()
    if server.failure:
        print(server.failure, file=sys.stderr)
    return 1 if server.failure else 0


if __name__ == "__main__":
    sys.exit(main())
