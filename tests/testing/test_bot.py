"""Claims about `Bot`: a test that reads like a chat, on the gateway's own machinery."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest

from gateway import (
    ConfigError,
    ConnectionUpdate,
    Context,
    Drop,
    Event,
    EventContext,
    GroupParticipantsUpdate,
    MessageEvent,
    MessagesDelete,
    MessagesEdited,
    MessagesUpsert,
    Plugin,
    PluginError,
    Retry,
    SendMessage,
)
from gateway import filters as f
from gateway.config import Config, Delivery, Worker
from gateway.testing import Bot, BotFailure, Fault, HandlerFailed, NotSent

ANA = "+55 11 99999-0002"
BIA = "+55 11 99999-0003"


def make_plugin() -> Plugin:
    plugin = Plugin("greeter")

    @plugin.message(f.text("ping"))
    async def ping(event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply("pong")

    @plugin.message(f.text("count"))
    async def count(event: MessagesUpsert, ctx: Context) -> None:
        ctx.state["count"] = ctx.state.get("count", 0) + 1
        ctx.chat_state["last"] = event.message.sender.phone
        ctx.reply(f"{ctx.state['count']}")

    @plugin.message(f.text("boom"))
    async def boom(event: MessagesUpsert, ctx: Context) -> None:
        raise LookupError(f"boom at attempt {ctx.delivery.attempt}")

    @plugin.message(f.text("later"))
    async def later(event: MessagesUpsert, ctx: Context) -> None:
        if ctx.delivery.attempt == 1:
            raise Retry(after=60)
        ctx.reply(f"it is {ctx.now:%H:%M}")

    @plugin.message(f.text("drop"))
    async def drop(event: MessagesUpsert, ctx: Context) -> None:
        raise Drop("nobody wants it")

    return plugin


async def test_a_bot_answers_in_a_chat() -> None:
    async with Bot(make_plugin()) as bot:
        ana = bot.chat(ANA, name="Ana")

        await ana.send("ping")

        assert ana.replies == ["pong"]


async def test_sending_gives_the_answers_to_it_alone() -> None:
    async with Bot(make_plugin()) as bot:
        ana = bot.chat(ANA)

        assert await ana.send("count") == ["1"]
        assert await ana.send("hello") == []
        assert await ana.send("count") == ["2"]
        assert ana.replies == ["1", "2"]


async def test_people_have_chats_and_memory_of_their_own() -> None:
    async with Bot(make_plugin()) as bot:
        ana, bia = bot.chat(ANA), bot.chat(BIA)

        await ana.send("count")
        await ana.send("count")
        await bia.send("count")

        assert (ana.replies, bia.replies) == (["1", "2"], ["1"])
        assert (ana.state, bia.state) == ({"count": 2}, {"count": 1})


async def test_a_chat_known_by_lid_alone_is_a_chat_like_any_other() -> None:
    async with Bot(make_plugin()) as bot:
        ana = bot.chat(ANA, by_lid=True)

        await ana.send("count")

        assert ana.replies == ["1"]
        assert ana.state == {"count": 1}


async def test_in_a_group_everybody_writes_and_is_remembered_by_themselves() -> None:
    async with Bot(make_plugin()) as bot:
        ana, bia = bot.chat(ANA), bot.chat(BIA)
        family = bot.group("Family", ana, bia)

        await ana.send("count", to=family)
        await bia.send("count", to=family)

        assert family.replies == ["1", "1"]
        assert ana.replies == []
        assert ana.state_in(family) == {"count": 1}
        assert family.chat_state == {"last": "5511999990003"}


async def test_a_handler_that_raises_fails_the_test_with_its_traceback() -> None:
    async with Bot(make_plugin()) as bot:
        ana = bot.chat(ANA)

        with pytest.raises(HandlerFailed) as failure:
            await ana.send("boom")

    assert "boom of greeter failed" in str(failure.value)
    assert "LookupError: boom at attempt 1" in str(failure.value)
    assert f'File "{__file__}"' in str(failure.value)


async def test_a_failed_delivery_is_tried_again_as_time_passes_and_ends_as_a_dead_letter() -> None:
    async with Bot(make_plugin(), strict=False) as bot:
        await bot.chat(ANA).send("boom")
        await bot.advance(1)
        assert len(bot.failures) == 2

        await bot.advance(timedelta(minutes=3))

        [letter] = bot.dead_letters
        assert (letter.plugin, letter.handler, letter.attempts) == ("greeter", "boom", 5)
        assert "boom at attempt 5" in letter.error


async def test_a_failure_while_time_passes_fails_the_test_too() -> None:
    async with Bot(make_plugin()) as bot:
        with pytest.raises(HandlerFailed, match="attempt 1"):
            await bot.chat(ANA).send("boom")

        with pytest.raises(HandlerFailed, match="attempt 2"):
            await bot.advance(1)


async def test_a_retry_that_the_handler_asks_for_comes_when_the_clock_says_so() -> None:
    async with Bot(make_plugin(), now=datetime(2026, 11, 26, 12, tzinfo=UTC)) as bot:
        ana = bot.chat(ANA)

        await ana.send("later")
        await bot.advance(59)
        assert ana.replies == []
        await bot.advance(1)

        assert ana.replies == ["it is 12:01"]


async def test_time_can_be_moved_to_a_moment() -> None:
    async with Bot(make_plugin(), now=datetime(2026, 11, 26, 12, tzinfo=UTC)) as bot:
        tomorrow = datetime(2026, 11, 27, 8, tzinfo=UTC)

        await bot.advance(to=tomorrow)

        assert bot.now == tomorrow


async def test_dropping_is_no_failure() -> None:
    async with Bot(make_plugin()) as bot:
        assert await bot.chat(ANA).send("drop") == []
        assert bot.failures == []


async def test_the_event_is_as_evolution_posts_it() -> None:
    seen: list[MessagesUpsert] = []
    plugin = Plugin("watcher")

    @plugin.message()
    async def see(event: MessagesUpsert, ctx: Context) -> None:
        seen.append(event)

    async with Bot(plugin, now=datetime(2026, 11, 26, 12, tzinfo=UTC)) as bot:
        ana = bot.chat(ANA, name="Ana")
        await ana.send("hello")
        await ana.send("see above", quote=ana.messages[0])
        await ana.send_media(b"\xff\xd8 a photo", caption="look", mimetype="image/jpeg")
        await ana.send_location(-23.55, -46.63, name="Sé")

    first, second, photo, place = (event.message for event in seen)
    assert (first.text, first.sender.name, first.sender.phone) == ("hello", "Ana", "5511999990002")
    assert first.sent_at == datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert second.quoted is not None
    assert second.quoted.id == first.id
    assert photo.media is not None
    assert (photo.kind, photo.text, await photo.media.read()) == ("image", "look", b"\xff\xd8 a photo")
    assert place.location is not None
    assert place.location.latitude == -23.55
    assert [event.problems for event in seen] == [()] * 4


async def test_edits_deletions_reactions_and_members_arrive_as_events() -> None:
    seen: list[Event] = []
    plugin = Plugin("watcher")

    @plugin.on(MessagesEdited | MessagesDelete | MessagesUpsert | GroupParticipantsUpdate)
    async def see(event: Event, ctx: EventContext) -> None:
        seen.append(event)

    async with Bot(plugin) as bot:
        ana, bia = bot.chat(ANA), bot.chat(BIA)
        family = bot.group("Family", ana)
        await ana.send("helo")
        await ana.react("👍", ana.messages[0])
        await ana.edit("hello")
        await ana.delete()
        await family.add(bia, by=ana)

    upsert, reaction, edit, deletion, change = seen
    assert isinstance(upsert, MessagesUpsert)
    assert isinstance(reaction, MessagesUpsert)
    assert reaction.message.reaction is not None
    assert reaction.message.reaction.emoji == "👍"
    assert isinstance(edit, MessagesEdited)
    assert edit.edit.text == "hello"
    assert isinstance(deletion, MessagesDelete)
    assert isinstance(change, GroupParticipantsUpdate)
    assert change.change.participants[0].phone == bia.person.phone


async def test_any_event_can_come_by_its_name_or_by_a_sample() -> None:
    states: list[str | None] = []
    plugin = Plugin("alert")

    @plugin.on(ConnectionUpdate)
    async def see(event: ConnectionUpdate, ctx: EventContext) -> None:
        states.append(event.connection.state)

    async with Bot(plugin) as bot:
        await bot.event("connection.update")
        await bot.event("connection-update__close-v18")
        await bot.event("CONNECTION_UPDATE", state="refused")
        await bot.event("connection.update", {"state": "connecting"})
        await bot.event("connection.update", {"state": "connecting"})

        assert states == ["open", "close", "refused", "connecting", "connecting"]
        with pytest.raises(KeyError):
            await bot.event("no.such.event")


async def test_a_bot_that_answers_itself_is_found_out() -> None:
    plugin = Plugin("parrot")

    @plugin.on(MessageEvent)
    async def repeat(event: MessageEvent, ctx: Context) -> None:
        if isinstance(event, SendMessage):
            ctx.chat_state["echoes"] = ctx.chat_state.get("echoes", 0) + 1
        else:
            ctx.reply(event.message.text or "")

    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)

        await ana.send("hello")

        assert ana.chat_state == {"echoes": 1}


async def test_a_handler_on_a_thread_and_one_that_takes_its_time_are_waited_for() -> None:
    plugin = Plugin("slow")
    gate = threading.Event()

    @plugin.message(f.text("thread"))
    def threaded(event: MessagesUpsert, ctx: Context) -> None:
        gate.wait(10)
        ctx.reply("from a thread")

    @plugin.message()
    async def slow(event: MessagesUpsert, ctx: Context) -> None:
        await asyncio.sleep(0.05)
        ctx.reply("slowly")

    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)
        asyncio.get_running_loop().call_later(0.05, gate.set)

        assert await ana.send("thread") == ["from a thread"]
        assert await ana.send("hello") == ["slowly"]


async def test_a_file_is_loaded_as_the_gateway_does(tmp_path: Path) -> None:
    (tmp_path / "_words.py").write_text("ANSWER = 'pong'\n")
    (tmp_path / "greet.py").write_text(
        "from gateway import Context, MessagesUpsert, Plugin\n"
        "from ._words import ANSWER\n"
        "plugin = Plugin()\n"
        "@plugin.message()\n"
        "async def greet(event: MessagesUpsert, ctx: Context) -> None:\n"
        "    ctx.reply(ANSWER)\n"
    )

    async with Bot(tmp_path / "greet.py") as bot:
        assert await bot.chat(ANA).send("hi") == ["pong"]


def test_a_file_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text("plugin = \n")

    with pytest.raises(PluginError, match=r"greet\.py:1: SyntaxError"):
        Bot(tmp_path / "greet.py")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="there is no plugin"):
        Bot(tmp_path / "greet.py")


async def test_a_number_that_is_none_is_refused() -> None:
    async with Bot(make_plugin()) as bot:
        with pytest.raises(ValueError, match="no telephone number"):
            bot.chat("Ana")


async def test_nothing_is_left_behind() -> None:
    threads = set(threading.enumerate())

    async with Bot(make_plugin()) as bot:
        await bot.chat(ANA).send("ping")
        folder = bot._stage.folder

    assert not folder.exists()
    assert {each.name for each in set(threading.enumerate()) - threads if not each.name.startswith("asyncio")} == set()


async def test_a_handler_that_nothing_can_stop_is_a_failure_and_not_an_endless_test() -> None:
    plugin = Plugin("stubborn")
    gate = threading.Event()

    @plugin.message()
    async def block(event: MessagesUpsert, ctx: Context) -> None:
        gate.wait()

    async with Bot(plugin, config=Config(delivery=Delivery(timeout=0.05), worker=Worker(stuck=0.05))) as bot:
        with pytest.raises(BotFailure, match="Nothing could stop it"):
            await bot.chat(ANA).send("hello")
        gate.set()


async def test_a_lost_answer_is_made_up_for_by_the_echo_and_nobody_is_answered_twice() -> None:
    async with Bot(make_plugin()) as bot:
        ana = bot.chat(ANA)
        bot.evolution.fail(Fault.LOST_ANSWER)

        await ana.send("ping")
        await bot.advance(60)

        assert ana.replies == ["pong"]


async def test_a_message_that_is_refused_for_good_fails_the_test_with_the_servers_words() -> None:
    async with Bot(make_plugin()) as bot:
        bot.evolution.fail(Fault.NOT_ON_WHATSAPP)

        with pytest.raises(NotSent, match=r"a message of greeter \(text\) was not sent: .*"):
            await bot.chat(ANA).send("ping")


class Prices(msgspec.Struct, frozen=True):
    pizza: int = 40


@asynccontextmanager
async def open_shop(settings: Prices) -> AsyncIterator[str]:
    yield f"a shop with pizza for {settings.pizza}"


def make_shop() -> Plugin[Prices, str]:
    plugin = Plugin("shop", settings=Prices, lifespan=open_shop)

    @plugin.message()
    async def price(event: MessagesUpsert, ctx: Context[Prices, str]) -> None:
        ctx.reply(f"{ctx.resource}, asked for {ctx.settings.pizza}")

    return plugin


@pytest.mark.parametrize("settings", [{"pizza": 50}, Prices(pizza=50)])
async def test_settings_can_be_given(settings: dict[str, int] | Prices) -> None:
    async with Bot(make_shop(), settings=settings) as bot:
        assert await bot.chat(ANA).send("pizza?") == ["a shop with pizza for 50, asked for 50"]


async def test_settings_that_do_not_fit_are_refused_as_the_gateway_does() -> None:
    with pytest.raises(ConfigError, match="pizza"):
        Bot(make_shop(), settings={"pizza": "much"})


async def test_a_resource_can_be_lent_and_the_plugin_stays_as_it_was() -> None:
    plugin = make_shop()

    async with Bot(plugin, resource="a fake shop") as bot:
        assert await bot.chat(ANA).send("pizza?") == ["a fake shop, asked for 40"]
    async with Bot(plugin) as bot:
        assert await bot.chat(ANA).send("pizza?") == ["a shop with pizza for 40, asked for 40"]


async def test_a_lifespan_that_cannot_be_opened_is_a_failure_and_not_an_endless_test() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            await session.get("http://127.0.0.1:1/")
        yield

    plugin = Plugin("shop", lifespan=broken)

    @plugin.message()
    async def hello(event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply("hello")

    async with Bot(plugin) as bot:
        with pytest.raises(BotFailure, match=r"shop can.t open what it needs \(.*127\.0\.0\.1"):
            await bot.chat(ANA).send("hi")


async def test_a_server_that_fails_holds_a_message_up_until_it_works_again() -> None:
    async with Bot(make_plugin()) as bot:
        ana = bot.chat(ANA)
        bot.evolution.fail(Fault.SERVER_FAULT)

        await ana.send("ping")
        assert ana.replies == []
        await bot.advance(30)

        assert ana.replies == ["pong"]


async def test_a_handler_may_ask_the_fake_evolution_itself() -> None:
    plugin = Plugin("asker")

    @plugin.message(f.prefix("is "))
    async def ask(event: MessagesUpsert, ctx: Context) -> None:
        [found] = await ctx.api.check_numbers(ctx.instance, [event.text[3:]])
        ctx.reply("yes" if found.exists else "no")

    async with Bot(plugin) as bot:
        bot.evolution.absent.add("5511999990003")
        ana = bot.chat(ANA)

        assert await ana.send("is +55 11 99999-0002") == ["yes"]
        assert await ana.send("is +55 11 99999-0003") == ["no"]
