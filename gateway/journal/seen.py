"""Which events were accepted before, by key, for longer than their bodies live.

A key is random: written where it belongs, each costs the disk a page of its own. So the newest ones stand in memory
and, in the order they came, in `fresh`; from time to time all are sorted in, where many share a page.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from gateway.journal.keys import KEY, Key, Sighting, SortedKeys
from gateway.statements import run_on_rows

HELD: Final = 100_000
"""Keys in memory, at 250 bytes each, from which on they are sorted in: the more of them, the more share a page."""
SLICE: Final = 256
"""Keys sorted in at once at least: a few milliseconds in which no event is stored."""

_Batch: TypeAlias = tuple[int, float, int, bytes]
"""A row of `fresh`: an event's number and time, by how much the event of each further key is higher, and the keys."""


class Seen:
    """All keys of one journal. Whoever has its connection uses it: the loop or the writer's thread, never both."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._held: dict[bytes, Sighting] = {}
        self._staged: Sequence[Key] = ()
        self._unsorted: list[list[bytes]] = []
        """What is being sorted in: keys by their first byte, the largest first, for sorting all at once takes long."""
        self._last = 0
        """Up to which row of `fresh` that reaches."""
        self._sorted = SortedKeys(connection)
        for batch in connection.execute("SELECT seq, at, step, keys FROM fresh ORDER BY id"):
            self._held.update(_keys_of(batch))

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Sighting]:
        """Those of some keys that were seen."""
        held, found, others = self._held, {}, []
        for key in keys:
            if sighting := held.get(key):
                found[key] = sighting
            else:
                others.append(key)
        found.update(self._sorted.find(others))
        return found

    def add(self, fresh: Sequence[Key]) -> None:
        """Remember keys, in a transaction that calls `committed` once it is. What was known of a key is forgotten."""
        self._staged = fresh
        run_on_rows(self._connection, "INSERT INTO fresh (seq, at, step, keys) VALUES {rows}", _batches(fresh))

    def committed(self) -> None:
        """What was added last is on disk."""
        self._held.update(self._staged)
        self._staged = ()

    def forget(self, before: float) -> None:
        """In a transaction: let go of keys that are not sorted in yet and older than that, in unix seconds.

        Sorting in begins anew: rows that come now may get the numbers of those that went, and are not sorted in yet.
        """
        self._connection.execute("DELETE FROM fresh WHERE at < ?", (before,))
        self._unsorted = []
        self._held = {key: sighting for key, sighting in self._held.items() if sighting[1] >= before}

    def is_untidy(self) -> bool:
        """There is something for `tidy` to do."""
        return bool(self._unsorted) or len(self._held) >= HELD or self._sorted.is_learning

    def tidy(self, most_added: int) -> None:
        """Between two transactions: if there is need, sort in more than the last ones can have added.

        Where that fails it is tried again the next time; until then the keys are where they were.
        """
        with contextlib.suppress(sqlite3.Error):
            self._sorted.learn()
            if not self._unsorted and len(self._held) < HELD:
                return
            if not self._unsorted:
                self._begin()
            part: list[Key] = []
            count = 0
            while count < len(self._unsorted) and len(part) < max(SLICE, 2 * most_added):
                count += 1
                part += [(key, self._held[key]) for key in sorted(self._unsorted[-count])]
            self._write(part, is_last=count == len(self._unsorted))
            del self._unsorted[-count:]
            for key, sighting in part:
                if self._held.get(key) is sighting:
                    del self._held[key]

    def _begin(self) -> None:
        """All or nothing: where something can't be read, it is begun anew the next time."""
        last = self._connection.execute("SELECT max(id) FROM fresh").fetchone()[0]
        self._sorted.begin()
        by_first: list[list[bytes]] = [[] for _ in range(256)]
        for key in self._held:
            by_first[255 - key[0]].append(key)
        self._last, self._unsorted = last, by_first

    def _write(self, part: Sequence[Key], *, is_last: bool) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._sorted.insert(part)
            if is_last:
                self._connection.execute("DELETE FROM fresh WHERE id <= ?", (self._last,))
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise


def _batches(fresh: Iterable[Key]) -> list[_Batch]:
    """As few rows as hold the keys: those of events that follow each other share one."""
    batches: list[tuple[int, float, list[bytes]]] = []
    following: Sighting | None = None
    for key, sighting in fresh:
        seq, at = sighting
        if sighting == following:
            batches[-1][2].append(key)
        else:
            batches.append((seq, at, [key]))
        following = seq + 1, at
    return [(seq, at, 1, b"".join(keys)) for seq, at, keys in batches]


def _keys_of(batch: _Batch) -> Iterator[Key]:
    seq, at, step, keys = batch
    for number in range(len(keys) // KEY):
        yield keys[number * KEY : (number + 1) * KEY], (seq + number * step, at)
