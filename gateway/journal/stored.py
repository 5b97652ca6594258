"""An event as the worker takes it up, and how many of them are read at once.

They come packed in one row. For each row of a query the interpreter's lock is given up, and has to be won back from
handlers that compute, which takes longer than the packing.
"""

import re
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import orjson

from gateway.journal.rows import checksum, phones_of

PACKED: Final = 8192
"""Bytes of a body up to which it comes in one row with others."""
HEADING: Final = "seq, event, instance, chat, lane, accepted_at"

_EVENT: Final = f"{HEADING}, checksum"
_MARK: Final = b"\x1e"  # stands in no JSON: a control character
_FINE: Final = 2**29  # a power of two: a time multiplied by it is a whole number, and comes back as it went
_PACK: Final = (
    "SELECT count(*), CAST(group_concat("
    f"json_array(seq, event, instance, chat, lane, CAST(accepted_at * {_FINE} AS INTEGER), checksum, size) "
    "|| char(30) || coalesce(body, ''), char(30)) AS BLOB) "
    f"FROM (SELECT {_EVENT}, size, CASE WHEN size <= ? THEN CAST(body AS TEXT) END AS body "
    "FROM event WHERE seq > ? ORDER BY seq LIMIT ?)"
)

_LID: Final = re.compile(rb"[0-9]{5,20}@lid")
AT_LID: Final = b"@lid"
"""Stands in every body that names a LID. Looked for first, and from the end, at a hundredth of the cost."""
_LIDS_WITHIN: Final = 2**20  # bytes of a body searched for LIDs; what is longer is a photo


class Heading(msgspec.Struct, frozen=True):
    """What taking an event up needs, and what a replay chooses by."""

    seq: int
    event: str
    instance: str | None
    chat: str | None
    lane: str
    accepted_at: float
    """Unix seconds."""


class StoredEvent(Heading, frozen=True):
    """One event as the worker takes it up."""

    checksum: int
    body: bytes
    phones: dict[str, str] = {}
    """Of the LIDs that the body names: the telephones the gateway has learned, as digits."""

    @property
    def intact(self) -> bool:
        """The row is the one that was written."""
        return checksum(self.seq, self.event, self.lane, self.body) == self.checksum


def read_after(connection: sqlite3.Connection, seq: int, limit: int, whole: int) -> list[Heading | StoredEvent]:
    """The next events above `seq`, in order: whole where the body has up to so many bytes, else without it."""
    count, packed = connection.execute(_PACK, (min(whole, PACKED), seq, limit)).fetchone()
    parts = packed.split(_MARK) if packed else []
    if len(parts) != 2 * count:  # the disk has spoilt something
        return _one_by_one(connection, seq, limit, whole)
    rows = list(zip(orjson.loads(b"[%b]" % b",".join(parts[::2])), parts[1::2], strict=True))
    larger = [head[0] for head, body in rows if not body and head[7] <= whole]
    others = read_events(connection, larger) if larger else {}
    return [others.get(head[0]) or _unpacked(connection, head, body) for head, body in rows]


def read_events(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, StoredEvent]:
    """Whole events by number; one that is no longer there is left out."""
    rows = connection.execute(
        f"SELECT {_EVENT}, body FROM event WHERE seq IN ({', '.join('?' * len(numbers))})", numbers
    ).fetchall()
    return {row[0]: _stored(connection, row) for row in rows}


def phones_in(connection: sqlite3.Connection, body: bytes) -> dict[str, str]:
    """Of the LIDs that a body names, the telephones the gateway has learned."""
    if body.rfind(AT_LID, 0, _LIDS_WITHIN) < 0:
        return {}
    lids = {match.decode() for match in _LID.findall(body, 0, _LIDS_WITHIN)}
    return phones_of(connection, sorted(lids)) if lids else {}


def _unpacked(connection: sqlite3.Connection, head: Sequence[Any], body: bytes) -> Heading | StoredEvent:
    seq, event, instance, chat, lane, moment, proof, _size = head
    if not body:
        return Heading(seq, event, instance, chat, lane, moment / _FINE)
    return StoredEvent(seq, event, instance, chat, lane, moment / _FINE, proof, body, phones_in(connection, body))


def _one_by_one(connection: sqlite3.Connection, seq: int, limit: int, whole: int) -> list[Heading | StoredEvent]:
    rows = connection.execute(
        f"SELECT {_EVENT}, CASE WHEN size <= ? THEN body END FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
        (whole, seq, limit),
    ).fetchall()
    return [_stored(connection, row) if row[-1] is not None else Heading(*row[:6]) for row in rows]


def _stored(connection: sqlite3.Connection, row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(*[*row, phones_in(connection, row[-1])])
