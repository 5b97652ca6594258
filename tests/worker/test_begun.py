"""A worker that dies before a commit says what has begun leaves it to the next one all the same."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway import Context, MessagesUpsert, Plugin
from gateway.journal import StoredEvent
from gateway.work import Batch, Delivery, Settled, WorkStore
from gateway.work.begun import Begun
from gateway.work.store import HAS_RUN
from gateway.worker import hearing
from gateway.worker.engine import Engine
from gateway.worker.intake import Intake
from tests.support.waiting import until
from tests.worker.conftest import BIA, Bench, Gate, body, message, waiting


@pytest.fixture(autouse=True)
def _no_commit_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an attempt runs, no moment passes after which a commit would say so."""
    monkeypatch.setattr(hearing, "PATIENCE", 600)


def looking(bench: Bench, name: str = "busy") -> Plugin[Any, Any]:
    """A plugin that notes each message's text and attempt, and whether it ran alone."""
    plugin = Plugin(name)

    @plugin.message()
    async def look(event: MessagesUpsert, ctx: Context) -> None:
        rows = bench.rows("SELECT seq, alone FROM delivery WHERE status = 'running'")
        bench.note((event.message.text, ctx.delivery.attempt, (int(ctx.delivery.id.split(".")[0]), 1) in rows))

    return plugin


async def begin(bench: Bench, one: Engine, *bodies: bytes, count: int = 1) -> None:
    """Post events to an engine at rest, and return once so many handlers have noted something."""
    await bench.until(lambda: bench.rows("SELECT * FROM position"))
    await bench.post(*bodies)
    one.wake()
    await bench.until(lambda: len(bench.seen) == count)


async def die_at(bench: Bench, gate: Gate, *bodies: bytes, begun: int) -> None:
    """Let a worker die while so many of some events' handlers run."""
    async with bench.worker(waiting(bench, gate), dies=True) as one:
        await begin(bench, one, *bodies, count=begun)
        assert bench.rows("SELECT * FROM delivery") == []
    bench.seen.clear()


async def let_the_next_handle(bench: Bench, seq: int) -> None:
    async with bench.worker(looking(bench)) as one:
        await one.until_settled(seq)


@pytest.mark.parametrize("is_noted", [True, False])
async def test_what_had_begun_runs_first_and_alone(bench: Bench, gate: Gate, *, is_noted: bool) -> None:
    await die_at(bench, gate, message("a1"), message("a2"), message("b1", BIA), begun=2)
    if not is_noted:  # the control: without the notes nobody is suspected
        (bench.folder / "work.begun").unlink()

    await let_the_next_handle(bench, 3)

    assert sorted(bench.seen) == [("a1", 1, is_noted), ("a2", 1, False), ("b1", 1, is_noted)]
    if is_noted:
        assert [text for text, _, _ in bench.seen] == ["a1", "b1", "a2"]
    assert bench.rows("SELECT seq, status FROM delivery ORDER BY seq") == [(1, "done"), (2, "done"), (3, "done")]


async def test_what_a_commit_had_taken_up_and_then_began_runs_alone(bench: Bench) -> None:
    await bench.post(message("a1"), message("b1", BIA))
    taken = [Delivery(id=1, seq=1, plugin="busy", lane="a"), Delivery(id=2, seq=2, plugin="busy", lane="b")]
    store = WorkStore(bench.folder)
    await store.write(Batch(taken=taken, positions={"busy": ("generation", 2)}, facts={HAS_RUN: True}))
    await store.close()
    Begun(bench.folder).note(taken[1:])

    await let_the_next_handle(bench, 2)

    assert bench.seen == [("b1", 1, True), ("a1", 1, False)]


async def test_what_had_ended_well_and_was_not_written_runs_again(bench: Bench) -> None:
    async with bench.worker(looking(bench), dies=True) as one:
        await begin(bench, one, message("a1"))

    await let_the_next_handle(bench, 1)

    assert bench.seen == [("a1", 1, False), ("a1", 1, True)]


async def test_notes_of_what_is_written_or_of_nobody_here_change_nothing(bench: Bench) -> None:
    await bench.post(message("a1"))
    await let_the_next_handle(bench, 1)
    bench.seen.clear()
    stale = [Delivery(id=n, seq=seq, plugin=name, lane="a") for n, seq, name in [(1, 1, "busy"), (7, 1, "busy")]]
    Begun(bench.folder).note([*stale, Delivery(id=8, seq=2, plugin="gone", lane="a")])

    await bench.post(message("a2"))
    await let_the_next_handle(bench, 2)

    assert bench.seen == [("a2", 1, False)]
    assert bench.rows("SELECT seq, status FROM delivery ORDER BY seq") == [(1, "done"), (2, "done")]


async def test_notes_of_events_that_the_journal_no_longer_holds_keep_nobody_up(bench: Bench) -> None:
    async with bench.worker(looking(bench)):
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
    Begun(bench.folder).note([Delivery(id=1, seq=5, plugin="busy", lane="a")])
    await bench.post(message("a1"))

    await let_the_next_handle(bench, 1)

    assert bench.seen == [("a1", 1, False)]


async def test_what_the_plugin_does_not_want_is_passed_over_on_the_way_to_what_had_begun(
    bench: Bench, gate: Gate
) -> None:
    await die_at(bench, gate, body("call", {"id": "c"}), message("a1"), begun=1)

    await let_the_next_handle(bench, 2)

    assert bench.seen == [("a1", 1, True)]
    assert bench.rows("SELECT seq FROM delivery") == [(2,)]
    assert bench.rows("SELECT seq FROM position") == [(2,)]


async def test_what_dies_with_the_worker_three_times_is_a_dead_letter(bench: Bench, gate: Gate) -> None:
    await die_at(bench, gate, message("poison"), message("other", BIA), begun=2)
    while not bench.outcomes():
        async with bench.worker(waiting(bench, gate), dies=True):
            await bench.until(lambda: bench.outcomes() or "begun" in bench.seen)
            bench.seen.clear()

    assert bench.outcomes() == [(1, "dead")]
    assert bench.rows("SELECT deaths FROM delivery ORDER BY seq") == [(3,), (0,)]


async def test_who_ran_alone_is_written_before_another_begins_whose_death_would_be_charged_to_it(
    bench: Bench, gate: Gate
) -> None:
    await die_at(bench, gate, message("innocent"), message("poison", BIA), begun=2)
    plugin = Plugin("busy")

    @plugin.message()
    async def die(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        bench.note(event.message.text)
        if event.message.text == "poison":
            await gate.passed()

    async with bench.worker(plugin, dies=True):
        await bench.until(lambda: "poison" in bench.seen)

    assert bench.rows("SELECT status FROM delivery ORDER BY seq") == [("done",), ("running",)]


async def test_a_worker_that_stops_leaves_no_notes(bench: Bench, gate: Gate) -> None:
    async with bench.worker(waiting(bench, gate)) as one:
        await begin(bench, one, message("a1"))
        noted = len(Begun.read(bench.folder))

    assert noted == 1
    assert Begun.read(bench.folder) == []
    assert not one._begun.note([Delivery(id=9, seq=9, plugin="busy", lane="a")]), "the file is closed"
    assert bench.rows("SELECT status, deaths FROM delivery") == [("waiting", 0)]


async def test_a_commit_that_says_it_all_empties_the_line(bench: Bench, gate: Gate) -> None:
    async with bench.worker(waiting(bench, gate)) as one:
        await begin(bench, one, message("a1"))
        noted = len(Begun.read(bench.folder))
        gate.open()
        await one.until_settled(1)

        assert (noted, Begun.read(bench.folder)) == (1, [])


async def test_a_note_of_an_attempt_before_this_one_suspects_nobody(bench: Bench) -> None:
    await bench.post(message("a1"))
    again = Delivery(id=1, seq=1, plugin="busy", lane="a")
    store = WorkStore(bench.folder)
    await store.write(Batch(taken=[again], positions={"busy": ("generation", 1)}, facts={HAS_RUN: True}))
    again.failures = 1
    await store.write(Batch(settled=[Settled(delivery=again, status="waiting", started=1.0, millis=1.0, error="no")]))
    await store.close()
    Begun(bench.folder).note([Delivery(id=1, seq=1, plugin="busy", lane="a")])

    await let_the_next_handle(bench, 1)

    assert bench.seen == [("a1", 2, False)]


async def test_what_had_begun_in_a_plugin_that_is_gone_waits_until_it_is_back(bench: Bench, gate: Gate) -> None:
    await die_at(bench, gate, message("a1"), begun=1)
    async with bench.worker(looking(bench, "another")) as one:
        await one.until_settled(1)

    await let_the_next_handle(bench, 1)

    assert bench.seen == [("a1", 1, False)]


async def test_a_commit_that_waits_for_room_comes_before_what_a_stop_writes(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 0.01)
    plugin = Plugin("busy")

    @plugin.message()
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        bench.note(event.message.text)
        await gate.passed()
        ctx.reply("hello")

    async with bench.worker(plugin, apikey="key", dies=True) as one:
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        connection = one._writing._store._connection
        connection.execute("PRAGMA query_only = 1")  # nothing can be written, as on a full disk
        await bench.post(message("a1"))
        one.wake()
        await until(lambda: one._writing._last and not one._writing._last.done(), "a commit waits")
        await bench.until(lambda: bench.seen)
        await one.drain(0)
        bench.running.cancel()
        gate.open()
        await until(lambda: one._running["busy"].host.results, "the handler has ended")
        connection.execute("PRAGMA query_only = 0")
        await one.stop(10)

    assert bench.seen == ["a1"]
    assert bench.rows("SELECT seq, status FROM delivery") == [(1, "done")]
    assert bench.rows("SELECT seq FROM position") == [(1,)]
    assert bench.rows("SELECT count(*) FROM outbox") == [(1,)]


async def test_what_could_not_begin_before_a_stop_waits_as_if_it_had_not_been_meant_to(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.post(message("a1"))
    store = WorkStore(bench.folder)
    taken = [Delivery(id=1, seq=1, plugin="busy", lane="a")]
    await store.write(Batch(taken=taken, positions={"busy": ("generation", 1)}, facts={HAS_RUN: True}))
    await store.close()
    asked = asyncio.Event()

    async def never(_intake: Intake, _deliveries: Sequence[Delivery]) -> dict[int, StoredEvent]:
        asked.set()
        await asyncio.Event().wait()
        return {}

    monkeypatch.setattr(Intake, "events_of", never)
    async with bench.worker(looking(bench), dies=True) as one:
        await asked.wait()
        await one.drain(0)
        bench.running.cancel()
        await one.stop(10)

    assert bench.rows("SELECT status FROM delivery") == [("waiting",)]
