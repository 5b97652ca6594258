"""Count without walking the tables: the strip above the list must cost the same with ten events and ten million."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.journal import JournalReader
from gateway.journal.files import JOURNAL
from gateway.sqlite import open_reader
from gateway.work import WorkReader
from gateway.work.store import STATS, WORK

MINUTES: Final = 30
"""Minutes in the chart."""

_RARELY: Final = 50  # a count that took 10 ms is not made again for half a second

_NEXT: Final = "SELECT seq, accepted_at FROM event WHERE seq >= ? ORDER BY seq LIMIT 1"
_MADE: Final = "SELECT max(id) FROM delivery"
_WAITING: Final = "SELECT count(*) FROM delivery WHERE status IN ('waiting', 'running')"
_DEAD: Final = "SELECT count(*) FROM delivery WHERE status = 'dead'"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers in the strip. They go on over restarts."""

    accepted: int = 0
    duplicates: int = 0
    handled: int = 0
    """Deliveries that ended well: one event counts once a plugin."""
    waiting: int = 0
    """Deliveries that wait or run."""
    dead: int = 0
    lag: float = 0.0
    """Seconds since the oldest event that is not handled yet was accepted."""
    per_minute: tuple[int, ...] = (0,) * MINUTES
    """Events accepted in each of the last minutes, the current one last."""
    failed_per_minute: tuple[int, ...] = (0,) * MINUTES
    """Attempts that failed in them."""


def lag(journal: JournalReader, work: WorkReader, now: float) -> float:
    """Seconds since the oldest event that a loaded plugin is not done with was accepted; 0 if all are done with."""
    waits = work.waits()
    taken_up = [waits.positions.get(name) for name in waits.loaded]
    waiting = [seq + 1 for seq in taken_up if seq is not None]  # the next event, if there is one
    if (oldest := work.oldest_open()) is not None:
        waiting.append(oldest)
    found = journal.ages(min(waiting) - 1, 1) if waiting else []
    return max(0.0, now - found[0].accepted_at) if found else 0.0


def failed_per_minute(facts: Mapping[str, Any], now: float) -> tuple[int, ...]:
    """Attempts that failed in each of the last minutes, the current one last, as the worker has counted them."""
    failed = (facts.get(STATS) or {}).get("failed", {})
    this = int(now // 60)
    return tuple(failed.get(str(minute), 0) for minute in range(this - MINUTES + 1, this + 1))


class Counters:
    """Reads both files on connections of its own, from one thread at a time."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._open: dict[str, sqlite3.Connection] = {}
        self._starts: dict[int, int] = {}
        self._duplicates = 0
        self._recount_at = 0.0

    def close(self) -> None:
        """Close the files."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def read(self) -> Counts:
        """The numbers now; zero for a file that is not there yet."""
        made, waiting, dead = (self._one(WORK, query) for query in (_MADE, _WAITING, _DEAD))
        last = self._one(JOURNAL, "SELECT max(seq) FROM event")
        return Counts(
            accepted=last,
            duplicates=self._count_duplicates(),
            handled=max(0, made - waiting - dead),
            waiting=waiting,
            dead=dead,
            per_minute=self._per_minute(last),
        )

    def _count_duplicates(self) -> int:
        """This one does walk a table, so the longer it takes, the rarer it is done."""
        began = time.monotonic()
        if began >= self._recount_at:
            self._duplicates = self._one(JOURNAL, "SELECT sum(times) FROM repeat")
            self._recount_at = began + _RARELY * (time.monotonic() - began)
        return self._duplicates

    def _per_minute(self, last: int) -> tuple[int, ...]:
        """Differences between the first numbers of the minutes, each of which is looked for once."""
        now = int(self._clock() // 60)
        minutes = range(now - MINUTES + 1, now + 1)
        self._starts = {minute: self._starts.get(minute) or self._first_since(minute * 60, last) for minute in minutes}
        starts = [*self._starts.values(), last + 1]
        if last == 0:  # the first number is not known yet
            self._starts.clear()
        return tuple(max(0, after - before) for before, after in pairwise(starts))

    def _first_since(self, moment: float, last: int) -> int:
        """The number of the first event accepted at `moment` or later, by halving; `last` + 1 without one."""
        low, high = self._one(JOURNAL, "SELECT min(seq) FROM event") or 1, last + 1
        while low < high:
            middle = (low + high) // 2
            row = self._row(JOURNAL, _NEXT, middle)
            if row is None or row[1] >= moment:
                high = middle
            else:
                low = int(row[0]) + 1
        return low

    def _one(self, name: str, query: str) -> int:
        """A single number; 0 for null and for a file that can't be read."""
        return (self._row(name, query) or (0,))[0] or 0

    def _row(self, name: str, query: str, *values: int) -> tuple[int, ...] | None:
        try:
            if name not in self._open:
                self._open[name] = open_reader(self._folder / name)
            row: tuple[int, ...] | None = self._open[name].execute(query, values).fetchone()
        except sqlite3.Error:
            if connection := self._open.pop(name, None):
                connection.close()  # the file may have been replaced
            return None
        return row
