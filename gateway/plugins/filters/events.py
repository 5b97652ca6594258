"""Filters on any event: where it comes from, and whatever an author can ask."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Final, Literal, get_args

from gateway.events import ConnectionUpdate, Event
from gateway.plugins.filters.base import Answer, E, Filter, Found
from gateway.plugins.misuse import Misuse

State = Literal["open", "connecting", "close", "refused"]
"""How an instance of Evolution stands with WhatsApp; `refused` when nobody scanned its QR codes."""

_STATES: Final = frozenset[str](get_args(State))


def instance(*names: str) -> Filter[Event]:
    """The event comes from one of these instances of Evolution."""
    wanted = frozenset(names)
    return Filter(f"instance({', '.join(map(repr, names))})", lambda event, _: event.instance in wanted)


def connection(*states: State) -> Filter[ConnectionUpdate]:
    """The instance is now in one of these states."""
    wanted = frozenset(states)
    written = f"connection({', '.join(map(repr, states))})"
    if strange := wanted - _STATES:
        raise Misuse.here(f"{written}: there is no state {', '.join(map(repr, sorted(strange)))}")

    def ask(event: ConnectionUpdate, _found: Found) -> bool:
        return event.connection.state in wanted

    return Filter(written, ask, needs=(ConnectionUpdate,))


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
