"""Every event reaches every plugin that wants it, once, in order within a chat; effects come with the delivery."""

import asyncio
from typing import Any, Final

import pytest

from gateway import ConnectionUpdate, Context, Drop, Event, EventContext, MessagesUpsert, Plugin, Retry
from gateway import filters as f
from gateway.work import WorkReader, begun
from gateway.worker import engine, hearing, stats, uptake
from gateway.worker.headway import MOMENT
from tests.support.waiting import until
from tests.worker.conftest import ANA, BEGIN, BIA, Bench, Gate, body, fill_up, make_room, message, waiting

NORMAL: Final = 1
"""Of `PRAGMA synchronous`, in WAL mode: the log is not flushed with each commit."""
FULL: Final = 2


def noting(bench: Bench, name: str = "noting") -> Plugin[Any, Any]:
    """A plugin that notes the text of every message."""
    plugin = Plugin(name)

    @plugin.message()
    async def note(event: MessagesUpsert, ctx: Context) -> None:
        bench.note((ctx.delivery.attempt, event.message.text))

    return plugin


async def test_each_subscribed_plugin_gets_each_event_once_and_no_other_gets_any(bench: Bench) -> None:
    bystander = Plugin("bystander")

    @bystander.on(ConnectionUpdate)
    async def connected(event: ConnectionUpdate, ctx: EventContext) -> None:
        del event, ctx
        bench.note("connection")

    async with bench.worker(noting(bench, "one"), noting(bench, "two"), bystander):
        await bench.post(*[message(f"m{n}") for n in range(20)])
        await bench.until(lambda: len(bench.outcomes()) == 40)

    assert bench.outcomes("one") == bench.outcomes("two") == [(n, "done") for n in range(1, 21)]
    assert bench.rows("SELECT count(*) FROM delivery WHERE plugin = 'bystander'") == [(0,)]
    assert "connection" not in bench.seen


async def test_within_a_plugin_the_first_handler_that_matches_takes_the_event(bench: Bench) -> None:
    plugin = Plugin("choosy")

    @plugin.message(f.text("a"))
    async def first(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        bench.note("first")

    @plugin.on(Event)
    async def rest(event: Event, ctx: EventContext) -> None:
        del event, ctx
        bench.note("rest")

    async with bench.worker(plugin):
        await bench.post(message("a"), message("b"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert bench.seen == ["first", "rest"]
    assert bench.rows("SELECT handler FROM delivery ORDER BY id") == [("first",), ("rest",)]


async def test_an_event_that_no_handler_takes_is_skipped(bench: Bench) -> None:
    plugin = Plugin("choosy")

    @plugin.message(f.text("a"))
    async def first(event: MessagesUpsert, ctx: Context) -> None: ...

    async with bench.worker(plugin):
        await bench.post(message("b"))
        await bench.until(bench.outcomes)

    assert bench.outcomes() == [(1, "skipped")]


async def test_a_failed_delivery_holds_up_its_own_chat_alone_and_is_tried_again_when_due(bench: Bench) -> None:
    plugin = Plugin("shaky")

    @plugin.message()
    async def shake(event: MessagesUpsert, ctx: Context) -> None:
        bench.note((event.message.text, ctx.delivery.attempt))
        if event.message.text == "bad" and ctx.delivery.attempt == 1:
            raise ValueError

    async with bench.worker(plugin, retry=(5,)) as engine:
        await bench.post(message("bad"), message("after"), message("other", BIA))
        await bench.until(lambda: ("other", 1) in bench.seen and bench.settled)
        before = list(bench.seen)
        bench.now += 5
        engine.wake()
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert ("after", 1) not in before
    assert [each for each in bench.seen if each[0] != "other"] == [("bad", 1), ("bad", 2), ("after", 1)]


async def test_after_its_last_retry_a_delivery_is_a_dead_letter_and_its_chat_goes_on(bench: Bench) -> None:
    plugin = Plugin("broken")

    @plugin.message(f.text("bad"))
    async def fail(event: MessagesUpsert, ctx: Context) -> None:
        del event
        bench.note(ctx.delivery.attempt)
        raise ValueError("no stock")

    @plugin.message()
    async def go_on(event: MessagesUpsert, ctx: Context) -> None: ...

    async with bench.worker(plugin, retry=(0, 0)):
        await bench.post(message("bad"), message("fine"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    (dead,) = WorkReader(bench.folder).dead(10)
    assert bench.seen == [1, 2, 3]
    assert bench.outcomes() == [(1, "dead"), (2, "done")]
    assert dead.error is not None
    assert dead.error.endswith("ValueError: no stock\n")


async def handle(bench: Bench, one: engine.Engine, text: str, chat: str = ANA) -> None:
    """Post a message, and return once its handler has noted it."""
    await bench.post(message(text, chat))
    one.wake()
    await bench.until(lambda: (1, text) in bench.seen)


async def test_what_is_done_with_in_a_moment_and_waited_for_by_nobody_is_written_together(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 1)
    async with bench.worker(noting(bench)) as one:
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        bench.note_commits(one._writing._store)
        for chat in (ANA, BIA, "5511900000000@s.whatsapp.net"):
            await handle(bench, one, chat, chat)
        before = bench.seen.count(BEGIN)
        await bench.until(lambda: len(bench.outcomes()) == 3)
        after = bench.seen.count(BEGIN)

    assert (before, after) == (0, 1)
    assert bench.rows("SELECT status, handler FROM delivery") == [("done", "note")] * 3


async def test_what_is_not_done_with_in_a_moment_is_on_disk_as_running(bench: Bench, gate: Gate) -> None:
    async with bench.worker(waiting(bench, gate)) as one:
        await bench.post(message("long"))
        one.wake()
        await until(lambda: bench.rows("SELECT status FROM delivery") == [("running",)], "it is on disk")
        gate.open()
        await bench.until(bench.outcomes)


async def test_who_waits_until_all_is_settled_need_not_wait_for_a_moment_to_pass(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 600)
    monkeypatch.setattr(engine, "WRITE_EVERY", 600)
    monkeypatch.setattr(stats, "WRITE_EVERY", 600)
    async with bench.worker(waiting(bench, gate), noting(bench)) as one:
        one._intake.poll = 600  # else it would look by itself
        for seq, is_held in ((1, True), (2, False)):
            await bench.post(message("m"))
            one.wake()
            await bench.until(lambda: bench.seen.count((1, "m")) == seq)  # noqa: B023 -- awaited within the loop
            settled = asyncio.create_task(one.until_settled(seq))
            await asyncio.sleep(0)
            if is_held:
                gate.open()
            await asyncio.wait_for(settled, 10)

    assert bench.rows("SELECT status FROM delivery") == [("done",)] * 4


async def test_how_far_a_plugin_is_past_what_it_does_not_want_is_written_soon(bench: Bench) -> None:
    async with bench.worker(noting(bench)) as one:
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        await bench.post(body("call", {"id": "c"}))
        one.wake()

        await until(lambda: bench.rows("SELECT seq FROM position") == [(1,)], "it is written")


async def test_what_can_begin_on_a_note_does_not_wait_for_a_commit_that_is_due(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 0)
    async with bench.worker(noting(bench)) as one:
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        one._hearing._until = 0.0  # a commit is due
        one._writing._store._connection.execute("PRAGMA query_only = 1")  # which can't be written
        await handle(bench, one, "now")
        one._writing._store._connection.execute("PRAGMA query_only = 0")
        await bench.until(bench.outcomes)


async def test_the_next_message_of_a_chat_does_not_wait_until_what_is_done_with_is_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 600)
    async with bench.worker(noting(bench)) as one:
        await handle(bench, one, "first")
        one._intake.poll = 600  # else it would look by itself
        await handle(bench, one, "second")

        assert bench.outcomes() == [(1, "done")]


async def test_a_worker_with_nothing_to_do_leaves_nothing_for_a_moment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 1)
    async with bench.worker(noting(bench)) as one:
        await handle(bench, one, "alone")
        during = one._hearing.left
        await bench.until(bench.outcomes)

        assert during is not None
        assert one._hearing.left is None


async def test_what_is_done_with_is_written_before_a_worker_that_is_stuck_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 600)
    async with bench.worker(noting(bench)) as one:
        await handle(bench, one, "first")
        one._settling.give_up()
        one.wake()

    assert bench.outcomes() == [(1, "done")]


async def test_a_reply_leaves_at_once_whatever_may_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 600)
    plugin = Plugin("answering")

    @plugin.message(f.text("ping"))
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("pong")

    async with bench.worker(plugin):
        await bench.post(message("ping"))
        await bench.until(bench.outcomes)

        assert bench.rows("SELECT kind FROM outbox") == [("text",)]


@pytest.mark.parametrize("begins", [True, False])
async def test_only_commits_that_begin_something_and_end_nothing_go_without_a_flush(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, begins: bool
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 600 if begins else 0)
    monkeypatch.setattr(begun, "MOST", 0)
    async with bench.worker(noting(bench)) as one:
        await bench.post(message("first"))
        await bench.until(lambda: (1, "first") in bench.seen if begins else bench.outcomes())

        assert one._writing._store._connection.execute("PRAGMA synchronous").fetchone() == (NORMAL if begins else FULL,)


async def test_after_a_commit_that_started_many_the_next_one_gathers(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MANY", 1)
    monkeypatch.setattr(engine, "GATHER", 2)
    monkeypatch.setattr(begun, "MOST", 0)
    async with bench.worker(noting(bench)) as one:
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        await handle(bench, one, "first")
        bench.note_commits(one._writing._store)
        for n in range(10):
            await bench.post(message("m", f"55119{n:08d}@s.whatsapp.net"))
        await bench.until(lambda: bench.seen.count((1, "m")) == 10)
        commits = bench.seen.count(BEGIN)

    assert commits == 1


async def test_what_is_done_with_is_written_soon_though_nothing_comes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WRITE_EVERY", 600)
    async with bench.worker(noting(bench)) as one:
        await bench.until(lambda: bench.rows("SELECT * FROM position"))
        one._intake.poll = 600  # else it would look by itself
        await bench.post(message("alone"))
        one.wake()
        await bench.until(bench.outcomes)

        assert bench.rows("SELECT status FROM delivery") == [("done",)]


async def test_messages_are_on_disk_with_their_delivery_and_only_then(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("replying")

    @plugin.message()
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("one")
        ctx.reply("two")
        bench.note("queued")
        await gate.passed()

    async with bench.worker(plugin, apikey="key"):
        await bench.post(message("hi"))
        await until(lambda: bench.rows("SELECT status FROM delivery"), "it is on disk that it runs")
        before = bench.rows("SELECT status FROM delivery"), bench.rows("SELECT * FROM outbox")
        gate.open()
        await bench.until(bench.outcomes)

    assert before == ([("running",)], [])
    sent = bench.rows("SELECT seq, n, target, payload ->> 'text', status FROM outbox ORDER BY id")
    assert sent == [(1, 1, ANA, "one", "queued"), (1, 2, ANA, "two", "queued")]


@pytest.mark.parametrize(("error", "status"), [(ValueError, "dead"), (Drop, "dropped")])
async def test_what_a_handler_queued_before_it_failed_or_dropped_is_sent_by_nobody(
    bench: Bench, error: type[Exception], status: str
) -> None:
    plugin = Plugin("replying")

    @plugin.message()
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("never")
        raise error

    async with bench.worker(plugin, retry=()):
        await bench.post(message("hi"))
        await bench.until(bench.outcomes)

    assert bench.outcomes() == [(1, status)]
    assert bench.rows("SELECT * FROM outbox") == []


async def test_a_retried_handler_sends_once(bench: Bench) -> None:
    plugin = Plugin("patient")

    @plugin.message()
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply(f"attempt {ctx.delivery.attempt}")
        if ctx.delivery.attempt < 3:
            raise Retry(after=0)

    async with bench.worker(plugin):
        await bench.post(message("hi"))
        await bench.until(bench.outcomes)

    assert bench.rows("SELECT payload ->> 'text' FROM outbox") == [("attempt 3",)]


async def test_without_a_key_messages_are_only_shown(bench: Bench) -> None:
    plugin = Plugin("replying")

    @plugin.message()
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("pong")

    async with bench.worker(plugin):
        await bench.post(message("ping"))
        await bench.until(bench.outcomes)

    assert bench.rows("SELECT status, finished IS NOT NULL FROM outbox") == [("shown", 1)]


async def test_a_blocking_handler_holds_up_neither_other_plugins_nor_the_engine(bench: Bench, gate: Gate) -> None:
    blocking = Plugin("blocking")

    @blocking.message()
    async def block(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        gate.wait()

    async with bench.worker(blocking, noting(bench)):
        await bench.post(*[message(f"m{n}", BIA if n % 2 else ANA) for n in range(10)])
        await bench.until(lambda: len(bench.outcomes("noting")) == 10)
        blocked = bench.outcomes("blocking")
        gate.open()
        await bench.until(lambda: len(bench.outcomes("blocking")) == 10)

    assert blocked == []


async def test_no_more_handlers_run_at_once_than_configured(bench: Bench, gate: Gate) -> None:
    async with bench.worker(waiting(bench, gate), noting(bench), concurrency=3):
        await bench.post(*[message("m", f"55119999000{n:02d}@s.whatsapp.net") for n in range(8)])
        await bench.until(lambda: len(bench.outcomes("noting")) == 8 and bench.seen.count("begun") == 3)
        begun = bench.seen.count("begun")
        gate.open()
        await bench.until(lambda: len(bench.outcomes("busy")) == 8)

    assert begun == 3


async def test_what_is_handed_over_ahead_waits_until_fewer_handlers_run(bench: Bench, gate: Gate) -> None:
    chats = [f"55119999000{n:02d}@s.whatsapp.net" for n in range(20)]
    plugin = Plugin("busy")

    @plugin.message(f.text("quick"))
    async def be_quick(event: MessagesUpsert, ctx: Context) -> None: ...

    @plugin.message()
    async def work(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        bench.note("begun")
        await gate.passed()

    async with bench.worker(plugin, concurrency=3):
        await bench.post(*[message("quick", chat) for chat in chats])
        await bench.until(lambda: len(bench.outcomes()) == 20)
        bench.now += 2 * MOMENT
        await bench.post(*[message("slow", chat) for chat in chats])
        await bench.until(lambda: bench.rows("SELECT count(*) FROM delivery WHERE status = 'running'") == [(13,)])
        await bench.until(lambda: bench.seen.count("begun") == 3)
        begun = bench.seen.count("begun")
        gate.open()
        await bench.until(lambda: len(bench.outcomes()) == 40)

    assert begun == 3


async def test_a_backlog_stays_in_the_journal_until_its_lanes_are_free(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uptake, "AHEAD", 4)
    monkeypatch.setattr(uptake, "QUEUED", 2)
    async with bench.worker(waiting(bench, gate), concurrency=2):
        await bench.post(*[message("m", f"5511999900{n % 6}@s.whatsapp.net") for n in range(60)])
        await bench.until(lambda: bench.seen.count("begun") == 2)
        taken = bench.rows("SELECT count(*) FROM delivery")[0][0]
        gate.open()
        await bench.until(lambda: len(bench.outcomes()) == 60)

    assert taken <= 2 * 4 + 2


async def test_a_long_lane_that_waits_keeps_no_other_from_being_taken_up(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uptake, "AHEAD", 2)
    monkeypatch.setattr(uptake, "QUEUED", 1)
    plugin = Plugin("busy")

    @plugin.message(f.text("slow"))
    async def wait(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        await gate.passed()

    @plugin.message()
    async def be_quick(event: MessagesUpsert, ctx: Context) -> None: ...

    async with bench.worker(plugin):
        await bench.post(*[message("slow", ANA) for _ in range(40)], message("quick", BIA))
        await bench.until(bench.outcomes)
        assert bench.outcomes() == [(41, "done")], "control: the long lane waits"
        gate.open()
        await bench.until(lambda: len(bench.outcomes()) == 41)


async def test_text_that_utf8_cannot_hold_neither_stops_the_worker_nor_loses_the_message(bench: Bench) -> None:
    plugin = Plugin("cutting")

    @plugin.message(f.text("reply"))
    async def reply(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("cut \ud83d")

    @plugin.message()
    async def fail(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        raise ValueError("cut \ud83d")

    async with bench.worker(plugin, retry=()):
        await bench.post(message("reply"), message("fail"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert bench.rows("SELECT payload ->> 'text' FROM outbox") == [("cut \ufffd",)]
    assert bench.rows("SELECT error FROM delivery WHERE status = 'dead'")[0][0].endswith("ValueError: cut \ufffd\n")


async def test_while_the_store_is_full_nothing_is_lost_and_no_handler_runs_twice(
    bench: Bench, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 600)
    plugin = Plugin("once")

    @plugin.message()
    async def once(event: MessagesUpsert, ctx: Context) -> None:
        bench.note(event.message.text)
        await gate.passed()
        ctx.reply("x" * 100_000)

    async with bench.worker(plugin) as engine:
        await bench.post(message("first"))
        await bench.until(lambda: bench.seen)
        fill_up(engine._writing._store)
        bench.note_commits(engine._writing._store)
        gate.open()
        await bench.post(message("second"))
        await bench.until(lambda: bench.seen.count(BEGIN) == 2)
        on_disk = bench.rows("SELECT seq, status FROM delivery")
        make_room(engine._writing._store)
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert on_disk == []
    assert [each for each in bench.seen if each != BEGIN] == ["first", "second"]
    assert bench.rows("SELECT count(*) FROM outbox") == [(2,)]


async def test_a_damaged_event_is_a_dead_letter_that_says_so(bench: Bench) -> None:
    await bench.post(body("call", {"id": 1}), message("fine"))
    bench._journal._writer._connection.execute("UPDATE event SET body = CAST('{}' AS BLOB) WHERE seq = 1")
    plugin = Plugin("all")

    @plugin.on(Event)
    async def take(event: Event, ctx: EventContext) -> None: ...

    async with bench.worker(plugin):
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert sorted(bench.outcomes()) == [(1, "dead"), (2, "done")]
    assert "checksum" in bench.rows("SELECT error FROM delivery WHERE seq = 1")[0][0]


async def test_attempts_that_came_to_nothing_are_kept_as_history_and_success_at_once_leaves_none(bench: Bench) -> None:
    plugin = Plugin("shaky")

    @plugin.message()
    async def shake(event: MessagesUpsert, ctx: Context) -> None:
        if event.text == "good" or ctx.delivery.attempt == 3:
            return
        if ctx.delivery.attempt == 1:
            raise ValueError("first")
        raise Retry(after=0)

    async with bench.worker(plugin, retry=[0, 0]):
        shaky, good = await bench.post(message("shaky"), message("good", BIA))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    reader = WorkReader(bench.folder)
    ids = {row.seq: row.id for rows in reader.deliveries([shaky, good]).values() for row in rows}
    history = reader.failed_attempts(list(ids.values()))
    assert [(one.result, one.handler) for one in history[ids[shaky]]] == [("failed", "shake"), ("retry", "shake")]
    assert (history[ids[shaky]][0].error or "").endswith("ValueError: first\n")
    assert good not in {seq for seq, id_ in ids.items() if id_ in history}
    reader.close()
