"""The time limits of one plugin's attempts: one timer for all of them.

All have the same time, so the first that began is the first whose time is up. A timer for each, as `asyncio.timeout`
has one, costs more than most handlers do.
"""

import asyncio
import time
from typing import Any

import msgspec


class Limit(msgspec.Struct, eq=False):
    """Of one attempt under way."""

    task: asyncio.Task[Any]
    deadline: float
    """Monotonic seconds."""
    is_over: bool = False
    """Its time was up before it had ended."""
    others: int = 0
    """Who else wanted the task cancelled by then."""

    def cut_off(self) -> None:
        """Its time is up."""
        self.is_over = True
        self.others = self.task.cancelling()
        self.task.cancel()

    def explains(self, error: BaseException) -> bool:
        """Whether an error came because the time was up, and not because somebody else cancelled the task as well."""
        if isinstance(error, asyncio.CancelledError):
            return self.is_over and self.task.cancelling() <= self.others + 1
        return self.is_over

    def take_back(self) -> None:
        """After it was cut off, the task is as it was before."""
        self.task.uncancel()


class Limits:
    """Cancels the tasks that take longer than `seconds`. For one loop."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[Limit, None] = {}  # in the order in which they began
        self._is_armed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> Limit:
        """The running task's time begins."""
        self._loop = self._loop or asyncio.get_running_loop()
        task = asyncio.current_task(self._loop)  # not told of its loop, Python 3.11 asks the system for its process id
        assert task is not None  # noqa: S101 -- attempts are awaited, so something runs them
        limit = Limit(task, time.monotonic() + self.seconds)
        self._running[limit] = None
        if not self._is_armed:
            self._arm(limit.deadline)
        return limit

    def end(self, limit: Limit) -> None:
        """It has ended by itself, or because it was cut off."""
        if limit.is_over:
            limit.take_back()
        else:
            del self._running[limit]

    def _arm(self, deadline: float) -> None:
        self._is_armed = True
        assert self._loop  # noqa: S101 -- somebody has begun
        self._loop.call_at(deadline, self._cut_off)

    def _cut_off(self) -> None:
        now = time.monotonic()
        try:
            while (first := next(iter(self._running), None)) and first.deadline <= now:
                del self._running[first]
                first.cut_off()
        finally:  # what a stranger's future raises when it is cancelled must not keep the others from their end
            self._is_armed = False
            if first := next(iter(self._running), None):
                self._arm(first.deadline)
