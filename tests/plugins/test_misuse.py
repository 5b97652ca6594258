"""A mistake in a plugin file is found when the file is loaded, and its text names the line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.plugins import load_folder

HEAD = """\
from gateway.events import *
from gateway.plugins import Context, EventContext, Plugin, filters as f
plugin = Plugin()
"""


def handler(decorator: str, definition: str = "async def take(event, ctx):") -> str:
    return f"{decorator}\n{definition}\n    pass\n"


MISTAKES = [
    (handler("@plugin.message"), "write @plugin.message() above a handler"),
    (handler("@plugin.on"), "write @plugin.on(MessagesUpsert) above take"),
    (handler("@plugin.on('messages.upsert')"), "on('messages.upsert'): no event type"),
    (handler("@plugin.on(int)"), "on(<class 'int'>): no event type"),
    (handler("@plugin.on(MessagesUpsert | int)"), "on(<class 'int'>): no event type"),
    (handler("@plugin.on(f.text('a'))"), "on(text('a')): no event type"),
    (handler("@plugin.on()"), "missing 1 required positional argument"),
    (handler("@plugin.message()", "async def take(event):"), "take(event) can't be called with (event, ctx)"),
    (handler("@plugin.message()", "def take(event, ctx, db):"), "take(event, ctx, db) can't be called"),
    (handler("@plugin.message()", "def take(*, event, ctx):"), "can't be called with (event, ctx)"),
    (handler("@plugin.message()", "async def take(event, ctx):\n    yield"), "take yields"),
    (handler("@plugin.message()", "class take:"), "can't be called with (event, ctx)"),
    (handler("@plugin.message(f.text)"), "the filter text is not called: write text(...)"),
    (handler("@plugin.message(f.private())"), "'Filter' object is not callable"),
    (handler("@plugin.message(lambda event: True)"), "check(...) around a predicate"),
    (handler("@plugin.on(Event, lambda event: True)"), "a predicate is written check(<lambda>)"),
    (handler("@plugin.message('ping')"), "expected a filter, got 'ping'"),
    (handler("@plugin.message(f.private and f.text('a'))"), "write & for and, | for or, ~ for not"),
    (handler("@plugin.message(f.private or f.text('a'))"), "write & for and, | for or, ~ for not"),
    (handler("@plugin.message(not f.private)"), "write & for and, | for or, ~ for not"),
    (handler("@f.text('ping')"), "'Filter' object is not callable"),
    ("plugin.message()(f.text('ping'))", "text('ping') stands where a handler belongs"),
    ("plugin.message()(None)", "None stands where a handler belongs"),
    (handler("@plugin.on(ConnectionUpdate, f.text('a'))"), "text('a') asks about MessageEvent"),
    (
        handler("@plugin.on(MessagesUpsert | ConnectionUpdate, f.private & f.instance('a'))"),
        "but ConnectionUpdate is none",
    ),
    (handler("@plugin.message(f.connection('open'))"), "asks about ConnectionUpdate, but MessagesUpsert is none"),
    (
        handler("@plugin.message()", "def take(event: ConnectionUpdate, ctx):"),
        "registered for MessagesUpsert, but takes ConnectionUpdate",
    ),
    (
        handler("@plugin.on(MessagesUpsert | SendMessage)", "def take(event: MessagesUpsert, ctx: Context):"),
        "registered for SendMessage, but takes MessagesUpsert",
    ),
    (
        handler("@plugin.on(ConnectionUpdate)", "def take(event: 'ConnectionUpdate', ctx: 'Context[None, None]'):"),
        "ConnectionUpdate has no chat to answer in: ctx is an EventContext there",
    ),
    ("Plugin(settings=int)", "Plugin(settings=...) takes a class made with msgspec.Struct, got <class 'int'>"),
    ("Plugin(settings=Quoted())", "Plugin(settings=...) takes a class made with msgspec.Struct, got Quoted("),
    (
        "Plugin(settings=__import__('msgspec').defstruct('Shop', [('a', list | tuple)]))",
        "Plugin(settings=Shop) can't be read from config.yaml: Type unions may not contain more than one array-like",
    ),
    ("Plugin(lifespan=7)", "Plugin(lifespan=...) takes a function, got 7"),
    ("async def opened(): yield\nPlugin(lifespan=opened)", "write @asynccontextmanager above it, and yield in it"),
    ("def opened(settings): pass\nPlugin(lifespan=opened)", "is called with nothing: the plugin has no settings"),
    ("def opened(): pass\nPlugin(lifespan=opened, settings=Quoted)", "with the plugin's settings, a Quoted"),
    ("def timed(event, ctx, call_next): pass\nplugin.middleware(timed)", "timed is no async def, as a middleware is"),
    ("async def timed(event, ctx): pass\nplugin.middleware(timed)", "can't be called with (event, ctx, call_next)"),
    ("Plugin(middleware=[f.text('a')])", "text('a') stands where a middleware belongs"),
    (
        handler("@plugin.message()", "def take(event, ctx: Context[GroupInvite, None]):"),
        "its ctx has settings of GroupInvite, but the plugin's have no type: Plugin(settings=...)",
    ),
    (handler("@plugin.message()\n@plugin.on(SendMessage)"), "take has two decorators: write on(A | B)"),
]


@pytest.mark.parametrize(("source", "text"), MISTAKES, ids=[source.partition("\n")[0] for source, _ in MISTAKES])
def test_a_mistake_is_found_with_its_line(folder: Callable[..., Path], source: str, text: str) -> None:
    loaded = load_folder(folder(greet=HEAD + source))

    [error] = loaded.errors
    assert text in error.text
    assert error.line == 4
    assert loaded.plugins == ()


HIDDEN = [
    ("@plugin.message()", "@plugin.message(f.text('ping'))"),
    ("@plugin.on(MessagesUpsert)", "@plugin.message()"),
    ("@plugin.on(Event)", "@plugin.on(QrcodeUpdated, f.instance('a'))"),
    ("@plugin.on(MessagesUpsert | SendMessage)", "@plugin.on(SendMessage, f.private)"),
    ("@plugin.message(f.private)", "@plugin.message(f.text('ping'), f.private)"),
]


@pytest.mark.parametrize(("first", "second"), HIDDEN)
def test_a_handler_that_can_never_run_is_a_mistake(folder: Callable[..., Path], first: str, second: str) -> None:
    source = handler(first, "def all_of_it(event, ctx):") + handler(second, "def some(event, ctx):")

    [error] = load_folder(folder(greet=HEAD + source)).errors

    assert error.text == "some can never run: all_of_it in line 4 takes all it would"
    assert error.line == 7


USABLE = [
    ("@plugin.message()", "@plugin.on(MessagesUpsert)"),
    ("@plugin.message(f.text('ping'))", "@plugin.message()"),
    ("@plugin.on(SendMessage)", "@plugin.on(MessagesUpsert | SendMessage)"),
    ("@plugin.message(f.private)", "@plugin.message(f.group)"),
]


@pytest.mark.parametrize(("first", "second"), USABLE)
def test_handlers_that_leave_something_for_the_next_are_no_mistake(
    folder: Callable[..., Path], first: str, second: str
) -> None:
    source = handler(first, "def some(event, ctx):") + handler(second, "def rest(event: Event, *more):")

    assert load_folder(folder(greet=HEAD + source)).errors == ()


def test_annotations_that_cannot_be_read_yet_are_left_alone(folder: Callable[..., Path]) -> None:
    source = handler("@plugin.message()", "def take(event: 'Later', ctx: 'Later'):")

    assert load_folder(folder(greet=HEAD + source)).errors == ()
