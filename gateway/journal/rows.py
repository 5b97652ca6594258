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


def note_repeats(connection: sqlite3.Connection, repeats: Sequence[tuple[int, float]]) -> None:
    """Count copies of events: an event's number, and the unix seconds at which the copy came."""
    run_on_rows(
        connection,
        "INSERT INTO repeat (seq, last, times) VALUES {rows} "
        "ON CONFLICT (seq) DO UPDATE SET times = times + 1, last = excluded.last",
        [(seq, at, 1) for seq, at in repeats],
    )


class Bite(msgspec.Struct, frozen=True, kw_only=True):
    """What retention removes in one transaction."""

    events: Sequence[int] = ()
    run: int = 0
    """Where `keys` are sorted in."""
    keys: Sequence[bytes] = ()
    keys_before: float = 0.0
    """Unix seconds; a key that counts from a later event is kept."""
    fresh_before: float = 0.0
    """Unix seconds; keys that are not sorted in yet are removed if they are older."""
    refused_before: float = 0.0
    """Unix seconds; posts answered 400 are removed if they came before."""
    shrinks: bool = False
    """The file gives free pages back to the disk."""

    def __bool__(self) -> bool:
        """There is something to do."""
        return bool(self.events or self.keys or self.fresh_before or self.refused_before or self.shrinks)


def remove(connection: sqlite3.Connection, bite: Bite) -> None:
    """Take a bite. The newest event stays whatever is asked: it carries the numbering on."""
    newest = "(SELECT max(seq) FROM event)"
    for chunk in chunks(bite.events):
        connection.execute(f"DELETE FROM event WHERE seq IN ({marks(len(chunk))}) AND seq < {newest}", chunk)
    if bite.events:
        connection.execute("DELETE FROM repeat WHERE seq < (SELECT min(seq) FROM event)")
    for keys in chunks(bite.keys):
        connection.execute(
            f"DELETE FROM sorted WHERE run = ? AND key IN ({marks(len(keys))}) AND at < ?",
            (bite.run, *keys, bite.keys_before),
        )
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


@cache
def _phones(count: int) -> str:
    return f"SELECT lid, phone FROM lid WHERE lid IN ({marks(count)})"
