"""One commit settles, starts and sends; what is read back is what was written."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.errors import GatewayError
from gateway.plugins.state import StateChange, StateKey
from gateway.work import Batch, Delivery, Message, Settled, WorkReader, WorkStore, highest_seq, storable
from gateway.work.outbox import Sent
from gateway.work.store import HAS_RUN


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[WorkStore]:
    store = WorkStore(tmp_path)
    yield store
    await store.close()


@pytest.fixture
async def reader(tmp_path: Path, store: WorkStore) -> AsyncIterator[WorkReader]:
    del store
    reader = WorkReader(tmp_path)
    yield reader
    reader.close()


def delivery(number: int, plugin: str = "p") -> Delivery:
    return Delivery(id=number, seq=number, plugin=plugin, lane="lane")


def message(number: int, seq: int = 1) -> Message:
    return Message(
        id=number, seq=seq, plugin="p", run=0, n=number, instance="shop-1", target="55", kind="text",
        payload={"text": "olá 👋"}, created=5.0,
    )  # fmt: skip


def settled(one: Delivery, *messages: Message, error: str | None = None) -> Settled:
    return Settled(
        delivery=one, status="dead" if error else "done", started=2.0, millis=3.5, handler="h", error=error,
        messages=messages,
    )  # fmt: skip


@pytest.mark.parametrize("name", Batch.__struct_fields__)
def test_a_power_cut_may_take_what_begins_and_nothing_else(name: str) -> None:
    batch = Batch()
    setattr(batch, name, {"key": "something"} if name in {"positions", "begun", "facts"} else ["something"])

    assert batch.may_be_lost is (name in {"taken", "positions", "started", "begun"})


@pytest.mark.parametrize("name", sorted({*Batch.__struct_fields__} - {"settled"}))
def test_quiet_is_what_says_how_things_go_well_and_nothing_that_somebody_waits_for(name: str) -> None:
    batch = Batch(settled=[settled(delivery(1))])
    setattr(batch, name, {"key": "something"} if name in {"positions", "begun", "facts"} else ["something"])

    assert batch.is_quiet is (name in {"taken", "positions", "started", "begun"})


def test_what_sends_remembers_failed_or_ran_alone_is_not_quiet() -> None:
    one = delivery(1)
    change = StateChange(StateKey("p", "shop-1", "chat:55"), 0, b"{}")

    assert settled(one).is_quiet
    assert not settled(one, message(1)).is_quiet
    assert not settled(one, error="no stock").is_quiet
    assert not msgspec.structs.replace(settled(one), alone=True).is_quiet
    assert not msgspec.structs.replace(settled(one), changes=(change,)).is_quiet


async def test_a_delivery_that_begins_and_ends_with_one_commit_is_written_once(
    store: WorkStore, reader: WorkReader
) -> None:
    statements: list[str] = []
    batch = Batch(taken=[delivery(1), delivery(2), delivery(3)], started=[(delivery(1), 1.0), (delivery(2), 1.0)])
    batch.begin()
    batch.settle(settled(delivery(1)))
    store._connection.set_trace_callback(statements.append)

    await store.write(batch)

    rows = [reader.deliveries([seq])[seq][0] for seq in (1, 2, 3)]
    assert [(row.status, row.handler, row.millis) for row in rows] == [
        ("done", "h", 3.5), ("running", None, None), ("waiting", None, None),
    ]  # fmt: skip
    assert not [each for each in statements if "UPDATE" in each]


async def test_a_delivery_that_waited_begins_and_ends_with_one_commit(store: WorkStore, reader: WorkReader) -> None:
    await store.write(Batch(taken=[delivery(1), delivery(2)]))
    batch = Batch(started=[(delivery(1), 1.0), (delivery(2), 1.0)])
    batch.begin()
    batch.settle(settled(delivery(1)))

    await store.write(batch)

    assert [reader.deliveries([seq])[seq][0].status for seq in (1, 2)] == ["done", "running"]


@pytest.mark.parametrize("again", [True, False])
async def test_a_new_delivery_that_failed_and_begins_again_with_the_same_commit_runs(
    store: WorkStore, reader: WorkReader, *, again: bool
) -> None:
    one = delivery(1)
    batch = Batch(taken=[one], started=[(one, 1.0)])
    batch.begin()
    one.failures = 1
    batch.settle(Settled(delivery=one, status="waiting", started=1.0, millis=2.0, error="no stock"))
    if again:
        batch.started = [(one, 2.0)]

    await store.write(batch)

    row = reader.deliveries([1])[1][0]
    assert (row.status, row.failures) == ("running" if again else "waiting", 1)


async def test_a_delivery_is_read_back_at_each_of_its_stations(store: WorkStore, reader: WorkReader) -> None:
    one = delivery(1)
    await store.write(Batch(taken=[one], positions={"p": ("generation", 1)}))
    waiting = reader.deliveries([1])[1][0]
    await store.write(Batch(started=[(one, 2.0)]))
    running = reader.deliveries([1])[1][0]
    await store.write(Batch(settled=[settled(one, message(1))]))
    done = reader.deliveries([1])[1][0]

    assert [row.status for row in (waiting, running, done)] == ["waiting", "running", "done"]
    assert (running.started, done.millis, done.handler) == (2.0, 3.5, "h")
    assert reader.outbox([1])[1][0].payload == {"text": "olá 👋"}


async def test_a_batch_that_fails_half_way_leaves_nothing_of_itself(store: WorkStore, reader: WorkReader) -> None:
    await store.write(Batch(taken=[delivery(1)]))
    doubled = Batch(taken=[delivery(2)], settled=[settled(delivery(1), message(1), message(1))])
    with pytest.raises(sqlite3.IntegrityError):
        await store._writer.submit(doubled)

    assert [row.status for row in reader.deliveries([1])[1]] == ["waiting"]
    assert reader.deliveries([2]) == {}
    assert reader.outbox([1]) == {}


async def test_an_earlier_failures_words_stay_until_the_next_ones(store: WorkStore, reader: WorkReader) -> None:
    await store.write(Batch(taken=[delivery(1)], settled=[settled(delivery(1), error="first")]))
    await store.write(Batch(settled=[settled(delivery(1))]))

    assert reader.deliveries([1])[1][0].error == "first"


async def test_dead_letters_are_listed_newest_first_and_in_pages(store: WorkStore, reader: WorkReader) -> None:
    ones = [delivery(n) for n in range(1, 6)]
    await store.write(Batch(taken=ones, settled=[settled(one, error="no") for one in ones]))

    assert [row.id for row in reader.dead(2)] == [5, 4]
    assert [row.id for row in reader.dead(2, before=4)] == [3, 2]
    assert reader.open_counts() == (0, 5)


async def test_what_is_left_is_told_apart_by_how_far_it_had_come(store: WorkStore) -> None:
    ones = [delivery(n) for n in range(1, 4)]
    await store.write(Batch(taken=ones, started=[(ones[0], 1.0)], settled=[settled(ones[2], message(1), message(2))]))
    await store.write(Batch(outbox=[Sent(id=1, status="sent", attempts=1, message_id="id")]))

    waiting, cut_off = store.unfinished()
    assert ([one.id for one in waiting], [one.id for one in cut_off]) == ([2], [1])
    assert [one.id for one in store.open_messages()] == [2]
    assert store.last_ids() == (3, 2)


async def test_a_store_knows_whether_a_worker_ever_ran_on_it(store: WorkStore) -> None:
    before = store.has_run()
    await store.write(Batch(facts={HAS_RUN: True}))

    assert (before, store.has_run()) == (False, True)


async def test_the_highest_number_is_that_of_deliveries_and_positions(tmp_path: Path, store: WorkStore) -> None:
    empty = highest_seq(tmp_path)
    await store.write(Batch(taken=[delivery(7)], positions={"p": ("g", 9)}))

    assert (empty, highest_seq(tmp_path), highest_seq(tmp_path / "nowhere")) == (0, 9, 0)


async def test_a_store_of_a_newer_gateway_is_left_alone(tmp_path: Path, store: WorkStore) -> None:
    store._connection.execute("PRAGMA user_version = 99")

    with pytest.raises(GatewayError, match="schema 99"):
        WorkStore(tmp_path)


async def test_a_reader_cannot_write(reader: WorkReader) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM delivery")


async def test_what_is_queued_when_the_store_closes_is_written(tmp_path: Path) -> None:
    store = WorkStore(tmp_path)
    writing = [asyncio.ensure_future(store.write(Batch(taken=[delivery(n)]))) for n in range(1, 50)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writing)

    assert highest_seq(tmp_path) == 49


async def test_a_job_for_a_store_that_is_closed_fails_at_once(store: WorkStore) -> None:
    await store.close()

    with pytest.raises(sqlite3.ProgrammingError):
        await asyncio.wait_for(store._writer.submit(Batch(taken=[delivery(1)])), 5)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        ("olá 👋 \U0001f600", "olá 👋 \U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("cut \ud83d", "cut \ufffd"),
        ("\ude00 cut", "\ufffd cut"),
        ("\ufeffmark", "\ufeffmark"),
    ],
)
def test_text_is_kept_but_for_halves_of_characters(text: str, kept: str) -> None:
    assert storable(text) == kept


async def test_a_delivery_taken_up_and_started_at_once_runs_from_the_first(
    store: WorkStore, reader: WorkReader
) -> None:
    starts, waits = delivery(1), delivery(2)

    await store.write(Batch(taken=[starts, waits], started=[(starts, 2.0)]))

    rows = [reader.deliveries([seq])[seq][0] for seq in (1, 2)]
    assert [(row.status, row.started) for row in rows] == [("running", 2.0), ("waiting", None)]


async def test_a_batch_of_any_size_is_written_whole(store: WorkStore, reader: WorkReader) -> None:
    many = [delivery(number) for number in range(1, 152)]

    await store.write(Batch(taken=many))
    await store.write(Batch(started=[(each, float(each.id)) for each in many]))
    await store.write(Batch(settled=[settled(each) for each in many[:149]]))

    rows = [row for rows in reader.deliveries([each.seq for each in many]).values() for row in rows]
    assert [row.status for row in rows] == ["done"] * 149 + ["running"] * 2
    assert [row.started for row in rows[149:]] == [150.0, 151.0]
