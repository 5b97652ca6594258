"""What a plugin remembers is saved with its delivery, or not at all."""

import re
from functools import partial
from typing import Any

import pytest

from gateway import ConnectionUpdate, Context, EventContext, MessagesUpsert, Plugin
from gateway.plugins.state import LIMIT
from gateway.work import WorkReader
from tests.worker.conftest import ANA, BIA, Bench, body, message

GROUP = "120363400000000001@g.us"
LID = "201110000000002@lid"


def counting(bench: Bench) -> Plugin[Any, Any]:
    plugin = Plugin("counting")

    @plugin.message()
    async def count(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.state["mine"] = ctx.state.get("mine", 0) + 1
        ctx.chat_state.setdefault("ours", []).append(1)
        bench.note((ctx.state["mine"], len(ctx.chat_state["ours"])))

    return plugin


def has_handled(bench: Bench, count: int) -> bool:
    return len(bench.outcomes()) == count


def in_group(text: str, author: str, alt: str = "") -> bytes:
    key = {"remoteJid": GROUP, "fromMe": False, "id": f"{author}-{text}", "participant": author, "participantAlt": alt}
    return body("messages.upsert", {"key": key, "message": {"conversation": text}})


def private(text: str, chat: str, alt: str = "") -> bytes:
    key = {"remoteJid": chat, "fromMe": False, "id": text, "remoteJidAlt": alt}
    return body("messages.upsert", {"key": key, "message": {"conversation": text}})


async def test_each_chat_is_remembered_apart_and_changes_inside_a_list_count(bench: Bench) -> None:
    async with bench.worker(counting(bench)):
        await bench.post(message("a"), message("b"), message("c", BIA), message("d"))
        await bench.until(lambda: len(bench.outcomes()) == 4)

    assert sorted(bench.seen) == [(1, 1), (1, 1), (2, 2), (3, 3)]


async def test_in_a_group_each_sender_is_remembered_apart_and_the_group_as_one(bench: Bench) -> None:
    async with bench.worker(counting(bench)):
        await bench.post(in_group("a", ANA), in_group("b", BIA), in_group("c", ANA))
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert bench.seen == [(1, 1), (1, 2), (2, 3)]


async def test_a_chat_first_known_by_lid_keeps_its_memory_when_its_phone_is_learned(bench: Bench) -> None:
    async with bench.worker(counting(bench)):
        await bench.post(private("a", LID))
        await bench.until(lambda: len(bench.outcomes()) == 1)
        await bench.post(private("b", LID, ANA), private("c", ANA), private("d", LID))
        await bench.until(lambda: len(bench.outcomes()) == 4)

    assert bench.seen == [(1, 1), (2, 2), (3, 3), (4, 4)]


async def test_a_sender_in_a_group_keeps_its_memory_likewise(bench: Bench) -> None:
    async with bench.worker(counting(bench)):
        await bench.post(in_group("a", LID), in_group("b", LID, ANA), in_group("c", LID), in_group("d", ANA))
        await bench.until(lambda: len(bench.outcomes()) == 4)

    assert [mine for mine, _ in bench.seen] == [1, 2, 3, 4]


async def test_a_restart_forgets_nothing(bench: Bench) -> None:
    for handled in (1, 2):
        async with bench.worker(counting(bench)):
            await bench.post(message("a"))
            await bench.until(partial(has_handled, bench, handled))

    assert bench.seen == [(1, 1), (2, 2)]


async def test_an_attempt_that_fails_leaves_no_trace(bench: Bench) -> None:
    plugin = Plugin("failing")

    @plugin.message()
    async def fail_first(event: MessagesUpsert, ctx: Context) -> None:
        del event
        bench.note(dict(ctx.state))
        ctx.state["seen"] = True
        if ctx.delivery.attempt == 1:
            raise RuntimeError

    async with bench.worker(plugin, retry=(0.0,)):
        await bench.post(message("a"), message("b"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert bench.seen == [{}, {}, {"seen": True}, {"seen": True}]


async def test_events_without_a_chat_are_remembered_by_instance(bench: Bench) -> None:
    plugin = Plugin("watch")

    @plugin.on(ConnectionUpdate)
    async def note(event: ConnectionUpdate, ctx: EventContext) -> None:
        bench.note(ctx.state.get("was"))
        ctx.state["was"] = event.connection.state

    async with bench.worker(plugin):
        await bench.post(body("connection.update", {"state": "close"}), body("connection.update", {"state": "open"}))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert bench.seen == [None, "close"]


async def test_a_key_shared_by_chats_loses_no_update_though_they_run_at_once(bench: Bench) -> None:
    plugin = Plugin("orders")

    @plugin.message()
    async def number(event: MessagesUpsert, ctx: Context) -> None:
        del event
        counter = await ctx.load("orders")
        counter["next"] = counter.get("next", 0) + 1
        ctx.reply(f"You are number {counter['next']}.")

    chats = [f"55119999{n:05}@s.whatsapp.net" for n in range(30)]
    async with bench.worker(plugin):
        await bench.post(*[message("order", chat) for chat in chats])
        await bench.until(lambda: len(bench.outcomes()) == 30)

    texts = [row.payload["text"] for rows in WorkReader(bench.folder).outbox(range(1, 31)).values() for row in rows]
    assert sorted(texts) == sorted(f"You are number {n}." for n in range(1, 31))


async def test_an_emptied_memory_is_gone(bench: Bench) -> None:
    plugin = Plugin("menu")

    @plugin.message()
    async def toggle(event: MessagesUpsert, ctx: Context) -> None:
        del event
        bench.note(dict(ctx.state))
        if ctx.state:
            ctx.state.clear()
        else:
            ctx.state["open"] = True

    async with bench.worker(plugin):
        await bench.post(message("a"), message("b"), message("c"))
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert bench.seen == [{}, {"open": True}, {}]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ((1, 2), "tuple"),
        ({1: "a"}, "text as keys"),
        (float("nan"), "float"),
        ({"a": [object()]}, r"state\['k'\]\['a'\]\[0\]"),
        (2**70, "int"),
        ("\ud800", "str"),
    ],
)
async def test_what_json_cannot_keep_is_refused_where_it_is_assigned(
    bench: Bench, value: object, complaint: str
) -> None:
    plugin = Plugin("strict")

    @plugin.message()
    async def assign(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.state["k"] = value

    async with bench.worker(plugin, retry=()):
        await bench.post(message("a"))
        await bench.until(lambda: len(bench.outcomes()) == 1)

    [error] = [each.error for each in bench.settled]
    assert error is not None
    assert re.search(complaint, error), error
    assert 'ctx.state["k"] = value' in error


async def test_a_memory_of_more_than_its_limit_is_refused_with_its_size(bench: Bench) -> None:
    plugin = Plugin("hoarder")

    @plugin.message()
    async def hoard(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.state["photo"] = "x" * LIMIT

    async with bench.worker(plugin, retry=()):
        await bench.post(message("a"))
        await bench.until(lambda: len(bench.outcomes()) == 1)

    assert bench.outcomes() == [(1, "dead")]
    assert str(LIMIT) in (bench.settled[0].error or "")


async def test_a_plugin_that_remembers_nothing_never_opens_the_store(bench: Bench) -> None:
    plugin = Plugin("forgetful")

    @plugin.message()
    async def ignore(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx

    async with bench.worker(plugin) as engine:
        await bench.post(message("a"))
        await bench.until(lambda: len(bench.outcomes()) == 1)
        assert engine._running["forgetful"].host._state._connection is None
