"""Filters that read a value, what they read, and what they refuse to be made of."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gateway.errors import PluginError
from gateway.events import MessagesUpsert
from gateway.plugins import EventContext, Plugin
from gateway.plugins import filters as f
from gateway.plugins.filters.base import Look

Arrived = Callable[..., MessagesUpsert]
Opened = Callable[..., EventContext]


class Order(msgspec.Struct):
    number: int
    size: str = "M"


class Price(msgspec.Struct):
    item: str
    count: int = 1


class Note(msgspec.Struct):
    tag: str
    text: str


class Names(msgspec.Struct):
    names: list[str]


def read(capture: f.Capture[Any], event: MessagesUpsert) -> object:
    """What was captured; None where the event was not let through."""
    look = Look()
    return look.values[capture] if capture.ask(event, look) else None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("order 12", Order(12)),
        ("order 12 xl", Order(12, "xl")),
        ("order x1", None),
        ("hello", None),
    ],
)
def test_regex_gives_its_groups_as_a_struct(arrived: Arrived, said: str, expected: object) -> None:
    capture = f.regex(r"order (?P<number>\w+)(?: (?P<size>\w+))?", into=Order)

    assert read(capture, arrived(said)) == expected


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("/price", ()),
        ("/PRICE  milk", ("milk",)),
        ("/price\nmilk 2", ("milk", "2")),
        ('/price "whole milk" 2', ("whole milk", "2")),
        ("/price \u201cwhole milk\u201d", ("whole milk",)),
        ("/prices", None),
        ("a /price", None),
        ("", None),
    ],
)
def test_command_gives_the_words_after_it(arrived: Arrived, said: str, words: object) -> None:
    assert read(f.command("/price", "/preço"), arrived(said)) == words


def test_command_folds_its_name_as_text_does(arrived: Arrived) -> None:
    assert read(f.command("/preço"), arrived("/Preco 1")) == ("1",)


@pytest.mark.parametrize(
    ("args", "said", "expected"),
    [
        (Price, "/x milk", Price("milk")),
        (Price, "/x milk 3", Price("milk", 3)),
        (Price, "/x milk three", None),
        (Price, "/x", None),
        (Price, "/x milk 3 4", None),
        (Note, "/x home buy milk and bread", Note("home", "buy milk and bread")),
        (Note, "/x home", None),
        (Names, "/x Ana Bia", Names(["Ana", "Bia"])),
    ],
)
def test_command_gives_its_arguments_as_a_struct(arrived: Arrived, args: type, said: str, expected: object) -> None:
    assert read(f.command("/x", args=args), arrived(said)) == expected


MENU = {"small": "Small", "large": "Large 🍕", "0": "Nothing"}


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("1", "small"),
        ("2.", "large"),
        ("2)", "large"),
        ("SMALL", "small"),
        ("large 🍕", "large"),
        ("4", None),
        ("", None),
    ],
)
def test_choice_gives_the_key_of_a_number_or_label(arrived: Arrived, said: str, key: str | None) -> None:
    assert read(f.choice(MENU), arrived(said)) == key


@pytest.mark.parametrize(
    "message",
    [
        {"buttonsResponseMessage": {"selectedButtonId": "large", "selectedDisplayText": "anything"}},
        {"listResponseMessage": {"title": "x", "singleSelectReply": {"selectedRowId": "large"}}},
        {"buttonsResponseMessage": {"selectedDisplayText": "Large 🍕"}},
    ],
)
def test_choice_gives_the_key_of_a_button_or_row(arrived: Arrived, message: dict[str, Any]) -> None:
    assert read(f.choice(MENU), arrived(message=message)) == "large"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: f.regex(r"(?P<nr>\d+)", into=Order), "Order has no field for the group nr"),
        (lambda: f.regex(r"(?P<size>\d+)", into=Order), r"the pattern has no group (?P<number>...) for Order"),
        (lambda: f.regex(r"\d+", into=dict), "reads into a msgspec.Struct, got <class 'dict'>"),
        (lambda: f.command("/x", args=int), "reads into a msgspec.Struct, got <class 'int'>"),
        (lambda: f.command("/price list"), "command('/price list'): a command is one word"),
        (f.command, "command() compares with nothing"),
        (lambda: f.choice({}), "choice() takes the options of a menu"),
        (lambda: f.choice(["a"]), "choice() takes the options of a menu"),  # type: ignore[arg-type]
    ],
)
def test_captures_that_can_never_be_filled_are_refused(make: Callable[[], object], text: str) -> None:
    with pytest.raises(PluginError, match=re.escape(text)):
        make()


async def test_a_handler_gets_what_its_captures_read(arrived: Arrived, opened: Opened) -> None:
    plugin = Plugin("shop")
    order, price = f.regex(r"order (?P<number>\d+)", into=Order), f.command("/price")

    @plugin.message(order | (f.private & price))
    async def take(event: MessagesUpsert, ctx: EventContext) -> None: ...

    ordered, priced = arrived("order 7"), arrived("/price milk")
    ctx, other = opened(ordered), opened(priced)
    assert await plugin.find(ordered, ctx)
    assert await plugin.find(priced, other)

    assert ctx.captured(order).number == 7
    assert ctx.match == {"number": "7"}
    assert other.captured(price) == ("milk",)
    assert other.match == {"args": "milk"}
    with pytest.raises(LookupError, match="is not what let this event in"):
        ctx.captured(price)
