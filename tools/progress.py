"""How far a build is: one line that is written again on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from typing import TextIO

TICK = 0.5  # seconds between two looks at the clock, on a terminal
PARTS = 4  # lines of a step, where there is no terminal
WIDTH = 20  # of the bar


class Progress:
    """A context manager; `step` begins a step, `advance` counts in it.

    Parameters
    ----------
    what
        is built, the beginning of every line
    stream
        stderr, as stdout is the result's
    """

    def __init__(self, what: str, stream: TextIO | None = None):
        self.what, self.stream = what, stream or sys.stderr
        self.terminal, self.begin = self.stream.isatty(), time.monotonic()
        self.text, self.done, self.total, self.shown = "", 0, 0, 0
        self._lock, self._end = threading.Lock(), threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        if self.terminal:
            self._ticker.start()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self._end.set()
        if self.terminal:
            self._ticker.join()
            self.stream.write("\r\x1b[K")
        if kind is None:
            self.stream.write(f"{self.what}: done in {self._elapsed()}\n")
        self.stream.flush()

    def step(self, text: str, total: int = 0) -> None:
        """What is done now, and how many parts it has, if that is known."""
        with self._lock:
            self.text, self.done, self.total, self.shown = text, 0, total, 0
            self._show()

    def advance(self) -> None:
        """One more part of the step is done."""
        with self._lock:
            self.done += 1
            if self.terminal or self.done * PARTS >= (self.shown + 1) * self.total:
                self.shown = self.done * PARTS // max(self.total, 1)
                self._show()

    def _tick(self) -> None:
        while not self._end.wait(TICK):
            with self._lock:
                self._show()

    def _show(self) -> None:
        count = f" {self.done} of {self.total}" * bool(self.total)
        if self.terminal:
            filled = WIDTH * self.done // max(self.total, 1)
            bar = f" [{'#' * filled}{'.' * (WIDTH - filled)}]" * bool(self.total)
            line = f"{self.what}: {self.text}{bar}{count}, {self._elapsed()}"
            self.stream.write("\r\x1b[K" + line[:shutil.get_terminal_size().columns - 1])  # it must stay one line
        else:
            self.stream.write(f"{self.what}: {self.text}{count}, {self._elapsed()}\n")
        self.stream.flush()

    def _elapsed(self) -> str:
        minutes, seconds = divmod(round(time.monotonic() - self.begin), 60)
        return f"{minutes}:{seconds:02}"
