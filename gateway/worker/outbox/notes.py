"""Note on disk how messages move on, many with one commit, and tell of those that have come to their end.

While one commit is on its way the next notes gather. One that nobody waits for lies a moment longer: under any load a
commit comes by that takes it along.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from gateway.errands import resolve
from gateway.log import Line, log, write_lines
from gateway.work.outbox import Sent

LINGER: Final = 0.02
"""Seconds for which a note that nobody waits for may lie."""


class End(NamedTuple):
    """What is told of a message once its end is on disk."""

    seq: int
    line: Line


class Notes:
    """Written in their order: when a note is on disk, all earlier ones are."""

    def __init__(
        self, commit: Callable[[Sequence[Sent]], Awaitable[None]], changed: Callable[[Sequence[int]], None]
    ) -> None:
        """`changed` hears of the events whose messages have come to their ends."""
        self._commit = commit
        self._changed = changed
        self._changes: list[Sent] = []
        self._ends: list[End] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._is_due = False

    async def write(self, change: Sent) -> None:
        """Return once it is on disk."""
        self._changes.append(change)
        await self.flush()

    def add(self, change: Sent, end: End) -> None:
        """Note the end of a message, for which nobody waits."""
        self._changes.append(change)
        self._ends.append(end)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._begin)

    async def flush(self) -> None:
        """Return once everything that was noted is on disk."""
        done = asyncio.get_running_loop().create_future()
        self._waiters.append(done)
        self._begin()
        await done

    async def close(self, grace: float) -> None:
        """Write what is left, as far as that is possible within `grace` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), grace)
        if self._writing:
            self._writing.cancel()

    def _begin(self) -> None:
        """The task starts with the loop's next turn, so what is noted in this one shares its commit."""
        self._is_due = True
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_due())

    async def _write_due(self) -> None:
        try:
            while self._is_due:
                await self._write_all()
        finally:
            self._writing = None

    async def _write_all(self) -> None:
        self._is_due = False
        if self._timer:
            self._timer.cancel()
            self._timer = None
        changes, self._changes = self._changes, []
        ends, self._ends = self._ends, []
        waiters, self._waiters = self._waiters, []
        try:
            await self._commit(changes)
        except sqlite3.Error as error:
            log.error("messages_not_noted", count=len(changes), error=str(error))
            _tell(waiters, error)
            return
        _tell(waiters, None)
        if ends:
            write_lines(end.line for end in ends)
            self._changed([end.seq for end in ends])


def _tell(waiters: Sequence[asyncio.Future[None]], result: sqlite3.Error | None) -> None:
    for waiter in waiters:
        resolve(waiter, result)
