"""Which handler takes an event, and which events a plugin wants at all."""

from collections.abc import Awaitable, Callable

import pytest

from gateway.events import (
    ChatEvent,
    ConnectionUpdate,
    Event,
    MalformedEvent,
    MessageEvent,
    MessagesUpsert,
    QrcodeUpdated,
    SendMessage,
    UnknownEvent,
)
from gateway.names import EVENTS
from gateway.plugins import Context, EventContext, Plugin
from gateway.plugins import filters as f

Arrived = Callable[..., MessagesUpsert]
Happened = Callable[..., Event]
Opened = Callable[..., EventContext]


async def take(event: Event, ctx: EventContext) -> None:
    """Handle any event."""


async def other(event: Event, ctx: EventContext) -> None:
    """Handle any event, as another function."""


def drive(running: Awaitable[object]) -> object:
    """Run a coroutine that must never suspend."""
    try:
        next(running.__await__())
    except StopIteration as done:
        return done.value
    raise AssertionError("it suspended")


async def test_the_first_match_in_order_of_registration_handles(arrived: Arrived, opened: Opened) -> None:
    plugin = Plugin()
    plugin.message(f.text("ping"))(take)
    plugin.message()(other)

    found = [await plugin.find(event, opened(event)) for event in (arrived("ping"), arrived("pong"))]

    assert [handler and handler.function for handler in found] == [take, other]


async def test_no_match_is_none(arrived: Arrived, opened: Opened) -> None:
    plugin = Plugin()
    plugin.message(f.text("ping"))(take)

    assert await plugin.find(arrived("pong"), opened(arrived())) is None


@pytest.mark.parametrize(
    "given",
    [
        {"from_me": True},
        {"chat": "status@broadcast", "participant": "5511999990002@s.whatsapp.net"},
        {"chat": "120363400000000009@newsletter"},
        {"chat": "1700000000@broadcast", "participant": "5511999990002@s.whatsapp.net"},
    ],
)
async def test_message_leaves_out_own_ones_and_posts(arrived: Arrived, opened: Opened, given: dict[str, str]) -> None:
    plugin, open_to_all = Plugin(), Plugin()
    plugin.message()(take)
    open_to_all.on(MessagesUpsert)(take)
    event = arrived(**given)

    assert await plugin.find(event, opened(event)) is None
    assert await open_to_all.find(event, opened(event)) is not None


def test_message_does_not_take_what_was_sent_through_rest() -> None:
    plugin = Plugin()
    plugin.message()(take)

    assert not plugin.wants("send.message")


def test_matching_never_suspends_when_all_filters_are_sync(arrived: Arrived, opened: Opened) -> None:
    plugin = Plugin()
    plugin.message(f.text("pong"), f.private)(take)
    plugin.message(f.text("ping") & ~f.group)(other)

    handler = drive(plugin.find(arrived("ping"), opened(arrived())))

    assert handler is plugin.handlers[1]
    assert plugin.handlers[1].matches(arrived("ping"), opened(arrived())) is True


async def test_async_predicates_are_awaited_in_turn(arrived: Arrived, opened: Opened) -> None:
    async def is_vip(event: MessagesUpsert) -> bool:
        return event.message.sender.phone == "5511999990003"

    plugin = Plugin()
    plugin.message(f.check(is_vip))(take)
    plugin.message(~f.check(is_vip))(other)

    found = await plugin.find(arrived(), opened(arrived()))

    assert found is plugin.handlers[1]


async def test_match_holds_the_groups_of_the_handler_that_matched(arrived: Arrived, opened: Opened) -> None:
    async def no(_event: Event) -> bool:
        return False

    plugin = Plugin()
    plugin.message(f.regex(r"(?P<stray>\w+)"), f.group)(take)
    plugin.message(f.regex(r"(?P<stray>\w+)"), f.check(no))(lambda _event, _ctx: None)
    plugin.message(f.regex(r"order (?P<number>\d+)"))(other)
    ctx = opened(arrived())

    await plugin.find(arrived("order 12"), ctx)

    assert ctx.match == {"number": "12"}


async def test_an_error_in_a_filter_comes_through(arrived: Arrived, opened: Opened) -> None:
    def broken(event: MessagesUpsert) -> bool:
        raise KeyError(event.text)

    plugin = Plugin()
    plugin.message(f.check(broken))(take)

    with pytest.raises(KeyError, match="ping"):
        await plugin.find(arrived("ping"), opened(arrived()))


def test_wants_the_names_of_its_events_in_any_spelling() -> None:
    plugin = Plugin()
    plugin.on(MessagesUpsert | ConnectionUpdate)(take)

    assert [plugin.wants(name) for name in ("messages.upsert", "connection.update")] == [True, True]
    assert plugin.wants("MESSAGES_UPSERT")
    assert not plugin.wants("qrcode.updated")
    assert not plugin.wants("something.new")


def test_a_base_class_wants_all_below_it() -> None:
    plugin = Plugin()
    plugin.on(MessageEvent)(take)

    assert plugin.wants("send.message")
    assert not plugin.wants("group-participants.update")
    assert not plugin.wants("something.new")


def test_on_event_wants_everything() -> None:
    plugin = Plugin()
    plugin.on(Event)(take)

    assert all(plugin.wants(name) for name in (*EVENTS, "something.new"))


def test_unknown_event_wants_the_names_nobody_knows() -> None:
    plugin = Plugin()
    plugin.on(UnknownEvent)(take)

    assert plugin.wants("something.new")
    assert not any(plugin.wants(name) for name in EVENTS)


async def test_malformed_event_wants_every_name_and_takes_only_malformed_ones(
    arrived: Arrived, happened: Happened, opened: Opened
) -> None:
    plugin = Plugin()
    plugin.on(MalformedEvent)(take)
    broken = happened("messages.upsert", None)

    assert plugin.wants("messages.upsert")
    assert await plugin.find(arrived(), opened(arrived())) is None
    assert await plugin.find(broken, opened(broken)) is plugin.handlers[0]


def test_a_plugin_without_handlers_wants_nothing() -> None:
    assert not Plugin().wants("messages.upsert")


def test_a_handler_registered_later_is_seen() -> None:
    plugin = Plugin()
    assert not plugin.wants("qrcode.updated")

    plugin.on(QrcodeUpdated)(take)

    assert plugin.wants("qrcode.updated")


def test_decorators_give_the_function_back_unchanged() -> None:
    assert Plugin().message()(take) is take
    assert Plugin().on(ChatEvent)(take) is take


def test_a_handler_says_what_it_is() -> None:
    plugin = Plugin("shop")

    @plugin.on(MessagesUpsert | SendMessage, f.private & ~f.from_me, f.text("oi"))
    def greet(event: MessageEvent, ctx: Context) -> None:
        """Say hello."""

    [handler] = plugin.handlers
    assert (handler.name, handler.is_async, handler.function) == ("greet", False, greet)
    assert handler.events == (MessagesUpsert, SendMessage)
    assert repr(handler.filters) == "((private & ~from_me), text('oi'))"
    assert (handler.file, handler.line) == (__file__, greet.__code__.co_firstlineno)


def test_message_says_that_it_is_inbound_only() -> None:
    plugin = Plugin()
    plugin.message(f.text("oi"))(take)

    assert repr(plugin.handlers[0].filters) == "(inbound, text('oi'))"
    assert plugin.handlers[0].is_async
