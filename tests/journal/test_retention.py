"""What is old or too much goes; what a loaded plugin still waits for never does."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from gateway.config import Retention as Settings
from gateway.envelope import read_envelope
from gateway.errors import JournalUnavailable
from gateway.journal import Arrival, Journal, JournalReader, Receipt, Refusal, keys, seen
from gateway.journal import retention as module
from gateway.journal.retention import DAY, Retention
from gateway.journal.rows import Bite
from gateway.work import Batch, Delivery, Settled, WorkStore
from gateway.work.batch import Status
from gateway.work.reader import Waits, WorkReader
from gateway.work.store import HAS_RUN
from tests.journal.conftest import NOW, Clock

OLD = 7 * DAY + 1
KIB = 1024


class Store:
    """Both files, and a retention whose rests take no time."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.journal = Journal(folder, clock=self.clock)
        self.work = WorkStore(folder)
        self.rests: list[float] = []
        self._ids = 0

    async def post(self, count: int, size: int = 10) -> list[int]:
        receipts = await asyncio.gather(*(self.journal.append(arrival(size)) for _ in range(count)))
        return [receipt.seq for receipt in receipts]

    async def loaded(self, **positions: int) -> None:
        """The worker has loaded these plugins, and has taken up events as far as this."""
        facts = {"plugins": [{"name": name} for name in positions], HAS_RUN: True}
        await self.work.write(Batch(facts=facts, positions={name: ("g", seq) for name, seq in positions.items()}))

    async def waiting(self, plugin: str, *seqs: int) -> list[Delivery]:
        made = []
        for seq in seqs:
            self._ids += 1
            made.append(Delivery(id=self._ids, seq=seq, plugin=plugin, lane="l"))
        await self.work.write(Batch(taken=made))
        return made

    async def settle(self, deliveries: Sequence[Delivery], status: Status = "done") -> None:
        settled = [Settled(delivery=each, status=status, started=NOW, millis=1.0) for each in deliveries]
        await self.work.write(Batch(settled=settled))

    def retention(self, *, days: float = 7.0, size: int = 2**40) -> Retention:
        return Retention(self.journal, Settings(days=days, size=size), clock=self.clock, sleep=self._rest)

    async def sweep(self, *, days: float = 7.0, size: int = 2**40) -> list[int]:
        """One round; gives the events that are left."""
        await self.retention(days=days, size=size).sweep.once()
        return self.left()

    def left(self) -> list[int]:
        return [age.seq for age in JournalReader(self.journal.folder).ages(0, 10**6)]

    async def close(self) -> None:
        await self.journal.close()
        await self.work.close()

    async def _rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        await asyncio.sleep(0)


_numbers = iter(range(10**9))


def arrival(size: int = 10) -> Arrival:
    document = {"event": "call", "instance": "shop-1", "date_time": "2026-01-01", "data": {"n": next(_numbers)}}
    content = orjson.dumps({**document, "pad": "x" * size})
    return Arrival(read_envelope(content, None), content, "call", "127.0.0.1", time.perf_counter())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path)
    yield store
    await store.close()


# By age.


async def test_events_older_than_days_go_and_younger_ones_stay(store: Store) -> None:
    await store.loaded(shop=10)
    await store.post(4)
    store.clock.now += OLD
    young = await store.post(3)

    assert await store.sweep() == young


async def test_an_event_above_the_position_of_a_loaded_plugin_stays_however_old(store: Store) -> None:
    await store.loaded(shop=10, slow=3)
    await store.post(6)
    store.clock.now += 10 * OLD

    assert await store.sweep() == [4, 5, 6]


async def test_an_event_with_an_unfinished_delivery_of_a_loaded_plugin_stays_and_its_neighbours_go(
    store: Store,
) -> None:
    await store.loaded(shop=10)
    await store.post(6)
    await store.waiting("shop", 2, 4)
    store.clock.now += OLD

    assert await store.sweep() == [2, 4, 6]


@pytest.mark.parametrize("status", ["done", "skipped", "dropped", "dead"])
async def test_what_waited_goes_once_it_is_settled(store: Store, status: Status) -> None:
    await store.loaded(shop=10)
    await store.post(6)
    waiting = await store.waiting("shop", 2, 4)
    store.clock.now += OLD
    await store.sweep()
    await store.settle(waiting, status)

    assert await store.sweep() == [6]


async def test_a_loaded_plugin_without_a_position_yet_is_waited_for(store: Store) -> None:
    await store.post(3)
    await store.work.write(Batch(facts={"plugins": [{"name": "new"}], HAS_RUN: True}))
    store.clock.now += OLD

    assert await store.sweep(size=1) == [1, 2, 3]


async def test_a_plugin_gone_or_disabled_is_waited_for_no_longer_than_days(store: Store) -> None:
    await store.loaded(gone=2, shop=10)
    await store.post(6)
    await store.waiting("gone", 1, 2)
    await store.loaded(shop=10)

    assert await store.sweep() == [1, 2, 3, 4, 5, 6]
    store.clock.now += OLD
    assert await store.sweep() == [6]


async def test_before_any_worker_ran_events_wait_for_it_as_long_as_for_a_plugin_that_is_gone(tmp_path: Path) -> None:
    clock = Clock()
    journal = Journal(tmp_path, clock=clock)
    for _ in range(3):
        await journal.append(arrival())

    await Retention(journal, Settings(days=7, size=1), clock=clock).sweep.once()
    kept = JournalReader(tmp_path).ages(0, 10)
    clock.now += OLD
    await Retention(journal, Settings(days=7, size=1), clock=clock).sweep.once()

    assert (len(kept), [age.seq for age in JournalReader(tmp_path).ages(0, 10)]) == (3, [3])
    await journal.close()


async def test_the_newest_event_stays_and_numbering_goes_on_after_a_restart(store: Store, tmp_path: Path) -> None:
    await store.loaded(shop=10)
    await store.post(5)
    store.clock.now += 100 * DAY

    assert await store.sweep() == [5]
    await store.journal.close()
    (tmp_path / "journal.mark").unlink()
    again = Journal(tmp_path)
    assert (await again.append(arrival())).seq == 6
    await again.close()


async def test_a_clock_that_stood_ahead_for_a_while_does_not_keep_later_events(store: Store) -> None:
    await store.loaded(shop=100)
    await store.post(3)
    store.clock.now += 3650 * DAY
    ahead = await store.post(2)
    store.clock.now = NOW
    await store.post(3)
    store.clock.now += OLD

    assert await store.sweep() == [*ahead, 8]


async def test_a_clock_set_back_removes_nothing(store: Store) -> None:
    await store.loaded(shop=100)
    await store.post(3)
    store.clock.now -= 3650 * DAY

    assert await store.sweep() == [1, 2, 3]


async def test_keys_outlive_bodies_by_a_day(store: Store) -> None:
    await store.loaded(shop=10)
    first = arrival()
    await store.journal.append(first)
    await store.post(1)
    store.clock.now += OLD
    assert await store.sweep() == [2]

    assert (await store.journal.append(first)).repeat
    store.clock.now += DAY
    await store.sweep()
    assert not (await store.journal.append(first)).repeat


async def test_of_sorted_keys_the_old_ones_go_from_each_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "HELD", 40)
    monkeypatch.setattr(keys, "FULL", 60)
    await store.loaded(shop=1000)
    old = [arrival() for _ in range(100)]
    young = [arrival() for _ in range(140)]
    for each in old:
        await store.journal.append(each)
    store.clock.now += DAY
    for each in young:
        await store.journal.append(each)
    ages = sorted_ages(store)
    assert {run: len(found) for run, found in ages.items()} == {1: 1, 2: 2, 3: 1}, "control: a run of both"

    store.clock.now += OLD
    await store.sweep()
    assert sorted_ages(store) == {2: {NOW + DAY}, 3: {NOW + DAY}}
    assert all([(await store.journal.append(each)).repeat for each in young])
    assert not any([(await store.journal.append(each)).repeat for each in old])


def sorted_ages(store: Store) -> dict[int, set[float]]:
    """When the keys of each run were accepted."""
    found: dict[int, set[float]] = {}
    with closing(sqlite3.connect(store.journal.folder / "journal.db")) as connection:
        for run, at in connection.execute("SELECT run, at FROM sorted"):
            found.setdefault(run, set()).add(at)
    return found


async def test_refused_posts_go_when_they_are_as_old(store: Store) -> None:
    await store.journal.refuse(Refusal("127.0.0.1", "/webhook", "not JSON", b"{"))
    store.clock.now += OLD
    await store.journal.refuse(Refusal("127.0.0.1", "/webhook", "not JSON", b"["))
    await store.sweep()

    with sqlite3.connect(store.journal.folder / "journal.db") as connection:
        assert connection.execute("SELECT body FROM refused").fetchall() == [(b"[",)]
    connection.close()


# By size.


async def test_size_removes_the_oldest_settled_events_and_no_more_than_needed(store: Store) -> None:
    await store.loaded(shop=1000)
    await store.post(100, size=16 * KIB)
    limit = JournalReader(store.journal.folder).used() // 2

    left = await store.sweep(size=limit)

    assert left == list(range(left[0], 101))
    assert limit - 64 * KIB < JournalReader(store.journal.folder).used() <= limit


async def test_size_removes_nothing_that_waits_and_says_so_once_until_it_changes(store: Store) -> None:
    await store.loaded(shop=1000, slow=40)
    await store.post(100, size=16 * KIB)
    retention = store.retention(size=100 * KIB)

    with capture_logs() as logs:
        await retention.sweep.once()
        await retention.sweep.once()

    assert store.left() == list(range(41, 101))
    assert [(log["event"], log["behind"]) for log in logs] == [("retention_size_exceeded", "slow")]
    assert "slow" in retention.problems()[0]
    await store.loaded(shop=1000, slow=1000)
    await retention.sweep.once()
    assert retention.problems() == []


async def test_size_keeps_unfinished_deliveries_of_any_plugin(store: Store) -> None:
    await store.loaded(shop=1000, gone=1000)
    await store.post(50, size=16 * KIB)
    await store.waiting("gone", 7)
    await store.waiting("shop", 9)
    await store.loaded(shop=1000)

    assert await store.sweep(size=1) == [7, 9, 50]


async def test_size_waits_for_a_plugin_that_is_gone_until_its_days_are_over(store: Store) -> None:
    await store.loaded(shop=1000, gone=2)
    await store.post(6, size=16 * KIB)
    await store.loaded(shop=1000)

    assert await store.sweep(size=1) == [3, 4, 5, 6]
    store.clock.now += OLD
    await store.post(3, size=16 * KIB)
    await store.sweep()
    assert await store.sweep(size=1) == [9]


# In bites.


async def test_a_bite_is_bounded_in_rows_and_in_bytes(store: Store) -> None:
    await store.loaded(shop=10_000)
    await store.post(600)
    await store.post(20, size=1024 * KIB)
    store.clock.now += OLD
    await store.post(1)
    sizes = {age.seq: age.size for age in JournalReader(store.journal.folder).ages(0, 1000)}

    bites = [bite for bite in await taken(store) if bite.events]

    assert max(len(bite.events) for bite in bites) <= module.ROWS
    assert max(sum(sizes[seq] for seq in bite.events) for bite in bites) <= module.BYTES
    assert store.left() == [621]
    assert len(store.rests) >= len(bites)


async def taken(store: Store) -> list[Bite]:
    retention = store.retention()
    found = []
    for bite in retention.bites():
        found.append(bite)
        await store.journal.remove(bite)
        store.rests.append(0.0)
    return found


async def test_a_post_is_stored_between_two_bites(store: Store) -> None:
    await store.loaded(shop=10_000)
    await store.post(2000)
    store.clock.now += OLD
    sweeping = asyncio.ensure_future(store.retention().sweep.once())
    between = 0
    while not sweeping.done():
        await store.post(1)
        between += 1

    await sweeping
    assert between > 5


async def test_the_file_gives_its_room_back(store: Store) -> None:
    await store.loaded(shop=10_000)
    await store.post(300, size=64 * KIB)
    file = store.journal.folder / "journal.db"
    checkpoint(store)
    before = file.stat().st_size
    store.clock.now += OLD

    await store.sweep()
    checkpoint(store)

    assert before > 18 * 2**20
    assert file.stat().st_size < 6 * 2**20
    assert len(store.rests) < 100  # some 4,000 pages, in bites


def checkpoint(store: Store) -> None:
    with closing(sqlite3.connect(store.journal.folder / "journal.db")) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "nobody was in the way"


async def test_a_full_file_refuses_events_while_retention_makes_room_for_more(store: Store) -> None:
    await store.loaded(shop=10_000)
    await store.post(100, size=16 * KIB)
    pages = store.journal._writer._connection.execute("PRAGMA page_count").fetchone()[0]
    store.journal._writer._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalUnavailable):
        await store.post(20, size=64 * KIB)

    refused = [asyncio.ensure_future(store.journal.append(arrival(64 * KIB))) for _ in range(20)]
    store.clock.now += OLD
    await store.sweep()
    await asyncio.gather(*refused, return_exceptions=True)

    assert (await store.post(5, size=64 * KIB))[-1] > 100


async def test_control_a_bite_that_shared_its_transaction_would_fail_with_the_full_file(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.post(100, size=16 * KIB)
    connection = store.journal._writer._connection
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    submit = store.journal._writer.submit

    def together(job: Arrival | Refusal | Bite, **_: bool) -> asyncio.Future[Receipt | int | None]:
        return submit(job)

    monkeypatch.setattr(store.journal._writer, "submit", together)

    posts = [store.journal.append(arrival(64 * KIB)) for _ in range(20)]
    *_, bite = await asyncio.gather(*posts, store.journal.remove(Bite(events=[1])), return_exceptions=True)

    assert isinstance(bite, JournalUnavailable)


async def test_a_round_that_fails_is_tried_again_and_said_once(store: Store) -> None:
    await store.loaded(shop=10)
    await store.post(3)
    store.clock.now += OLD
    file = store.journal.folder / "journal.db"
    file.rename(file.with_suffix(".away"))
    rounds = rounds_of(store.retention(), 3)

    with capture_logs() as logs:
        await rounds

    assert [log["event"] for log in logs] == ["retention_failed"]
    file.with_suffix(".away").rename(file)
    assert store.left() == [1, 2, 3]
    await rounds_of(store.retention(), 1)
    assert store.left() == [3]


def after_calls(count: int, event: asyncio.Event) -> Callable[[float], Awaitable[None]]:
    """A sleep that ends at once, and sets `event` the `count`-th time."""
    calls = itertools.count(1)

    async def sleep(_: float) -> None:
        if next(calls) >= count:
            event.set()
            await asyncio.Event().wait()

    return sleep


async def rounds_of(retention: Retention, count: int) -> None:
    """Enter it for some rounds; the minute between two takes no time."""
    done = asyncio.Event()
    rounds = 0

    async def sleep(seconds: float) -> None:
        nonlocal rounds
        rounds += seconds == 60
        if rounds >= count:
            done.set()
            await asyncio.Event().wait()

    retention.sweep._sleep = sleep
    async with retention.sweep:
        await done.wait()


async def test_leaving_in_the_middle_of_a_round_leaves_a_whole_journal(store: Store) -> None:
    await store.loaded(shop=10_000)
    await store.post(2000)
    store.clock.now += OLD

    retention = store.retention()
    bitten = asyncio.Event()
    retention.sweep._sleep = after_calls(5, bitten)

    async with retention.sweep:
        await bitten.wait()
    left = store.left()

    assert 0 < len(left) < 2000
    assert left == list(range(left[0], 2001))
    assert all(event.intact for event in JournalReader(store.journal.folder).events(left[:50]).values())


@pytest.mark.parametrize("blind", ["waits", "unfinished"])
async def test_control_without_either_question_to_the_worker_what_waits_would_go(
    store: Store, monkeypatch: pytest.MonkeyPatch, blind: str
) -> None:
    answers: dict[str, Callable[..., object]] = {"waits": lambda _: Waits(has_run=True), "unfinished": nothing}
    await store.loaded(shop=3)
    await store.post(6)
    await store.waiting("shop", 2)
    store.clock.now += OLD
    assert set(await store.sweep()) == {2, 4, 5, 6}

    monkeypatch.setattr(WorkReader, blind, answers[blind])

    assert set(await store.sweep()) < {2, 4, 5, 6}


def nothing(*_: object) -> set[int]:
    return set()
