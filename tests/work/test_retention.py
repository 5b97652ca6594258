"""What `work.db` tells of an event goes with the event, unless it is still at work."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import orjson
import pytest

from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal
from gateway.journal.rows import Bite
from gateway.work import Batch, Delivery, Message, Settled, WorkReader, WorkStore, highest_seq
from gateway.work.batch import Status
from gateway.work.outbox import Sent
from gateway.work.retention import ROWS, bites, work_retention

NOW = 1_800_000_000.0


class Store:
    """Both files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder)
        self.work = WorkStore(folder)
        self._delivery, self._message = self.work.last_ids()

    async def post(self, count: int) -> None:
        await asyncio.gather(*(self.journal.append(arrival(n)) for n in range(count)))

    async def deliver(self, *seqs: int, plugin: str = "shop", run: int = 0) -> list[Delivery]:
        first, self._delivery = self._delivery + 1, self._delivery + len(seqs)
        made = [
            Delivery(id=first + at, seq=seq, plugin=plugin, lane="l", run=run) for at, seq in enumerate(seqs)
        ]  # fmt: skip
        await self.work.write(Batch(taken=made, positions={plugin: ("g", max(seqs))}))
        return made

    async def settle(self, deliveries: Sequence[Delivery], status: Status = "done", *, says: bool = False) -> None:
        await self.work.write(
            Batch(
                settled=[
                    Settled(
                        delivery=each,
                        status=status,
                        started=NOW,
                        millis=1.0,
                        messages=(self._said(each),) if says else (),
                    )
                    for each in deliveries
                ]
            )
        )

    def _said(self, delivery: Delivery) -> Message:
        self._message += 1
        return Message(
            id=self._message,
            seq=delivery.seq,
            plugin=delivery.plugin,
            run=delivery.run,
            n=1,
            instance="shop-1",
            target="5511999990002",
            kind="text",
            payload={"text": "hi"},
            created=NOW,
        )

    async def sweep(self) -> None:
        await work_retention(self.folder, self.work, sleep=no_rest).once()

    def rows(self, table: str) -> list[tuple[int, str]]:
        with sqlite3.connect(self.folder / "work.db") as connection:
            found = connection.execute(f"SELECT seq, status FROM {table} ORDER BY seq, id").fetchall()  # noqa: S608
        connection.close()
        return found

    async def close(self) -> None:
        await self.journal.close()
        await self.work.close()


async def no_rest(_: float) -> None:
    await asyncio.sleep(0)


def arrival(n: int) -> Arrival:
    body = orjson.dumps({"event": "call", "instance": "shop-1", "date_time": "2026-01-01", "data": {"n": n}})
    return Arrival(read_envelope(body, None), body, "call", "127.0.0.1", time.perf_counter())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path)
    yield store
    await store.close()


@pytest.mark.parametrize("status", ["done", "skipped", "dropped", "dead"])
async def test_settled_deliveries_go_with_their_event(store: Store, status: Status) -> None:
    await store.post(4)
    await store.settle(await store.deliver(1, 2, 3, 4), status)
    await store.journal.remove(Bite(events=[1, 3]))

    await store.sweep()

    assert store.rows("delivery") == [(2, status), (4, status)]


async def test_what_an_event_that_is_there_left_behind_stays(store: Store) -> None:
    await store.post(3)
    await store.settle(await store.deliver(1, 2, 3), "dead", says=True)

    await store.sweep()

    assert (len(store.rows("delivery")), len(store.rows("outbox"))) == (3, 3)


async def test_an_unfinished_delivery_stays_and_so_does_all_else_of_its_event(store: Store) -> None:
    await store.post(4)
    await store.settle(await store.deliver(1, 2, 4, plugin="log"))
    await store.deliver(1, plugin="shop")
    await store.journal.remove(Bite(events=[1, 2, 3]))

    await store.sweep()

    assert store.rows("delivery") == [(1, "done"), (1, "waiting"), (4, "done")]


async def test_messages_go_with_their_event_once_they_have_left(store: Store) -> None:
    await store.post(4)
    await store.settle(await store.deliver(1, 2, 4), says=True)
    await store.journal.remove(Bite(events=[1, 2]))
    await store.work.write(Batch(outbox=[Sent(id=1, status="sent", attempts=1)]))

    await store.sweep()
    first = store.rows("outbox")
    await store.work.write(Batch(outbox=[Sent(id=2, status="dead", attempts=3)]))
    await store.sweep()

    assert first == [(2, "queued"), (4, "queued")]
    assert (store.rows("outbox"), store.rows("delivery")) == ([(4, "queued")], [(4, "done")])


async def test_ids_are_never_given_twice_even_when_all_events_are_gone(store: Store) -> None:
    await store.post(4)
    await store.settle(await store.deliver(1, 2, 3), says=True)
    await store.work.write(Batch(outbox=[Sent(id=each, status="sent", attempts=1) for each in (1, 2, 3)]))
    await store.journal.remove(Bite(events=[1, 2, 3]))

    await store.sweep()

    assert (store.rows("delivery"), store.rows("outbox")) == ([(3, "done")], [(3, "sent")])
    assert store.work.last_ids() == (3, 3)
    assert highest_seq(store.folder) == 3


async def test_a_journal_that_has_just_begun_takes_nothing_along(store: Store) -> None:
    await store.settle(await store.deliver(1, 2, 3), "dead")

    await store.sweep()

    assert len(store.rows("delivery")) == 3


async def test_a_bite_is_bounded_and_a_round_gets_through_what_waits(store: Store) -> None:
    await store.post(2000)
    gone = range(1, 1900)
    await store.deliver(*range(1, 600), plugin="slow")
    await store.settle(await store.deliver(*range(1, 2001)))
    for start in range(0, len(gone), 200):
        await store.journal.remove(Bite(events=gone[start : start + 200]))

    asked = [list(bite.gone) for bite in bites(store.folder)]
    await store.sweep()

    assert max(map(len, asked)) <= ROWS
    assert [row for row in store.rows("delivery") if row[1] == "done"] == [
        (seq, "done") for seq in (*range(1, 600), *range(1900, 2001))
    ]


async def test_the_file_gives_its_room_back(store: Store) -> None:
    await store.post(4001)
    made = await store.deliver(*range(1, 4001))
    await store.work.write(
        Batch(
            settled=[Settled(delivery=each, status="dead", started=NOW, millis=1.0, error="x" * 4000) for each in made]
        )
    )
    for start in range(1, 4001, 200):
        await store.journal.remove(Bite(events=range(start, start + 200)))
    checkpoint(store)
    before = (store.folder / "work.db").stat().st_size

    await store.sweep()
    checkpoint(store)

    assert before > 15 * 2**20
    assert (store.folder / "work.db").stat().st_size < 6 * 2**20


def checkpoint(store: Store) -> None:
    store.work._writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


async def test_control_without_asking_what_is_unfinished_half_of_an_event_would_go(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.post(4)
    await store.settle(await store.deliver(1, 4, plugin="log"))
    await store.deliver(1, plugin="shop")
    await store.journal.remove(Bite(events=[1]))
    monkeypatch.setattr(WorkReader, "unfinished", lambda *_: set())

    await store.sweep()

    assert store.rows("delivery") == [(1, "waiting"), (4, "done")]
