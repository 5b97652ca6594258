"""The worker's view of the journal: a connection that only reads, on a thread of its own."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from gateway.journal import JournalReader, StoredEvent
from gateway.journal.reader import Taken

P = ParamSpec("P")
T = TypeVar("T")

ROWS: Final = 512
"""Events taken up in one read."""
_RETRY: Final = 0.2  # seconds between looks for a journal that is not there yet


class Intake:
    """Reads the journal for the engine. Use `Intake.open`."""

    def __init__(self, reader: JournalReader, pool: ThreadPoolExecutor, poll: float) -> None:
        self._reader = reader
        self._pool = pool
        self.poll = poll
        """Seconds between looks when nobody wakes the worker."""
        self.generation = reader.generation()

    @classmethod
    async def open(cls, folder: Path, poll: float) -> "Intake":
        """Wait until the receiver has made its journal, and open it."""
        pool = ThreadPoolExecutor(1, thread_name_prefix="journal-reader")
        loop = asyncio.get_running_loop()
        while True:
            try:
                return cls(await loop.run_in_executor(pool, JournalReader, folder), pool, poll)
            except sqlite3.OperationalError:
                await asyncio.sleep(_RETRY)

    async def last(self) -> int:
        """The highest number in the journal."""
        return await self._call(self._reader.last)

    async def after(self, seq: int) -> list[Taken]:
        """The next events above `seq`."""
        return await self._call(self._reader.after, seq, ROWS)

    @staticmethod
    def is_full(rows: Sequence[Taken]) -> bool:
        """Whether a read brought as much as it could, so that there may be more."""
        return len(rows) == ROWS

    async def events(self, numbers: list[int]) -> dict[int, StoredEvent]:
        """Whole events by number; one that the journal no longer holds is missing."""
        return await self._call(self._reader.events, numbers) if numbers else {}

    async def close(self) -> None:
        """Close the file."""
        await self._call(self._reader.close)
        self._pool.shutdown(wait=False)

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        assert not kwargs  # noqa: S101 -- run_in_executor passes none
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)
