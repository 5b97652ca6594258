"""The journal's statements."""

import sqlite3
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Final

import msgspec

from gateway.sqlite import shrink
from gateway.statements import chunks, marks, run_on_rows

_EVENT_COLUMNS: Final = "seq, accepted_at, event, instance, chat, lane, suffix, address, millis, size, checksum, body"


def checksum(seq: int, event: str, lane: str, body: bytes) -> int:
    """A row's own proof that it came back from the disk as it went: a flipped bit in a page passes SQLite's checks."""
    return zlib.crc32(body, zlib.crc32(f"{seq}|{event}|{lane}".encode()))


def insert_events(connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert whole rows of `event`, in the order of the columns."""
    run_on_rows(connection, f"INSERT INTO event ({_EVENT_COLUMNS}) VALUES {{rows}}", rows)


def insert_controls(connection: sqlite3.Connection, rows: Sequence[tuple[int, float, str, int, str]]) -> None:
    """Insert whole rows of `control`."""
    connection.executemany("INSERT INTO control (id, at, kind, upto, payload) VALUES (?, ?, ?, ?, ?)", rows)


def last_control(connection: sqlite3.Connection) -> int:
    """The highest id of a control; 0 without one."""
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM control").fetchone()[0])


def insert_seen(
    connection: sqlite3.Connection, fresh: Sequence[tuple[bytes, int, float]], repeats: Sequence[tuple[bytes, float]]
) -> None:
    """Remember new keys (an old key's expired entry is replaced) and count the repeats of known ones, and when."""
    run_on_rows(connection, "INSERT OR REPLACE INTO seen (key, seq, at) VALUES {rows}", fresh)
    for repeat in repeats:
        connection.execute("UPDATE seen SET repeats = repeats + 1, again = ?2 WHERE key = ?1", repeat)


class Bite(msgspec.Struct, frozen=True, kw_only=True):
    """What retention removes in one transaction."""

    events: Sequence[int] = ()
    keys: Sequence[bytes] = ()
    keys_before: float = 0.0
    """Unix seconds; a key that was seen again since is kept."""
    refused_before: float = 0.0
    """Unix seconds; posts answered 400 are removed if they came before."""
    shrinks: bool = False
    """The file gives free pages back to the disk."""

    def __bool__(self) -> bool:
        """There is something to do."""
        return bool(self.events or self.keys or self.refused_before or self.shrinks)


def remove(connection: sqlite3.Connection, bite: Bite) -> None:
    """Take a bite. The newest event stays whatever is asked: it carries the numbering on."""
    newest = "(SELECT max(seq) FROM event)"
    for chunk in chunks(bite.events):
        connection.execute(f"DELETE FROM event WHERE seq IN ({marks(len(chunk))}) AND seq < {newest}", chunk)
    for keys in chunks(bite.keys):
        connection.execute(f"DELETE FROM seen WHERE key IN ({marks(len(keys))}) AND at < ?", (*keys, bite.keys_before))
    if bite.refused_before:
        connection.execute("DELETE FROM refused WHERE at < ?", (bite.refused_before,))
    if bite.shrinks:
        shrink(connection)


def phones_of(connection: sqlite3.Connection, lids: Sequence[str]) -> dict[str, str]:
    """The telephone of each LID that has been learned."""
    found: dict[str, str] = {}
    for chunk in chunks(lids):
        found.update(connection.execute(_phones(len(chunk)), chunk).fetchall())
    return found


def learn(connection: sqlite3.Connection, pairs: Sequence[tuple[str, str]]) -> None:
    """Remember which LID belongs to which telephone; the later one counts."""
    connection.executemany("INSERT OR REPLACE INTO lid (lid, phone) VALUES (?, ?)", pairs)


def known(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, tuple[int, float]]:
    """Which of `keys` were seen: the first event's number and its unix time."""
    found: dict[bytes, tuple[int, float]] = {}
    for chunk in chunks(keys):
        rows = connection.execute(_lookup(len(chunk)), chunk)
        found.update((key, (seq, at)) for key, seq, at in rows)
    return found


@cache
def _phones(count: int) -> str:
    return f"SELECT lid, phone FROM lid WHERE lid IN ({marks(count)})"


@cache
def _lookup(count: int) -> str:
    return f"SELECT key, seq, at FROM seen WHERE key IN ({marks(count)})"
