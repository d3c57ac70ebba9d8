"""One user of the hardware at a time: threads, handles and processes take turns."""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from types import TracebackType

from riffle.errors import HardwareError

TIMEOUT = 60.0  # seconds that a turn is waited for
AGAIN = 0.005  # seconds between two attempts: flock() has no time limit of its own
NEXT = ".next"  # in place of `.lock`: locked by the process whose turn is next
SHARED = 0o666  # mode of the files: every user of the machine may wait for the hardware


class HardwareLock:
    """A reentrant lock on one accelerator. No process has it twice while another waits.

    Within the process it is a `threading.RLock`. With a `name` it is also an advisory lock (flock) on a file, which the
    kernel releases when the process ends, however it ends.

    Parameters
    ----------
    name
        of the hardware, the same in every process that can reach it, for the file `riffle-<name>.lock`; or the path of
        another file; None where no other process can reach it
    timeout
        seconds that a turn is waited for
    """

    def __init__(self, name: str | Path | None = None, timeout: float = TIMEOUT):
        self.path = name if isinstance(name, Path) or not name else _folder() / f"riffle-{name}.lock"
        self.timeout = timeout
        self._threads, self._depth = threading.RLock(), 0
        self._file: int | None = None

    def __enter__(self) -> HardwareLock:
        end = time.monotonic() + self.timeout
        if not self._threads.acquire(timeout=self.timeout):
            raise HardwareError(f"another thread uses the accelerator for more than {self.timeout:g} s. Remedy: let it "
                                "finish, or abort its run with Accelerator.stop()")
        try:
            if self.path and not self._depth:
                self._take(self.path, end)
            self._depth += 1
        except BaseException:
            self._threads.release()
            raise
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._depth -= 1
        if not self._depth:
            self._unlock()
        self._threads.release()

    def _take(self, path: Path, end: float) -> None:
        """Queue up first: flock() has no queue, and who wants the lock again at once would have it again and again."""
        queue = self._locked(path.with_suffix(NEXT), end)
        try:
            self._file = self._locked(path, end)
            os.truncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            self._unlock()
            raise
        finally:
            os.close(queue)

    def _unlock(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _locked(self, path: Path, end: float) -> int:
        """A file, once no other process has it locked.

        Raises
        ------
        HardwareError
            if that takes too long; names the process that holds the hardware
        """
        file = _open(path)
        try:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return file
                except BlockingIOError:
                    if time.monotonic() >= end:
                        raise HardwareError(_held(self.path, self.timeout)) from None
                    time.sleep(AGAIN)
        except BaseException:
            os.close(file)
            raise


def hardware_lock(name: str | Path) -> HardwareLock:
    """The lock of a name, one for this process: all its handles have the lock where one has, and may lock again."""
    return _hardware_lock(os.getpid(), name)  # what is forked has a lock of its own


@cache
def _hardware_lock(_: int, name: str | Path) -> HardwareLock:
    return HardwareLock(name)


def _held(path: Path, timeout: float) -> str:
    holder = path.read_text(errors="replace").strip() if path.exists() else ""
    return (f"process {holder or 'unknown'} uses the accelerator for more than {timeout:g} s (lock {path}). Remedy: "
            "let it finish, or end that process (`kill`, or shut the notebook's kernel down)")


def _open(path: Path) -> int:
    """The lock file, made if it is not there.

    Raises
    ------
    HardwareError
        if this user may neither open nor make it
    """
    try:
        try:
            # without O_CREAT first: Linux may refuse it on a file of another user in a folder that all may write to
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT, SHARED)
            os.fchmod(file, SHARED)  # whatever the umask is
            return file
    except FileNotFoundError as error:
        raise HardwareError(f"the lock {path} cannot be made: its folder is gone, and with it the process that "
                            "simulated the hardware. Remedy: start it again, and open the accelerator again, with "
                            "riffle.open()") from error
    except OSError as error:
        raise HardwareError(f"the lock {path} cannot be opened ({error.strerror}). Remedy: be the user who made it, or "
                            "remove it while nobody uses the accelerator") from error


def _folder() -> Path:
    folder = Path("/run/lock")
    return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())
