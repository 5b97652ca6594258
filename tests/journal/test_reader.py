"""What the worker takes up is what was accepted, bit by bit, however many rows come at once."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal, JournalReader, StoredEvent
from gateway.journal.stored import PACKED, Heading

WHOLE = 65_536


def arrival(instance: str, text: str) -> Arrival:
    data = {"key": {"remoteJid": "5511999990002@s.whatsapp.net", "fromMe": False, "id": text[:40]}, "text": text}
    body = orjson.dumps({"event": "messages.upsert", "instance": instance, "data": data})
    return Arrival(read_envelope(body, None), body, None, "127.0.0.1", time.perf_counter())


async def store(journal: Journal, *arrivals: Arrival) -> None:
    await asyncio.gather(*(journal.append(each) for each in arrivals))


def read(folder: Path, seq: int = 0, limit: int = 100, whole: int = WHOLE) -> Sequence[Heading | StoredEvent]:
    with closing(JournalReader(folder)) as reader:
        return reader.after(seq, limit, whole)


TEXTS = ["plain", "Olá 😀", "a \x1e b", "\x00", "\\ud83d \" '", "x" * (PACKED - 300), "x" * PACKED, "x" * 60_000]


async def test_what_is_read_at_once_is_what_is_read_one_by_one(tmp_path: Path, journal: Journal) -> None:
    sent = [arrival(f'loja {n} \x1e \x00 " é', text) for n, text in enumerate(TEXTS)]
    await store(journal, *sent)

    found = read(tmp_path)
    assert [each.body for each in found if isinstance(each, StoredEvent)] == [each.body for each in sent]
    with closing(JournalReader(tmp_path)) as reader:
        assert list(found) == [reader.events([seq])[seq] for seq in range(1, len(sent) + 1)]


async def test_a_body_above_the_limit_comes_as_its_heading_in_its_place(tmp_path: Path, journal: Journal) -> None:
    await store(journal, arrival("shop", "one"), arrival("shop", "x" * 70_000), arrival("shop", "three"))

    assert [(each.seq, type(each)) for each in read(tmp_path)] == [(1, StoredEvent), (2, Heading), (3, StoredEvent)]
    assert [type(each) for each in read(tmp_path, whole=0)] == [Heading] * 3


async def test_what_follows_a_number_is_given_in_order_up_to_the_limit(tmp_path: Path, journal: Journal) -> None:
    await store(journal, *(arrival("shop", f"message {n}") for n in range(20)))

    assert [each.seq for each in read(tmp_path, seq=4, limit=10)] == list(range(5, 15))
    assert read(tmp_path, seq=20) == []


@pytest.mark.parametrize("column", ["body", "lane"])
async def test_a_row_that_the_disk_spoilt_is_given_beside_the_others(
    tmp_path: Path, journal: Journal, column: str
) -> None:
    await store(journal, *(arrival("shop", f"message {n}") for n in range(3)))
    await journal.close()
    spoilt = b'{"a":1}\x1e[1,2]\xff' if column == "body" else "a\x1eb\ufffd"
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute(f"UPDATE event SET {column} = ? WHERE seq = 2", (spoilt,))  # noqa: S608 -- our own names

    found = [each for each in read(tmp_path) if isinstance(each, StoredEvent)]
    assert [(each.seq, each.intact) for each in found] == [(1, True), (2, False), (3, True)]
    assert getattr(found[1], column) == spoilt


@pytest.mark.parametrize("moment", [0.1, 1_000.3, 1_800_000_000.123457, 2_000_000_000.9999998])
async def test_the_time_comes_back_as_it_went(tmp_path: Path, moment: float) -> None:
    journal = Journal(tmp_path, clock=lambda: moment)
    await store(journal, arrival("shop", "one"))
    await journal.close()

    assert [each.accepted_at for each in read(tmp_path)] == [pytest.approx(moment, abs=2e-9)]
    if moment > 2**23:
        assert read(tmp_path)[0].accepted_at == moment
