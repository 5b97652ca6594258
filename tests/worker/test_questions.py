"""What would become of an event: every filter's answer, and a dry run, in the worker and without a trace."""

import time
from typing import Any

import orjson
import pytest

from gateway import Context, Event, EventContext, MessagesUpsert, Plugin
from gateway import filters as f
from gateway.journal.controls import Kind, Question, write_payload
from gateway.work import Batch, WorkStore
from gateway.work.controls import ANSWERS_KEPT, Progress
from tests.support.waiting import until
from tests.worker.conftest import CANARY, Bench, Gate, body, message
from tests.worker.test_controls import ended, progress


async def ask(bench: Bench, kind: Kind, seq: int, *plugins: str) -> Progress:
    number = await bench._journal.control(kind, write_payload(Question(id=seq, plugins=plugins)))
    return await ended(bench, number)


async def answer(bench: Bench, kind: Kind, seq: int, *plugins: str) -> Any:  # noqa: ANN401 -- JSON
    found = await ask(bench, kind, seq, *plugins)
    assert (found.status, found.error) == ("done", None)
    return orjson.loads(found.result or "")


def traces(bench: Bench) -> list[Any]:
    return [bench.rows(sql) for sql in ("SELECT * FROM delivery", "SELECT * FROM outbox", "SELECT * FROM state")]


def shop() -> Plugin[Any, Any]:
    plugin = Plugin("shop")

    @plugin.message(f.text("menu") & ~f.group)
    async def menu(event: MessagesUpsert, ctx: Context) -> None:
        ctx.chat_state["seen"] = ctx.chat_state.get("seen", 0) + 1
        ctx.reply(f"menu for {event.text}")

    def names_order(event: MessagesUpsert) -> bool:
        return event.text.index("order") >= 0

    @plugin.message(f.check(names_order) | f.text("bye"))
    async def order(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        raise RuntimeError("the till is on fire")

    return plugin


async def test_every_filter_answers_and_composed_ones_are_broken_down(bench: Bench) -> None:
    async with bench.worker(shop()):
        (seq,) = await bench.post(message("hello"))
        found = await answer(bench, "explain", seq)

    assert time.time() - found["as_of"] < 60
    (plugin,) = found["plugins"]
    assert (plugin["event"], plugin["matched"]) == ("MessagesUpsert", None)
    menu, order = plugin["handlers"]
    assert (menu["takes"], menu["matches"], order["matches"]) == (True, False, None)
    composed = menu["filters"][-1]
    assert (composed["filter"], composed["answer"], composed["reached"]) == ("(text('menu') & ~group)", False, True)
    assert [(part["filter"], part["answer"], part["reached"]) for part in composed["parts"]] == [
        ("text('menu')", False, True),
        ("~group", True, False),
    ]
    failing = order["filters"][-1]["parts"][0]
    assert (failing["answer"], failing["error"]) == (None, "ValueError: substring not found")


async def test_the_first_handler_that_matches_is_named_and_others_are_asked_too(bench: Bench) -> None:
    async with bench.worker(shop()):
        (seq,) = await bench.post(message("menu"))
        found = await answer(bench, "explain", seq, "shop")

    (plugin,) = found["plugins"]
    assert plugin["matched"] == "menu"
    assert [handler["name"] for handler in plugin["handlers"]] == ["menu", "order"]


async def test_a_handler_for_other_events_says_so(bench: Bench) -> None:
    async with bench.worker(shop()):
        (seq,) = await bench.post(body("call", {"id": "x", "from": "1@s.whatsapp.net", "status": "offer"}))
        found = await answer(bench, "explain", seq)

    assert [(one["takes"], one["filters"]) for one in found["plugins"][0]["handlers"]] == [(False, []), (False, [])]


async def test_explaining_runs_no_handler_and_settles_nothing(bench: Bench) -> None:
    plugin = Plugin("noting")

    @plugin.on(Event)
    async def note(event: Event, ctx: EventContext) -> None:
        del ctx
        bench.note(event.event)

    async with bench.worker(plugin):
        (seq,) = await bench.post(message("a"))
        await bench.until(bench.outcomes)
        found = await answer(bench, "explain", seq)

    assert found["plugins"][0]["matched"] == "note"
    assert bench.seen == ["messages.upsert"]


async def test_a_dry_run_shows_what_would_be_sent_and_remembered_and_leaves_no_trace(bench: Bench) -> None:
    async with bench.worker(shop()):
        (seq,) = await bench.post(message("menu"))
        await bench.until(bench.outcomes)
        before = traces(bench)
        found = await answer(bench, "rehearse", seq)
        after = traces(bench)

    (run,) = found["runs"]
    assert (run["result"], run["handler"], run["error"]) == ("done", "menu", None)
    assert [(send["kind"], send["text"]) for send in run["sends"]] == [("text", '"menu for menu"')]
    assert [(change["before"], change["after"]) for change in run["changes"]] == [({"seen": 1}, {"seen": 2})]
    assert before == after


async def test_a_dry_run_that_fails_shows_the_error_without_secrets(bench: Bench) -> None:
    plugin = Plugin("leaky")

    @plugin.message()
    async def leak(event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply(f"your key is {event.raw['apikey']}")
        if event.text == "fail":
            raise RuntimeError(f"no {event.raw['apikey']}")

    async with bench.worker(plugin, retry=[]):
        sent, failed = await bench.post(message("send"), message("fail"))
        texts = [str(await answer(bench, "rehearse", seq)) for seq in (sent, failed)]

    assert "your key is [redacted]" in texts[0]
    assert "RuntimeError: no [redacted]" in texts[1]
    assert not [text for text in texts if CANARY in text]


@pytest.mark.parametrize(
    ("seq", "plugin", "said"), [(99, (), "there is no event 99"), (1, ("gone",), "no plugin gone")]
)
async def test_what_can_not_be_answered_is_said(bench: Bench, seq: int, plugin: tuple[str, ...], said: str) -> None:
    async with bench.worker(shop()):
        await bench.post(message("a"))
        found = await ask(bench, "explain", seq, *plugin)

    assert found.status == "failed"
    assert said in (found.error or "")


async def test_filters_have_the_time_of_a_handler_and_no_more(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("slow")

    async def wait(_event: MessagesUpsert) -> bool:
        await gate.passed()
        return True

    @plugin.message(f.check(wait))
    async def never(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx

    async with bench.worker(plugin, timeout=0.1, retry=[]):
        (seq,) = await bench.post(message("a"))
        await bench.until(bench.outcomes)
        found = await answer(bench, "explain", seq)

    assert "took longer than 0.1 s" in found["plugins"][0]["error"]


async def test_what_nothing_can_stop_has_the_worker_replaced_and_is_not_asked_again(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("blocking")

    def block(_event: MessagesUpsert) -> bool:
        gate.wait()
        return True

    @plugin.message(f.text("go"), f.check(block))
    async def never(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx

    async with bench.worker(plugin, timeout=0.1, stuck=0.1) as engine:
        (seq,) = await bench.post(message("stay"))
        await bench.until(bench.outcomes)
        number = await bench._journal.control("explain", write_payload(Question(id=seq)))
        await until(lambda: engine.stuck, "the worker gives up")
    gate.open()

    async with bench.worker(shop()):
        found = await ended(bench, number)
    assert found.status == "failed"


async def test_a_question_that_kills_the_worker_is_left_to_nobody(bench: Bench) -> None:
    """The store is as a worker leaves it that died in the middle of a question."""
    (seq,) = await bench.post(message("a"))
    number = await bench._journal.control("rehearse", write_payload(Question(id=seq)))
    store = WorkStore(bench.folder)
    begun = Progress(id=number, kind="rehearse", payload=write_payload(Question(id=seq)), upto=seq, began=1.0)
    await store.write(Batch(controls=[begun]))
    await store.close()

    async with bench.worker(shop()):
        found = await ended(bench, number)

    assert (found.status, found.result) == ("failed", None)
    assert "may have died of it" in (found.error or "")


async def test_a_question_is_on_disk_before_it_is_asked(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("waiting")
    numbers: list[int] = []

    @plugin.message()
    async def wait(event: MessagesUpsert, ctx: Context) -> None:
        del event
        if ctx.delivery.replay:
            bench.note(("found", progress(bench, numbers[0])))

    async with bench.worker(plugin):
        (seq,) = await bench.post(message("a"))
        await bench.until(bench.outcomes)
        numbers.append(await bench._journal.control("rehearse", write_payload(Question(id=seq))))
        await ended(bench, numbers[0])
    gate.open()

    ((_, seen),) = bench.seen
    assert seen.status == "running"


async def test_answers_go_after_a_while(bench: Bench) -> None:
    store = WorkStore(bench.folder)
    old, new = [
        Progress(
            id=number, kind="rehearse", payload="{}", upto=1, status="done", ended=at, result='{"runs":[]}', began=at
        )
        for number, at in ((1, 1000.0), (2, 1001.0 + ANSWERS_KEPT))
    ]
    await store.write(Batch(controls=[old]))
    await store.write(Batch(controls=[new]))

    assert bench.rows("SELECT id, result IS NULL FROM control ORDER BY id") == [(1, 1), (2, 0)]
    await store.close()
