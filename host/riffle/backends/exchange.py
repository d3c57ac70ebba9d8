"""Requests to a process that simulates the hardware: multiprocessing's connections over a Unix socket, with limits.

Beside the socket lie `<socket>.key`, which only its user may read, and `<socket>.lock`, the hardware's lock.
"""

from __future__ import annotations

import atexit
import os
import socket
import struct
import threading
import weakref
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from multiprocessing.reduction import recv_handle
from pathlib import Path

from riffle.errors import HardwareError

TIMEOUT = 60.0  # seconds without an answer; the longest takes a fraction of one
DRAIN_BYTES = 1 << 16  # of answers that nobody wants, at a time
START = "python -m riffle.backends.board_process --socket"
GONE = (OSError, EOFError, AuthenticationError)  # what a process that ends leaves its clients with


def beside(path: Path, suffix: str) -> Path:
    """A file that belongs to a socket."""
    return path.with_name(path.name + suffix)


def limit(file: int, seconds: float) -> None:
    """Let reads and writes of a socket fail with BlockingIOError after a time; 0 lets them wait for ever."""
    with socket.socket(fileno=os.dup(file)) as one:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            one.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(seconds), int(seconds % 1 * 1e6)))


def connect(path: Path, *first: object) -> tuple[Connection, object]:
    """A connection, and the answer to its first request.

    Raises
    ------
    one of `GONE`
        if nobody answers, or not in time, or it is not who wrote the key
    HardwareError
        if the answer is one
    """
    key = beside(path, ".key").read_text().split()
    if len(key) != 2:
        raise EOFError("its key is not written yet")
    with socket.socket(socket.AF_UNIX) as one:
        limit(one.fileno(), TIMEOUT)
        one.connect(str(path))
        connection = Connection(one.detach())
    try:
        answer_challenge(connection, key[1].encode())
        deliver_challenge(connection, key[1].encode())
        done, answer = ask(connection, *first)
        if not done:
            raise answer
        return connection, answer
    except BaseException:
        connection.close()
        raise


def ask(connection: Connection, *request: object) -> tuple[bool, object]:
    """Whether a request was done, and the answer: where it was not, the exception that the other side has met."""
    connection.send(request)
    return connection.recv()


def drain(connection: Connection) -> None:
    """Close a connection once the other side has done all that was asked, and has given up what it held."""
    try:
        with socket.socket(fileno=os.dup(connection.fileno())) as one:
            one.shutdown(socket.SHUT_WR)
            while os.read(one.fileno(), DRAIN_BYTES):
                pass
    finally:
        connection.close()


class Requests:
    """Requests to one process, from any thread. A thread that waits for an answer keeps nobody from asking.

    A request that is interrupted, as from the keyboard, is done before the next one is.

    Parameters
    ----------
    path
        of the socket

    Attributes
    ----------
    client
        what this client is called
    facts
        what the process told of itself
    memory
        file of the memory that it shares
    """

    def __init__(self, path: Path):
        self.path = path
        self._end: str | None = None  # why nothing can be asked any more
        self._guard, self._idle, self._left = threading.Lock(), [], []
        self._owner = self._process = os.getpid()
        try:
            self._life, (self.client, self.facts) = connect(path, "attach")
            self.memory = recv_handle(self._life)
        except GONE as error:
            raise HardwareError(f"no process simulates hardware at {path} ({_said(error)}). Remedy: start one with "
                                f"`{START} {path}`, as the same user, and wait until it says READY") from error
        _attached.add(self)

    def __call__(self, name: str, *arguments: object) -> object:
        """The answer; errors are those of the other side.

        Raises
        ------
        HardwareError
            if the process has ended, does not answer, or `close` was called
        """
        if self._end:
            raise HardwareError(self._end)
        connection = None
        try:
            connection = self._take()
            done, answer = ask(connection, name, *arguments)
        except TimeoutError:  # a socket has none: this comes from a handler of a signal
            self._leave(connection)
            raise
        except GONE as error:
            self._end = (f"the process that simulates the hardware at {self.path} has ended or does not answer "
                         f"({_said(error)}). Remedy: start it again with `{START} {self.path}`, then open the "
                         "accelerator again, with riffle.open()")
            raise HardwareError(self._end) from error
        except BaseException:
            self._leave(connection)
            raise
        self._idle.append(connection)
        if not done:
            raise answer
        return answer

    @property
    def ended(self) -> bool:
        """Whether nothing can be asked any more, as far as is known."""
        return self._end is not None

    def close(self) -> None:
        """Detach, so that the other side gives up what it holds for this client."""
        if self._end:
            return
        self._end = "the backend is closed: open the accelerator again, with riffle.open()"
        if self._owner != os.getpid():  # forked: the parent stays
            return
        try:
            for connection in (*self._left, *self._idle, self._life):
                drain(connection)
        except OSError:
            pass  # it has ended, and with it all that it held

    def _leave(self, connection: Connection | None) -> None:
        """Its answer is still to come."""
        if connection:
            self._left.append(connection)

    def _take(self) -> Connection:
        with self._guard:
            if self._process != os.getpid():  # forked: the connections are the parent's
                self._process, self._idle, self._left = os.getpid(), [], []
            while self._left:
                drain(self._left[-1])
                self._left.pop()
            if self._idle:
                return self._idle.pop()
        return connect(self.path, "join", self.client)[0]


_attached: weakref.WeakSet[Requests] = weakref.WeakSet()


@atexit.register
def _detach() -> None:
    """Before Python takes itself apart: what is collected then, as buffers are, has nothing to give back any more."""
    for one in list(_attached):
        one.close()


def _said(error: BaseException) -> str:
    if isinstance(error, BlockingIOError):
        return f"no answer within {TIMEOUT:g} s"
    return f"{type(error).__name__}: {error}".rstrip(": ")
