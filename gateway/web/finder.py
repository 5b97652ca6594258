"""Look for events on behalf of viewers: on threads of its own, read by read, and no longer than somebody waits.

A search may walk through everything there is; the thread that feeds the open pages must not wait for it.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Final, NamedTuple

from gateway.search import Query, bites

SECONDS: Final = 1.0
"""What one search may take; whoever wants more asks on from where it came to."""
_AT_ONCE: Final = 2
_LOOK_UP: Final = 0.1  # seconds between looks whether the asker is still there


class Found(NamedTuple):
    """What a search has found so far."""

    seqs: list[int]
    """Newest first."""
    next: int | None
    """Below which to go on; None when everything has been looked at."""
    low: int | None
    """Everything from here on has been looked at; None if there was nothing to look at."""


class Finder:
    """Searches the files of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="finder")

    async def find(
        self,
        query: Query,
        limit: int,
        *,
        before: int | None = None,
        after: int = 0,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Found:
        """The newest events that fit: those below `before`, if given, and above `after`.

        Ends early, after `SECONDS` and when `is_wanted` no longer holds.

        Raises:
            sqlite3.Error: a file is there and can't be read.
        """
        stop = Event()
        searching = asyncio.get_running_loop().run_in_executor(
            self._threads, self._find, query, limit, before, after, stop
        )
        try:
            while not searching.done():
                if not is_wanted():
                    stop.set()
                await asyncio.wait({searching}, timeout=_LOOK_UP)
        finally:
            stop.set()
        return searching.result()

    def close(self) -> None:
        """Take no more questions."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _find(self, query: Query, limit: int, before: int | None, after: int, stop: Event) -> Found:
        """On a thread."""
        ends = time.monotonic() + SECONDS
        seqs: list[int] = []
        low: int | None = None
        for bite in bites(self._folder, query, before=before, after=after):
            low = bite.low
            seqs += bite.found
            if len(seqs) >= limit:
                return Found(seqs[:limit], seqs[limit - 1], seqs[limit - 1])
            if stop.is_set() or time.monotonic() >= ends:
                return Found(seqs, low, low)
        return Found(seqs, None, low)
