"""Give a gateway a past: a journal of many handled events, made in seconds by the journal's own statements."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from gateway.envelope import lane_of
from gateway.journal.files import Mark
from gateway.journal.keys import FULL, KEY, Key, insert_sorted
from gateway.journal.rows import checksum, insert_events
from gateway.sqlite import open_writer
from tests.support.bodies import message
from torture.bot import NAME

SPAN: Final = 3 * 86_400.0  # seconds that the past reaches back
CHATS: Final = 5_000
PORTION: Final = 50_000
_EVENT: Final = "messages.upsert"
_INSTANCE: Final = "loja-bot"
_FAST: Final = ("PRAGMA synchronous = OFF", "PRAGMA cache_size = -500000")  # nothing here would be missed


def add_history(data: Path, rows: int, *, chats: int = CHATS) -> None:
    """Put so many events before all that comes next. The gateway has run on this folder, and does not now.

    They are on the disk in the end, as a past is: else the gateway's first flushes would write what this has left.
    """
    generation = _fill_journal(data, rows, chats)
    _fill_work(data, rows, chats, generation)
    for path in data.glob("*.db*"):
        with path.open("rb") as file:
            os.fsync(file)


def _fill_journal(data: Path, rows: int, chats: int) -> str:
    with closing(open_writer(data / "journal.db")) as journal:
        _hurry(journal)
        generation = str(journal.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0])
        for first in range(1, rows + 1, PORTION):
            events = list(_events(range(first, min(first + PORTION, rows + 1)), rows, chats))
            with journal:
                journal.execute("BEGIN")
                insert_events(journal, events)
                insert_sorted(journal, 1 + first // FULL, sorted(_keys(events)))
    mark = Mark(data)
    mark.write(generation, rows)
    mark.close()
    return generation


def _events(seqs: range, rows: int, chats: int) -> Iterator[tuple[object, ...]]:
    template = message(0, "a past message of usual length, say two lines on a telephone's screen")
    began = time.time() - SPAN
    for seq in seqs:
        chat = f"5511{88880_00000 + seq % chats}@s.whatsapp.net"
        lane = lane_of(_EVENT, _INSTANCE, chat)
        body = template.replace(b"3EB0" + b"0" * 16, b"3EB1%016X" % seq).replace(
            b"5511999900000@s.whatsapp.net", chat.encode()
        )
        at = began + seq * SPAN / rows
        crc = checksum(seq, _EVENT, lane, body)
        yield seq, at, _EVENT, _INSTANCE, chat, lane, "messages-upsert", "127.0.0.1", 1.0, len(body), crc, body


def _keys(events: list[tuple[object, ...]]) -> Iterator[Key]:
    """One each, as the journal keeps them."""
    for row in events:
        seq, at, body = msgspec.convert((row[0], row[1], row[11]), tuple[int, float, bytes])
        yield blake2b(body, digest_size=KEY).digest(), (seq, at)


def _fill_work(data: Path, rows: int, chats: int, generation: str) -> None:
    with closing(open_writer(data / "work.db")) as work:
        _hurry(work)
        with work:
            work.execute("BEGIN")
            work.executemany(
                "INSERT INTO delivery (id, seq, plugin, lane, status, started, millis, handler) "
                "VALUES (?1, ?1, ?2, ?3, 'done', ?4, 1.0, 'count')",
                ((seq, NAME, lane_of(_EVENT, _INSTANCE, str(seq % chats)), time.time()) for seq in range(1, rows + 1)),
            )
            work.execute("INSERT OR REPLACE INTO position VALUES (?, ?, ?)", (NAME, generation, rows))


def _hurry(connection: sqlite3.Connection) -> None:
    for pragma in _FAST:
        connection.execute(pragma)
