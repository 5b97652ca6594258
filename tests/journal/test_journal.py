"""The journal's promise on a real file: acknowledged means committed, a repeat is one row, numbers never run back."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
import pytest

from gateway.commits import FEW
from gateway.errors import GatewayError, JournalUnavailable
from gateway.journal import Arrival, Journal, JournalReader, Receipt, Refusal, StoredEvent
from gateway.journal.journal import SMALL
from tests.journal.conftest import Clock, post
from tests.support.loops import turns
from tests.support.waiting import until


async def test_a_receipt_means_that_another_connection_sees_the_row(journal: Journal) -> None:
    receipt = await journal.append(post(1))

    stored = JournalReader(journal.folder).events([receipt.seq])[receipt.seq]
    assert stored.body == post(1).body
    assert stored.intact


class PassedOn:
    """Notes what a journal tells of new events."""

    def __init__(self) -> None:
        self.said: list[tuple[list[int], Sequence[StoredEvent]]] = []

    def __call__(self, seqs: Sequence[int], events: Sequence[StoredEvent]) -> None:
        self.said.append((list(seqs), events))

    def take(self) -> list[tuple[list[int], Sequence[StoredEvent]]]:
        """What was said since the last time."""
        said, self.said = self.said, []
        return said


@pytest.fixture
def passed_on() -> PassedOn:
    return PassedOn()


@pytest.fixture
async def telling(tmp_path: Path, clock: Clock, passed_on: PassedOn) -> AsyncIterator[Journal]:
    """A journal somebody listens to."""
    journal = Journal(tmp_path, clock=clock, accepted=passed_on)
    yield journal
    await journal.close()


async def together(journal: Journal, *arrivals: Arrival) -> None:
    """Store them in one commit."""
    await asyncio.gather(*map(journal.append, arrivals), return_exceptions=True)


async def test_events_that_gather_are_told_together(telling: Journal, passed_on: PassedOn) -> None:
    telling.pause(0.25)
    first = asyncio.create_task(telling.append(post(1)))
    await turns()
    await asyncio.gather(first, telling.append(post(2)))

    assert [seqs for seqs, _ in passed_on.said] == [[1, 2]]


async def test_a_few_events_are_passed_on_as_they_are_stored(telling: Journal, passed_on: PassedOn) -> None:
    await together(telling, post(1))
    await together(telling, post(2), post(1), post(3))  # a repeat is no event
    await together(telling, post(3))

    stored = JournalReader(telling.folder).events([1, 2, 3])
    assert passed_on.take() == [([1], [stored[1]]), ([2, 3], [stored[2], stored[3]])]


@pytest.mark.parametrize("floor", [0, 500])
async def test_after_a_restart_only_what_is_new_is_told_of(
    tmp_path: Path, clock: Clock, journal: Journal, passed_on: PassedOn, floor: int
) -> None:
    await together(journal, post(1), post(2))
    await journal.close()
    reopened = Journal(tmp_path, floor=floor, clock=clock, accepted=passed_on)
    await together(reopened, post(1), post(3))
    await reopened.close()

    [(seqs, events)] = passed_on.take()
    assert seqs == [max(2, floor) + 1]
    assert list(events) == list(JournalReader(tmp_path).events(seqs).values())


async def test_who_is_told_of_an_event_finds_it_on_the_disk(tmp_path: Path, clock: Clock) -> None:
    found: list[int] = []
    receipts: list[Receipt] = []

    def look(seqs: Sequence[int], _events: Sequence[StoredEvent]) -> None:
        assert [receipt.seq for receipt in receipts] == list(seqs)
        found.extend(JournalReader(tmp_path).events(seqs))

    journal = Journal(tmp_path, clock=clock, accepted=look)
    journal.put(post(1), lambda _arrival, receipt: receipts.append(cast("Receipt", receipt)))
    await until(lambda: found, "it is told of")

    assert found == [1]
    await journal.close()


async def test_large_events_are_told_of_by_their_numbers_alone(telling: Journal, passed_on: PassedOn) -> None:
    def padded(n: int, size: int) -> Arrival:
        return msgspec.structs.replace(post(n), body=post(n).body.ljust(size))

    for more, is_passed_on in ((0, True), (1, False)):
        await together(telling, padded(10 + more, SMALL + more))
        await together(telling, padded(20 + more, SMALL // 2), padded(30 + more, SMALL // 2 + more))
        first = 1 + 3 * more
        assert [seqs for seqs, _ in passed_on.said] == [[first], [first + 1, first + 2]]
        assert [bool(events) for _, events in passed_on.take()] == [is_passed_on, is_passed_on]


async def test_many_events_are_told_of_by_their_numbers_alone(telling: Journal, passed_on: PassedOn) -> None:
    await together(telling, *(post(n) for n in range(FEW)))
    await together(telling, *(post(n) for n in range(100, 101 + FEW)))

    (few, as_stored), (many, nothing) = passed_on.take()
    assert (len(few), len(as_stored)) == (FEW, FEW)
    assert (len(many), nothing) == (FEW + 1, ())


async def test_beside_one_that_cannot_be_stored_only_what_was_is_told_of(telling: Journal, passed_on: PassedOn) -> None:
    broken = Arrival(post(2).envelope, post(2).body, None, None, "never")  # type: ignore[arg-type]
    await together(telling, post(1), broken, post(3))
    await together(telling, broken, post(4))

    fourth = JournalReader(telling.folder).events([3])[3]
    assert passed_on.take() == [([1, 2], ()), ([3], [fourth])]


async def test_what_was_begun_and_not_committed_is_not_passed_on(
    telling: Journal, passed_on: PassedOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = telling._writer._commit
    succeeds = iter([False, False, True, False])  # both at once, twice; the first; the second

    def commit_or_not() -> None:
        if not next(succeeds):
            raise sqlite3.IntegrityError("not that one")
        commit()

    monkeypatch.setattr(telling._writer, "_commit", commit_or_not)
    await together(telling, post(1), post(2))

    assert passed_on.take() == [([1], ())]


async def test_one_that_cannot_bear_the_news_holds_nothing_up(tmp_path: Path, clock: Clock) -> None:
    def fail(_seqs: Sequence[int], _events: Sequence[StoredEvent]) -> None:
        raise RuntimeError("no news, please")

    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    journal = Journal(tmp_path, clock=clock, accepted=fail)

    assert [(await journal.append(post(n))).seq for n in (1, 2)] == [1, 2]
    assert len(reported) == 2
    await journal.close()


async def test_every_commit_is_flushed_to_the_disk(journal: Journal) -> None:
    connection = journal._writer._connection

    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_the_same_bytes_are_one_row_and_the_repeat_names_the_first(journal: Journal) -> None:
    first = await journal.append(post(1))
    again = await journal.append(post(1))

    assert again == Receipt(first.seq, repeat=True)
    assert [event.repeats for event in JournalReader(journal.folder).newest(10)] == [1]


async def test_copies_that_arrive_at_once_are_one_row(journal: Journal) -> None:
    receipts = await asyncio.gather(*(journal.append(post(1)) for _ in range(50)))

    assert [receipt.repeat for receipt in receipts].count(False) == 1
    assert {receipt.seq for receipt in receipts} == {1}


async def test_a_repeat_is_known_after_a_restart(tmp_path: Path, journal: Journal) -> None:
    await journal.append(post(1))
    await journal.close()

    reopened = Journal(tmp_path)
    again = await reopened.append(post(1))
    await reopened.close()

    assert again.repeat


async def test_equal_bytes_without_a_date_are_a_repeat_for_a_minute_only(journal: Journal, clock: Clock) -> None:
    first = await journal.append(post(1, dated=False))
    clock.now += 59.9
    within = await journal.append(post(1, dated=False))
    clock.now += 0.2
    after = await journal.append(post(1, dated=False))

    assert within == Receipt(first.seq, repeat=True)
    assert after == Receipt(first.seq + 1, repeat=False)


async def test_equal_bytes_with_a_date_are_a_repeat_for_good(journal: Journal, clock: Clock) -> None:
    await journal.append(post(1))
    clock.now += 86_400

    assert (await journal.append(post(1))).repeat


async def test_a_thousand_at_once_are_numbered_without_a_gap(journal: Journal) -> None:
    receipts = await asyncio.gather(*(journal.append(post(n)) for n in range(1000)))

    assert sorted(receipt.seq for receipt in receipts) == list(range(1, 1001))
    assert journal.last == 1000
    assert len(JournalReader(journal.folder).after(0, 2000)) == 1000


async def test_a_sender_that_hangs_up_takes_nothing_back(journal: Journal) -> None:
    task = asyncio.ensure_future(journal.append(post(1)))
    await asyncio.sleep(0)
    task.cancel()
    again = await journal.append(post(1))

    assert again.repeat


async def test_numbers_go_on_above_what_the_worker_has_seen(tmp_path: Path) -> None:
    journal = Journal(tmp_path, floor=500)

    assert (await journal.append(post(1))).seq == 501
    await journal.close()


async def test_numbers_go_on_after_all_rows_are_gone(tmp_path: Path, journal: Journal) -> None:
    for n in range(5):
        await journal.append(post(n))
    await journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("DELETE FROM event")
        connection.execute("DELETE FROM sorted")
        connection.execute("DELETE FROM fresh")
    connection.close()

    reopened = Journal(tmp_path)
    assert (await reopened.append(post(9))).seq == 6
    await reopened.close()


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be read as a header " * 20, b"\x00" * 4096 + b"x"]
)
async def test_a_file_that_is_no_database_is_set_aside_and_numbers_go_on(tmp_path: Path, content: bytes) -> None:
    journal = Journal(tmp_path)
    await journal.append(post(1))
    await journal.close()
    (tmp_path / "journal.db").write_bytes(content)

    reopened = Journal(tmp_path)
    receipt = await reopened.append(post(2))
    await reopened.close()

    assert receipt.seq == 2
    assert [file.read_bytes() for file in tmp_path.glob("journal.db.broken-*")] == [content]


async def test_a_file_that_may_not_be_opened_is_left_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()

    with pytest.raises((GatewayError, sqlite3.OperationalError, OSError)):
        Journal(tmp_path)
    assert not list(tmp_path.glob("*broken*"))


async def test_a_journal_of_a_later_version_is_left_alone(tmp_path: Path, journal: Journal) -> None:
    await journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(GatewayError, match="schema 99"):
        Journal(tmp_path)


async def test_a_full_journal_refuses_and_takes_again_once_there_is_room(journal: Journal) -> None:
    connection = journal._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = Arrival(post(1).envelope, b"x" * 100_000, None, None, 0.0)

    with pytest.raises(JournalUnavailable, match="full"):
        await journal.append(big)
    connection.execute("PRAGMA max_page_count = 1000000")
    receipt = await journal.append(big)

    assert receipt == Receipt(1, repeat=False)


async def test_a_disk_with_too_little_room_refuses_before_anything_is_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path, min_free=2**62)

    with pytest.raises(JournalUnavailable, match="data_min_free"):
        await journal.append(post(1))
    await journal.close()


async def test_a_flipped_bit_in_a_body_is_noticed(tmp_path: Path, journal: Journal) -> None:
    await journal.append(post(1))
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("UPDATE event SET body = CAST(replace(CAST(body AS TEXT), 'shop-1', 'shop-2') AS BLOB)")
    connection.close()

    assert not JournalReader(tmp_path).events([1])[1].intact


async def test_refused_posts_are_kept_cut_and_only_the_newest(tmp_path: Path, journal: Journal) -> None:
    for n in range(1005):
        await journal.refuse(Refusal("10.0.0.1", "/webhook", f"reason {n}", b"y" * 10_000))

    with sqlite3.connect(tmp_path / "journal.db") as connection:
        rows = connection.execute("SELECT reason, size, length(body) FROM refused ORDER BY id").fetchall()
    connection.close()
    assert len(rows) == 1000
    assert rows[-1] == ("reason 1004", 10_000, 4096)


async def test_files_are_for_their_owner_alone(tmp_path: Path, journal: Journal) -> None:
    await journal.append(post(1))

    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("journal.*")}
    assert set(modes.values()) == {0o600}, modes


async def test_a_journal_that_somebody_else_writes_is_waited_for_and_the_loop_goes_on(
    tmp_path: Path, journal: Journal
) -> None:
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(journal.append(post(1)))
    await asyncio.sleep(0.05)  # the loop has its turns, or this lasts until the other's lock would have been given up
    assert not waiting.done()
    other.execute("ROLLBACK")

    assert await waiting == Receipt(1, repeat=False)
    other.close()


async def test_one_event_that_cannot_be_stored_takes_no_other_along(journal: Journal) -> None:
    broken = Arrival(post(2).envelope, post(2).body, None, None, "never")  # type: ignore[arg-type]

    receipts = await asyncio.gather(*map(journal.append, (post(1), broken, post(3))), return_exceptions=True)

    assert [isinstance(each, TypeError) for each in receipts] == [False, True, False]
    assert [event.seq for event in JournalReader(journal.folder).newest(10)] == [2, 1]


@pytest.mark.parametrize("size", [10, 100_000])
async def test_small_and_large_events_that_come_at_once_are_all_stored(journal: Journal, size: int) -> None:
    mixed = [
        post(n) if n % 2 else Arrival(post(n).envelope, b"x" * size + b"%d" % n, None, None, 0.0) for n in range(9)
    ]

    receipts = await asyncio.gather(*map(journal.append, mixed))

    assert [receipt.seq for receipt in receipts] == list(range(1, 10))


async def test_what_is_queued_when_it_is_closed_is_stored(tmp_path: Path, journal: Journal) -> None:
    waiting = [asyncio.create_task(journal.append(post(n))) for n in range(600)]
    await asyncio.sleep(0)
    await journal.close()

    assert [receipt.seq for receipt in await asyncio.gather(*waiting)] == list(range(1, 601))
    assert JournalReader(tmp_path).last() == 600
