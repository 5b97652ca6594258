"""Filters on any event: where it comes from, and whatever an author can ask."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Literal, get_args

from gateway.events import ConnectionUpdate, Event
from gateway.plugins.filters.arguments import written, written_of
from gateway.plugins.filters.base import Answer, E, Filter, Found
from gateway.plugins.misuse import Misuse

State = Literal["open", "connecting", "close", "refused"]
"""How an instance of Evolution stands with WhatsApp; `refused` when nobody scanned its QR codes."""


def instance(*names: str) -> Filter[Event]:
    """The event comes from one of these instances of Evolution."""
    wanted = frozenset(names)
    return Filter(written("instance", names), lambda event, _: event.instance in wanted)


def connection(*states: State) -> Filter[ConnectionUpdate]:
    """The instance is now in one of these states."""
    wanted = frozenset(states)

    def ask(event: ConnectionUpdate, _found: Found) -> bool:
        return event.connection.state in wanted

    return Filter(written_of("connection", states, get_args(State)), ask, needs=(ConnectionUpdate,))


def check(predicate: Callable[[E], bool | Awaitable[bool]], /) -> Filter[E]:
    """Whatever the predicate, `def` or `async def`, says of the event.

    Every type checker knows the event of a lambda that is an argument of `on` or `message`; inside `&` not all do.
    """
    name = _function_name(predicate)

    def ask(event: E, _found: Found) -> Answer:
        answer = predicate(event)
        return answer if inspect.isawaitable(answer) else bool(answer)

    return Filter(f"check({name})", ask)


def _function_name(predicate: object) -> str:
    if not callable(predicate) or isinstance(predicate, Filter) or not _takes_one(predicate):
        raise Misuse.here(f"check() takes a function of the event, got {predicate!r}")
    return getattr(predicate, "__qualname__", None) or repr(predicate)


def _takes_one(function: Callable[..., object]) -> bool:
    try:
        inspect.signature(function).bind(object())
    except TypeError:
        return False
    except ValueError:  # a function written in C may not tell
        return True
    return True
