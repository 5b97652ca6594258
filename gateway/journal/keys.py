"""Keys that are sorted in: in the order of their bytes on the disk, those of about the same time in a run of their own.

Each sorting in has to write every page that one of its keys belongs to. Within a run, which grows no further once it
is full, these are always few, with many keys on each; among all keys of a large journal they would be nearly as many
as the keys. A key that is looked for may stand in any run; but what stands in none is nearly always known without a
look.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from struct import unpack
from typing import Final, TypeAlias

from gateway.statements import chunks, marks, run_on_rows

KEY: Final = 16
"""Bytes of a key."""
FULL: Final = 1_000_000
"""Keys in a run from which on the next ones begin another: more, and each page gets fewer of them at once; fewer, and a
key that may be known is looked for in more places."""
LEARNED: Final = 4096
"""Keys read at once to know how they begin: two milliseconds."""
BEGINNING: Final = 4
"""Bytes of a key that are read of it to know how it begins."""
FINENESS: Final = range(24, 29, 2)
"""Bits of them that are told apart. Each beginning that there can be takes a bit of memory: 2 MiB, 8 or 32 in all."""
SPARSE: Final = 8
"""Beginnings that there are for each key at least, up to the finest: few new keys begin as an old one does."""

Sighting: TypeAlias = tuple[int, float]
"""The first event with a key, and the unix seconds at which it was accepted."""
Key: TypeAlias = tuple[bytes, Sighting]
"""A key, and where it was seen."""

_BEGINNINGS: Final = f"""
SELECT count(*), group_concat(hex(substr(key, 1, {BEGINNING})), ''), max(key)
FROM (SELECT key FROM sorted WHERE run = ? AND key > ? ORDER BY key LIMIT ?)
"""
"""In one row: each row that is read hands the interpreter to another thread, and waits until it is handed back."""
_RUNS: Final = """
WITH RECURSIVE run (id) AS (
    SELECT min(run) FROM sorted UNION ALL SELECT (SELECT min(run) FROM sorted WHERE run > id) FROM run WHERE id
)
SELECT id FROM run WHERE id
"""


class SortedKeys:
    """The keys of one journal that are sorted in. Whoever has its connection uses it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._runs = runs_of(connection) or [1]
        self._newest = self._runs[-1]
        self._filled = 0
        """Keys in the newest run, as far as they are learned."""
        self._known: Beginnings | None = None
        """None: a key may be here however it begins."""
        self._learning: Beginnings | None = Beginnings(self._fineness())
        self._unread = [*self._runs]
        """What is still to be learned."""
        self._after = b""
        """Up to which key the last of these runs is read."""

    def find(self, keys: Sequence[bytes]) -> Iterator[Key]:
        """Those of some keys that are here. One that stands in two runs comes twice, and last as it was seen last."""
        for chunk in chunks(self._known.possible(keys) if self._known else keys):
            rows = self._connection.execute(_lookup(len(self._runs), len(chunk)), [*self._runs, *chunk])
            yield from ((key, (seq, at)) for key, seq, at in rows)

    def begin(self) -> None:
        """Before a sorting in: choose the run that takes it. Nothing has changed if an error is raised.

        Raises:
            sqlite3.Error: the runs could not be read.
        """
        runs = runs_of(self._connection)
        if self._filled >= FULL:
            self._newest, self._filled = self._newest + 1, 0
        self._runs = [*(run for run in runs if run < self._newest), self._newest]
        if self._known and not self._learning and self._known.fineness < self._fineness():
            self._learning, self._unread = Beginnings(self._fineness()), [*self._runs]

    def insert(self, part: Sequence[Key]) -> None:
        """Sort in keys, in a transaction. Best in their order."""
        insert_sorted(self._connection, self._newest, part)
        self._filled += len(part)
        for beginnings in (self._known, self._learning):
            if beginnings:
                beginnings.note(int.from_bytes(key[:BEGINNING], "big") for key, _ in part)

    @property
    def is_learning(self) -> bool:
        """There is something to `learn`."""
        return self._learning is not None

    def learn(self) -> None:
        """How some more of them begin. What is known before goes on being used until all is known more finely."""
        if not self._learning:
            return
        run = self._unread[-1]
        count, beginnings, last = self._connection.execute(_BEGINNINGS, (run, self._after, LEARNED)).fetchone()
        self._learning.note(unpack(f">{count}I", bytes.fromhex(beginnings or "")))
        self._after = last
        if not self._known and run == self._newest:
            self._filled += count
        if count < LEARNED:
            self._unread.pop()
            self._after = b""
        if not self._unread:
            self._known, self._learning = self._learning, None

    def _fineness(self) -> int:
        wanted = len(self._runs) * FULL * SPARSE
        return next((bits for bits in FINENESS if 2**bits >= wanted), FINENESS[-1])


class Beginnings:
    """How keys begin: one that begins otherwise need not be looked for, and nearly all new ones do."""

    def __init__(self, fineness: int) -> None:
        self.fineness = fineness
        self._shift = 8 * BEGINNING - fineness
        self._bits = bytearray(2**fineness // 8)

    def possible(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        """Those of some keys that can be among them."""
        bits, shift = self._bits, self._shift
        return [
            key for key in keys if bits[(at := int.from_bytes(key[:BEGINNING], "big") >> shift) >> 3] >> (at & 7) & 1
        ]

    def note(self, beginnings: Iterable[int]) -> None:
        """Keys that begin so are there, or about to be."""
        bits, shift = self._bits, self._shift
        for beginning in beginnings:
            at = beginning >> shift
            bits[at >> 3] |= 1 << (at & 7)


def runs_of(connection: sqlite3.Connection) -> list[int]:
    """The numbers of the runs that hold something, the oldest first."""
    return [row[0] for row in connection.execute(_RUNS)]


def insert_sorted(connection: sqlite3.Connection, run: int, keys: Iterable[Key]) -> None:
    """Insert keys into a run, or what is known of them anew. Best in their order."""
    rows = [(run, key, *sighting) for key, sighting in keys]
    run_on_rows(connection, "INSERT OR REPLACE INTO sorted (run, key, seq, at) VALUES {rows}", rows)


@cache
def _lookup(runs: int, keys: int) -> str:
    return f"SELECT key, seq, at FROM sorted WHERE run IN ({marks(runs)}) AND key IN ({marks(keys)}) ORDER BY run"
