"""An event loop in a thread of its own, for PYNQ's interrupts: the caller may have a loop that runs, or none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import cache
from typing import TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines from any thread, also from within another event loop."""

    def __init__(self, name: str):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name=name, daemon=True).start()

    def wait_for(self, coroutine: Coroutine[object, object, T]) -> T:
        """Result of a coroutine. What interrupts the caller, as the keyboard does, ends the coroutine too."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Result of a function that is called within the loop."""
        async def run() -> T:
            return function(*arguments)
        return self.wait_for(run())


@cache
def interrupt_loop() -> LoopThread:
    """The one that all accelerators share: PYNQ has one handler for each line of the processor."""
    return LoopThread("riffle interrupts")
