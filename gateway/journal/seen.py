"""Which events were accepted before, by key, for longer than their bodies live.

A key is random: written where it belongs, each costs the disk a page of its own. So the newest ones stand in memory
and, in the order they came, in `fresh`; from time to time all are sorted into `seen`, where many share a page.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from struct import unpack
from typing import Final, TypeAlias

from gateway.statements import chunks, marks, run_on_rows

KEY: Final = 16
"""Bytes of a key."""
HELD: Final = 100_000
"""Keys in memory, at 250 bytes each, from which on they are sorted in: the more of them, the more share a page."""
SLICE: Final = 256
"""Keys sorted in at once at least: a few milliseconds in which no event is stored."""
LEARNED: Final = 4096
"""Keys read at once to know how they begin: two milliseconds."""

Sighting: TypeAlias = tuple[int, float]
"""The first event with a key, and the unix seconds at which it was accepted."""
Key: TypeAlias = tuple[bytes, Sighting]
"""A key, and where it was seen."""
_BEGINNINGS: Final = """
SELECT count(*), group_concat('00' || hex(substr(key, 1, 3)), ''), max(key)
FROM (SELECT key FROM seen WHERE key > ? ORDER BY key LIMIT ?)
"""
"""In one row: each row that is read hands the interpreter to another thread, and waits until it is handed back."""
_Run: TypeAlias = tuple[int, float, int, bytes]
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
        self._sorted = Beginnings()
        for run in connection.execute("SELECT seq, at, step, keys FROM fresh ORDER BY id"):
            self._held.update(_keys_of(run))

    def find(self, keys: Iterable[bytes]) -> dict[bytes, Sighting]:
        """Those of some keys that were seen."""
        held, found, others = self._held, {}, []
        for key in keys:
            if sighting := held.get(key):
                found[key] = sighting
            else:
                others.append(key)
        for chunk in chunks(self._sorted.possible(others)):
            rows = self._connection.execute(_lookup(len(chunk)), chunk)
            found.update((key, (seq, at)) for key, seq, at in rows)
        return found

    def add(self, fresh: Sequence[Key]) -> None:
        """Remember keys, in a transaction that calls `committed` once it is. What was known of a key is forgotten."""
        self._staged = fresh
        run_on_rows(self._connection, "INSERT INTO fresh (seq, at, step, keys) VALUES {rows}", _runs(fresh))

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
        return bool(self._unsorted) or len(self._held) >= HELD or not self._sorted.knows_all

    def tidy(self, most_added: int) -> None:
        """Between two transactions: if there is need, sort in more than the last ones can have added.

        Where that fails it is tried again the next time; until then the keys are where they were.
        """
        with contextlib.suppress(sqlite3.Error):
            self._sorted.learn(self._connection)
            if not self._unsorted and len(self._held) < HELD:
                return
            if not self._unsorted:
                self._begin()
            part: list[tuple[bytes, Sighting]] = []
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
        self._last = self._connection.execute("SELECT max(id) FROM fresh").fetchone()[0]
        by_first: list[list[bytes]] = [[] for _ in range(256)]
        for key in self._held:
            by_first[255 - key[0]].append(key)
        self._unsorted = by_first

    def _write(self, part: Sequence[tuple[bytes, Sighting]], *, is_last: bool) -> None:
        rows = [(key, *sighting) for key, sighting in part]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            insert_seen(self._connection, rows)
            self._sorted.note(row[0] for row in rows)
            if is_last:
                self._connection.execute("DELETE FROM fresh WHERE id <= ?", (self._last,))
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise


class Beginnings:
    """How the keys in `seen` begin: one that begins otherwise need not be looked for, and nearly all new ones do.

    A bit for each beginning of three bytes, 2 MiB in all. What stood in the file before is learned bit by bit.
    """

    def __init__(self) -> None:
        self._bits = bytearray(2**21)
        self._learned: bytes | None = b""
        """Up to which key; None: all are known."""

    @property
    def knows_all(self) -> bool:
        """Nothing is left to learn."""
        return self._learned is None

    def possible(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Those of some keys that can be there."""
        bits = self._bits
        if self._learned is not None:
            return keys
        return [key for key in keys if bits[(at := int.from_bytes(key[:3], "big")) >> 3] >> (at & 7) & 1]

    def note(self, keys: Iterable[bytes]) -> None:
        """These are there, or about to be."""
        self._set(int.from_bytes(key[:3], "big") for key in keys)

    def learn(self, connection: sqlite3.Connection) -> None:
        """Some more of what stands in the file, until all is known."""
        if self._learned is None:
            return
        count, beginnings, last = connection.execute(_BEGINNINGS, (self._learned, LEARNED)).fetchone()
        if count:
            self._set(unpack(f">{count}I", bytes.fromhex(beginnings)))
        self._learned = last if count == LEARNED else None

    def _set(self, beginnings: Iterable[int]) -> None:
        bits = self._bits
        for at in beginnings:
            bits[at >> 3] |= 1 << (at & 7)


def _runs(fresh: Iterable[Key]) -> list[_Run]:
    """As few rows as hold the keys: those of events that follow each other share one."""
    runs: list[tuple[int, float, list[bytes]]] = []
    following: Sighting | None = None
    for key, sighting in fresh:
        seq, at = sighting
        if sighting == following:
            runs[-1][2].append(key)
        else:
            runs.append((seq, at, [key]))
        following = seq + 1, at
    return [(seq, at, 1, b"".join(keys)) for seq, at, keys in runs]


def _keys_of(run: _Run) -> Iterator[Key]:
    seq, at, step, keys = run
    for number in range(len(keys) // KEY):
        yield keys[number * KEY : (number + 1) * KEY], (seq + number * step, at)


def insert_seen(connection: sqlite3.Connection, rows: Sequence[tuple[bytes, int, float]]) -> None:
    """Insert rows of `seen`: key, number, time. Best in the order of the keys."""
    run_on_rows(connection, "INSERT OR REPLACE INTO seen (key, seq, at) VALUES {rows}", rows)


@cache
def _lookup(count: int) -> str:
    return f"SELECT key, seq, at FROM seen WHERE key IN ({marks(count)})"
