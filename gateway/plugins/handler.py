"""One handler: a function, the events it takes, and the filters before it.

Everything that can be known about a handler before its first event is checked here, when its file is loaded.
"""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from gateway.events import ChatEvent, Event
from gateway.plugins.context import Context, EventContext
from gateway.plugins.filters.base import Answer, Filter, Look, ask_all
from gateway.plugins.misuse import Misuse

Function = Callable[[Any, Any], Awaitable[None] | None]


class Handler(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A registered function. Within a plugin the first one that matches handles the event."""

    function: Function
    events: tuple[type[Event], ...]
    """What it was registered for; a base class stands for everything below it."""
    filters: tuple[Filter[Any], ...]
    """All of them have to let an event through; each one's repr is how its author would write it."""
    name: str
    file: str
    line: int
    is_async: bool
    """Otherwise a plain `def`, to be run in a thread."""

    def matches(self, event: Event, ctx: EventContext[Any, Any]) -> Answer:
        """Whether the filters let an event of a fitting type through; if so, the context holds what they captured.

        The answer is awaitable only if a filter's predicate is. An error in a filter comes through.
        """
        look = ctx.look()
        answer = ask_all(self.filters, event, look)
        if not isinstance(answer, bool):
            return _noted(answer, look, ctx)
        if answer:
            ctx.take_in(look)
        return answer

    def hides(self, later: "Handler") -> bool:
        """Whether a handler registered later could never run, since this one takes all it would."""
        return all(issubclass(event, self.events) for event in later.events) and set(self.filters) <= set(later.filters)


async def _noted(answer: Awaitable[bool], look: Look, ctx: EventContext[Any, Any]) -> bool:
    if matched := await answer:
        ctx.take_in(look)
    return matched


def make_handler(
    function: Function,
    events: tuple[type[Event], ...],
    filters: Sequence[Filter[Any]],
    settings: type[Any] | None = None,
) -> Handler:
    """Check a function and its filters against the events they are for, and the settings it expects in its context.

    Raises:
        Misuse: the function can't be called with (event, ctx), or a filter asks what these events don't have.
    """
    _check_function(function)
    _check_annotations(function, events, settings)
    _check_filters(function, events, filters)
    place = Misuse.of(function, "")
    return Handler(
        function=function,
        events=events,
        filters=tuple(filters),
        name=_name(function),
        file=place.file,
        line=place.line,
        is_async=inspect.iscoroutinefunction(function),
    )


def event_types(wanted: object) -> tuple[type[Event], ...]:
    """The classes of `MessagesUpsert`, or of `MessagesUpsert | SendMessage`.

    Raises:
        Misuse: something in it is no event type.
    """
    if get_origin(wanted) in {Union, UnionType}:
        return tuple(found for part in get_args(wanted) for found in event_types(part))
    if isinstance(wanted, type) and issubclass(wanted, Event):
        return (wanted,)
    if inspect.isfunction(wanted):
        raise Misuse.of(
            wanted, f"on is used without an event type: write @plugin.on(MessagesUpsert) above {_name(wanted)}"
        )
    raise Misuse.here(f"on({wanted!r}): no event type; give a class of gateway's events such as MessagesUpsert")


def _name(function: object) -> str:
    return getattr(function, "__name__", None) or repr(function)


def _check_function(function: object) -> None:
    if isinstance(function, Filter) or not callable(function):
        raise Misuse.here(f"{function!r} stands where a handler belongs: a function of (event, ctx)")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise Misuse.of(function, f"{_name(function)} yields, so calling it would not run it; a handler doesn't yield")
    signature = inspect.signature(function)
    try:
        signature.bind(object(), object())
    except TypeError:
        text = f"{_name(function)}{signature} can't be called with (event, ctx), as a handler is"
        raise Misuse.of(function, text) from None


def _check_annotations(function: Function, events: tuple[type[Event], ...], settings: type[Any] | None) -> None:
    """Hold the types an author wrote against what will arrive; those that can't be read now are left alone."""
    try:
        hints = inspect.get_annotations(function, eval_str=True)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return
    event_hint, ctx_hint = [hints.get(name) for name in [*inspect.signature(function).parameters, "", ""][:2]]
    _check_event_hint(function, event_hint, events)
    plain = [event.__name__ for event in events if not issubclass(event, ChatEvent)]
    if plain and _is_subclass(ctx_hint, Context):
        raise Misuse.of(function, f"{plain[0]} has no chat to answer in: ctx is an EventContext there, not a Context")
    _check_settings_hint(function, ctx_hint, settings)


def _check_settings_hint(function: Function, hint: object, settings: type[Any] | None) -> None:
    """`Context[Shop, ...]` promises the settings of `Plugin(settings=Shop)`."""
    wanted: object = next(iter(get_args(hint)), None) if _is_subclass(hint, EventContext) else None
    if not isinstance(wanted, type) or not issubclass(wanted, msgspec.Struct):
        return
    if settings is None or not issubclass(settings, wanted):
        has = f"are of {settings.__name__}" if settings else "have no type"
        text = f"its ctx has settings of {_written((wanted,))}, but the plugin's {has}: Plugin(settings=...)"
        raise Misuse.of(function, text)


def _check_event_hint(function: Function, hint: object, events: tuple[type[Event], ...]) -> None:
    parts = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    taken = tuple(part for part in parts if isinstance(part, type))
    if len(taken) != len(parts):
        return
    for event in events:
        if not issubclass(event, taken):
            raise Misuse.of(function, f"it is registered for {event.__name__}, but takes {_written(parts)}")


def _written(types: Sequence[object]) -> str:
    return " | ".join(getattr(each, "__name__", repr(each)) for each in types)


def _is_subclass(hint: object, wanted: type) -> bool:
    """Whether an annotation, with or without `[...]`, is a class or one below it."""
    found = get_origin(hint) or hint
    return isinstance(found, type) and issubclass(found, wanted)


def _check_filters(function: Function, events: tuple[type[Event], ...], filters: Sequence[Filter[Any]]) -> None:
    for each in filters:
        for event in events:
            if not all(issubclass(event, needed) for needed in each.needs):
                needed = " and ".join(dict.fromkeys(needed.__name__ for needed in each.needs))
                raise Misuse.of(function, f"{each!r} asks about {needed}, but {event.__name__} is none")
