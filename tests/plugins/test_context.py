"""What a context records, refuses, and forgets."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from structlog.testing import capture_logs

from gateway.errors import ContextClosed
from gateway.events import Event, MessagesUpsert
from gateway.plugins import Context, EventContext, Queued, Send

Arrived = Callable[..., MessagesUpsert]
Happened = Callable[..., Event]
Opened = Callable[..., EventContext]

GROUP = "120363400000000001@g.us"
ANA = "5511999990002@s.whatsapp.net"


def test_reply_goes_to_the_chat_and_is_recorded_in_order(ctx: Context) -> None:
    first, second = ctx.reply("pong"), ctx.send("+55 11 99999-0003", "she wrote")

    assert (first.id, second.id) == ("41.ping.0.1", "41.ping.0.2")
    assert ctx.take_effects() == (
        Send(n=1, instance="shop-1", to=ANA, payload={"text": "pong"}),
        Send(n=2, instance="shop-1", to="5511999990003", payload={"text": "she wrote"}),
    )


def test_reply_in_a_group_goes_to_the_group_and_mentions_people(arrived: Arrived, opened: Opened) -> None:
    event = arrived(chat=GROUP, participant=ANA)
    ctx = opened(event)
    assert isinstance(ctx, Context)

    ctx.reply("hi", mentions=[event.message.sender, "+55 11 9999-0003"])

    [send] = ctx.take_effects()
    assert (send.to, send.payload["mentions"]) == (GROUP, [ANA, "551199990003"])


def test_reply_to_a_status_goes_to_who_posted_it(arrived: Arrived, opened: Opened) -> None:
    ctx = opened(arrived(chat="status@broadcast", participant=ANA))
    assert isinstance(ctx, Context)

    ctx.reply("nice")

    assert ctx.take_effects()[0].to == ANA


def test_reply_to_who_joined_goes_to_their_group(happened: Happened, opened: Opened) -> None:
    joined = happened("group-participants.update", {"id": GROUP, "action": "add", "participants": [ANA]})
    ctx = opened(joined)
    assert isinstance(ctx, Context)

    ctx.reply("welcome")

    assert ctx.take_effects()[0].to == GROUP


def test_an_event_without_chat_has_a_context_without_reply(happened: Happened, opened: Opened) -> None:
    ctx = opened(happened("connection.update", {"state": "open"}))

    assert type(ctx) is EventContext
    ctx.send(GROUP, "back again")
    assert ctx.take_effects()[0].to == GROUP


def test_reply_without_a_chat_says_so(happened: Happened, opened: Opened) -> None:
    ctx = opened(happened("messages.upsert", {"key": {"fromMe": False, "id": "A"}, "message": {"conversation": "x"}}))
    assert isinstance(ctx, Context)

    with pytest.raises(ValueError, match=r"ctx.reply\(\) has nowhere to go"):
        ctx.reply("hello")


def test_sending_without_an_instance_says_so(happened: Happened, opened: Opened) -> None:
    ctx = opened(happened("error", {}, instance=None))

    with pytest.raises(ValueError, match="no instance to send through"):
        ctx.send(GROUP, "help")

    assert ctx.take_effects() == ()


@pytest.mark.parametrize("text", ["", "  \n", None, 5])
def test_there_must_be_a_text(ctx: Context, text: str) -> None:
    with pytest.raises(ValueError, match="there is no text to send"):
        ctx.reply(text)

    assert ctx.take_effects() == ()


async def test_what_is_queued_can_be_awaited_and_kept_as_json(ctx: Context) -> None:
    queued = ctx.reply("pong")

    assert await queued is queued
    assert msgspec.json.decode(msgspec.json.encode(queued), type=Queued) == queued


def test_a_closed_context_refuses_and_says_why(ctx: Context) -> None:
    ctx.reply("never sent")
    ctx.close("it took longer than 60 s")

    with pytest.raises(ContextClosed, match=r"ctx.reply\(\) in ping came too late: it took longer than 60 s"):
        ctx.reply("pong")
    with pytest.raises(ContextClosed, match=r"ctx.send\(\) in ping came too late"):
        ctx.send(ANA, "pong")
    assert ctx.take_effects() == ()


def test_taking_the_effects_closes(ctx: Context) -> None:
    ctx.reply("pong")

    assert len(ctx.take_effects()) == 1
    assert ctx.take_effects() == ()
    with pytest.raises(ContextClosed, match="its handler has ended"):
        ctx.reply("more")


def test_the_first_reason_for_closing_stays(ctx: Context) -> None:
    ctx.close("it was cancelled")
    ctx.close()

    with pytest.raises(ContextClosed, match="it was cancelled"):
        ctx.reply("pong")


def test_what_is_known_can_still_be_read_after_closing(ctx: Context) -> None:
    ctx.close()

    assert (ctx.delivery.attempt, ctx.delivery.replay, dict(ctx.match)) == (1, False, {})
    assert ctx.now == datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_a_task_that_outlives_its_handler_is_told(ctx: Context) -> None:
    go_on = asyncio.Event()

    async def late() -> None:
        await go_on.wait()
        ctx.reply("too late")

    task = asyncio.create_task(late())
    ctx.take_effects()
    go_on.set()

    with pytest.raises(ContextClosed):
        await task


def test_threads_may_queue_at_once_and_nothing_is_lost_or_numbered_twice(ctx: Context) -> None:
    def write() -> None:
        for _ in range(200):
            ctx.reply("hi")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [send.n for send in ctx.take_effects()] == list(range(1, 801))


def test_log_is_the_one_handed_in(ctx: Context) -> None:
    with capture_logs() as lines:
        ctx.log.info("order_seen", number=3)

    assert lines == [{"event": "order_seen", "number": 3, "log_level": "info"}]
