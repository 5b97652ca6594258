"""Filters on any event: where it comes from, and whatever an author can ask."""

import inspect
from collections.abc import Awaitable, Callable

from gateway.events import ConnectionUpdate, Event
from gateway.plugins.filters.base import Answer, E, Filter, Found
from gateway.plugins.misuse import Misuse


def instance(*names: str) -> Filter[Event]:
    """The event comes from one of these instances of Evolution."""
    wanted = frozenset(names)
    return Filter(f"instance({', '.join(map(repr, names))})", lambda event, _: event.instance in wanted)


def connection(*states: str) -> Filter[ConnectionUpdate]:
    """The instance is now in one of these states: `open`, `connecting`, `close`, `refused`."""
    wanted = frozenset(states)

    def ask(event: ConnectionUpdate, _found: Found) -> bool:
        return event.connection.state in wanted

    return Filter(f"connection({', '.join(map(repr, states))})", ask, needs=(ConnectionUpdate,))


def check(predicate: Callable[[E], bool | Awaitable[bool]], /) -> Filter[E]:
    """Whatever the predicate, `def` or `async def`, says of the event."""
    name = _function_name(predicate)

    def ask(event: E, _found: Found) -> Answer:
        answer = predicate(event)
        return answer if inspect.isawaitable(answer) else bool(answer)

    return Filter(f"check({name})", ask)


def _function_name(predicate: object) -> str:
    if not callable(predicate) or isinstance(predicate, Filter):
        raise Misuse.here(f"check() takes a function of the event, got {predicate!r}")
    return getattr(predicate, "__qualname__", None) or repr(predicate)
