"""Filters on any event: where it comes from, and whatever an author can ask."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, get_args

from gateway.events import ChatEvent, ConnectionUpdate, Event, GroupParticipantsUpdate
from gateway.plugins.filters.arguments import written, written_of
from gateway.plugins.filters.base import Answer, E, Filter, Look
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

    def ask(event: ConnectionUpdate, _look: Look) -> bool:
        return event.connection.state in wanted

    return Filter(written_of("connection", states, get_args(State)), ask, needs=(ConnectionUpdate,))


def _action(text: str, action: str) -> Filter[GroupParticipantsUpdate]:
    return Filter(text, lambda event, _: event.change.action == action, needs=(GroupParticipantsUpdate,))


joined: Final = _action("joined", "add")
"""Somebody came into a group, or was added."""
left: Final = _action("left", "remove")
"""Somebody left a group, or was removed."""


def state(**values: Any) -> Filter[Event]:  # noqa: ANN401 -- JSON
    """What the plugin remembers of the sender is this: `state(step="size")`; `None` means that there is nothing.

    It is asked as `ctx.state` stands before the handler.
    """
    return _remembered("state", values, lambda look: look.memory.state)


def chat_state(**values: Any) -> Filter[ChatEvent]:  # noqa: ANN401 -- JSON
    """What the plugin remembers of the chat is this. Otherwise as `state`."""
    found = _remembered("chat_state", values, lambda look: look.memory.chat_state)
    return Filter(found.text, found.ask, needs=(ChatEvent,))


def _remembered(name: str, values: Mapping[str, Any], memory: Callable[[Look], Mapping[str, Any]]) -> Filter[Event]:
    text = f"{name}({', '.join(f'{key}={value!r}' for key, value in values.items())})"
    if not values:
        raise Misuse.here(f"{text} compares with nothing: write {name}(step=...)")

    def ask(_event: Event, look: Look) -> bool:
        found = memory(look)
        return all(found.get(key) == value for key, value in values.items())

    return Filter(text, ask)


def check(predicate: Callable[[E], bool | Awaitable[bool]], /) -> Filter[E]:
    """Whatever the predicate, `def` or `async def`, says of the event.

    Every type checker knows the event of a lambda that is an argument of `on` or `message`; inside `&` not all do.
    """
    name = _function_name(predicate)

    def ask(event: E, _look: Look) -> Answer:
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
