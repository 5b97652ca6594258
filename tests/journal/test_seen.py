"""Keys are known whether they stand in memory, are on their way, or are sorted in, and after every kind of restart."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import JournalUnavailable
from gateway.journal import Journal, JournalReader, Receipt, keys, seen
from gateway.journal.files import STEPS
from gateway.journal.rows import Bite
from gateway.migrations import migrate
from gateway.sqlite import open_writer
from tests.journal.conftest import NOW, Clock, post

HELD = 40


async def repeats(journal: Journal, numbers: Sequence[int]) -> list[bool]:
    return [(await journal.append(post(n))).repeat for n in numbers]


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        return connection.execute(query).fetchall()


def count(folder: Path, table: str) -> int:
    return int(rows(folder, f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 -- our own names


def keys_in_fresh(folder: Path) -> int:
    return int(rows(folder, "SELECT coalesce(sum(length(keys)), 0) / 16 FROM fresh")[0][0])


def runs(folder: Path) -> list[int]:
    """How many keys stand in each, the oldest first."""
    return [row[0] for row in rows(folder, "SELECT count(*) FROM sorted GROUP BY run ORDER BY run")]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "HELD", HELD)
    monkeypatch.setattr(seen, "SLICE", 7)
    monkeypatch.setattr(keys, "LEARNED", 13)
    monkeypatch.setattr(keys, "FULL", HELD)
    monkeypatch.setattr(keys, "FINENESS", range(9, 14, 2))


async def test_every_event_is_known_while_its_keys_are_being_sorted_in(tmp_path: Path, journal: Journal) -> None:
    for n in range(3 * HELD):
        assert await repeats(journal, [n]) == [False]
        assert await repeats(journal, [n, n // 2, 0]) == [True] * 3

    assert await repeats(journal, range(3 * HELD)) == [True] * 3 * HELD
    assert count(tmp_path, "sorted") >= HELD, "control: some are sorted in"
    assert keys_in_fresh(tmp_path) < 2 * HELD, "and what is sorted in is not kept twice for long"


async def test_every_event_is_known_in_whichever_run_it_is(tmp_path: Path, journal: Journal) -> None:
    events = range(8 * HELD)
    for n in events:
        assert await repeats(journal, [n, n, n // 2]) == [False, True, True]
    assert len(runs(tmp_path)) >= 5, "control: more than are needed for the finest beginnings"
    assert await repeats(journal, events) == [True] * len(events)
    await journal.close()

    reopened = Journal(tmp_path)
    assert await repeats(reopened, [*events, len(events)]) == [True] * len(events) + [False]
    await reopened.close()


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_run_grows_no_further_once_it_is_full(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, *, restarts: bool
) -> None:
    monkeypatch.setattr(keys, "LEARNED", 4096)
    for portion in range(6):
        await repeats(journal, range(portion * HELD, (portion + 1) * HELD))
        if restarts:
            await journal.close()
            journal = Journal(tmp_path)
    await journal.close()

    *full, _ = runs(tmp_path)
    assert len(full) >= 2
    assert all(HELD <= size < 2 * HELD for size in full)


@pytest.mark.parametrize("events", [HELD // 2, HELD, HELD + 2, HELD + 4, 2 * HELD])
async def test_every_event_is_known_after_a_restart_wherever_the_sorting_was(
    tmp_path: Path, journal: Journal, events: int
) -> None:
    await repeats(journal, range(events))
    await journal.close()

    reopened = Journal(tmp_path)
    assert await repeats(reopened, range(events + 1)) == [True] * events + [False]
    await reopened.close()


async def test_a_repeat_names_the_very_event_it_repeats_whichever_others_shared_its_commit(
    tmp_path: Path, journal: Journal
) -> None:
    firsts = await asyncio.gather(*(journal.append(post(n)) for n in (0, 1, 1, 2, 3)))
    await journal.close()
    assert count(tmp_path, "fresh") == 1, "control: the keys of a batch share a row"

    reopened = Journal(tmp_path)
    again = [await reopened.append(post(n)) for n in (3, 2, 1, 0)]
    await reopened.close()
    assert [each.seq for each in firsts] == [1, 2, 2, 3, 4]
    assert again == [Receipt(seq, repeat=True) for seq in (4, 3, 2, 1)]


async def test_keys_of_an_earlier_version_stand_for_the_event_of_their_row(tmp_path: Path) -> None:
    await Journal(tmp_path).close()
    keys = [blake2b(post(n).body, digest_size=16).digest() for n in range(3)]
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        rows = [(7, NOW, keys[0] + keys[1]), (8, NOW, keys[2])]
        connection.executemany("INSERT INTO fresh (seq, at, keys) VALUES (?, ?, ?)", rows)

    journal = Journal(tmp_path)
    found = [await journal.append(post(n)) for n in range(3)]
    await journal.close()
    assert found == [Receipt(7, repeat=True), Receipt(7, repeat=True), Receipt(8, repeat=True)]


async def test_numbers_go_on_after_the_last_key_of_a_batch_whose_events_are_gone(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    await asyncio.gather(*(journal.append(post(n)) for n in range(5)))
    await journal.close()
    (tmp_path / "journal.mark").unlink()
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("DELETE FROM event")

    reopened = Journal(tmp_path)
    assert await reopened.append(post(5)) == Receipt(6, repeat=False)
    await reopened.close()


async def test_a_key_that_counts_anew_stays_so_whatever_is_sorted_in_around_it(journal: Journal, clock: Clock) -> None:
    undated = post(0, dated=False)
    first = await journal.append(undated)
    await repeats(journal, range(1, HELD))
    clock.now += 61
    second = await journal.append(undated)
    await repeats(journal, range(HELD, 3 * HELD))

    assert (first.repeat, second.repeat) == (False, False)
    assert await journal.append(undated) == Receipt(second.seq, repeat=True)


async def test_what_comes_after_old_keys_were_let_go_in_the_middle_of_sorting_is_known_after_a_restart(
    tmp_path: Path, journal: Journal, clock: Clock
) -> None:
    await repeats(journal, range(HELD))
    clock.now += 1000
    await journal.remove(Bite(fresh_before=clock.now))
    assert count(tmp_path, "fresh") == 0, "control: none is left, so their numbers are given anew"
    later = range(HELD, 2 * HELD)
    await repeats(journal, later)
    await journal.close()

    reopened = Journal(tmp_path)
    assert await repeats(reopened, later) == [True] * HELD
    await reopened.close()


async def test_a_read_that_fails_as_a_run_is_chosen_costs_none(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = keys.runs_of
    failed = 0

    def fails_first(connection: sqlite3.Connection) -> list[int]:
        nonlocal failed
        if failed < 3:
            failed += 1
            raise sqlite3.OperationalError("disk I/O error")
        failed = 0
        return read(connection)

    monkeypatch.setattr(keys, "runs_of", fails_first)
    for n in range(6 * HELD):
        assert await repeats(journal, [n, n, n // 2]) == [False, True, True]
    assert await repeats(journal, range(6 * HELD)) == [True] * 6 * HELD


async def test_a_disk_that_fills_up_while_keys_are_sorted_in_costs_none(journal: Journal) -> None:
    await repeats(journal, range(HELD - 1))
    connection = journal._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    failed = [n for n in range(HELD, 2 * HELD) if not await accepted(journal, n)]
    connection.execute("PRAGMA max_page_count = 1000000")

    assert failed, "control: the disk was full"
    assert await repeats(journal, failed) == [False] * len(failed)
    assert await repeats(journal, range(HELD - 1)) == [True] * (HELD - 1)


async def accepted(journal: Journal, n: int) -> bool:
    with contextlib.suppress(JournalUnavailable):
        await journal.append(post(n))
        return True
    return False


async def test_a_journal_of_before_keeps_its_keys_and_its_count_of_copies(tmp_path: Path) -> None:
    arrival = post(1)
    with closing(open_writer(tmp_path / "journal.db")) as connection:
        steps = [files("gateway.journal").joinpath(name).read_text() for name in STEPS[:2]]
        migrate(connection, tmp_path / "journal.db", steps)
        connection.execute(
            "INSERT INTO event VALUES (7, 1.0, 'call', 'shop-1', NULL, 'shop-1#call', NULL, NULL, 1.0, 2, 3, ?)",
            (arrival.body,),
        )
        key = blake2b(arrival.body, digest_size=16).digest()
        connection.execute("INSERT INTO seen (key, seq, at, repeats, again) VALUES (?, 7, 1.0, 2, 5.0)", (key,))

    journal = Journal(tmp_path)
    receipt = await journal.append(arrival)
    await journal.close()

    assert (receipt.seq, receipt.repeat) == (7, True)
    assert [row.repeats for row in JournalReader(tmp_path).newest(5)] == [3]


async def test_a_journal_that_forgets_how_its_keys_begin_is_found_out(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys.Beginnings, "note", lambda *_: None)
    await repeats(journal, range(3 * HELD))

    assert count(tmp_path, "sorted") >= HELD, "control: some are sorted in"
    assert not all(await repeats(journal, range(HELD)))
