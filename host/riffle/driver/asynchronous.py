"""A run as a coroutine: the blocking run in a thread, and a way to stop it."""

from __future__ import annotations

import asyncio
import threading

import numpy as np

from riffle.driver.handle import Handle
from riffle.driver.result import Result

AGAIN = 0.01  # seconds between two attempts to stop a run: before its START there is nothing to stop


async def run_async(accelerator: Handle, image: np.ndarray, lane: int = 0) -> Result:
    """Run one image without blocking the event loop; tasks that share the accelerator take turns.

    When it is cancelled, the hardware is stopped before the cancellation goes on, so that the next run finds it idle.
    Arguments and errors are those of `Accelerator.run`.
    """
    turn = _Turn(accelerator, image, lane)
    work = asyncio.ensure_future(asyncio.to_thread(turn.run))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            turn.stop()
            await asyncio.wait({work}, timeout=AGAIN)
        work.cancelled() or work.exception()  # ABORTED, or it was too late; nobody waits for it
        raise


class _Turn:
    """One task's use of the hardware."""

    def __init__(self, accelerator: Handle, image: np.ndarray, lane: int):
        self.accelerator, self.image, self.lane = accelerator, image, lane
        self.running = self.stopped = False
        self.guard = threading.Lock()  # a stop must not hit the run of the next task

    def run(self) -> Result | None:
        with self.accelerator.exclusive:
            with self.guard:
                if self.stopped:
                    return None
                self.running = True
            try:
                return self.accelerator.run(self.image, self.lane)
            finally:
                with self.guard:
                    self.running = False

    def stop(self) -> None:
        with self.guard:
            self.stopped = True
            if self.running:
                self.accelerator.stop()
