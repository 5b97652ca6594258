"""Say why a handler takes an event, or why none does: every filter's answer, asked now.

Runs in the plugin's own thread, like an attempt, and runs no handler. The gateway stops at the first refusal; here the
rest is asked as well, and what the gateway would not have asked is marked.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from gateway.events import Event
from gateway.plugins import Handler, Plugin
from gateway.plugins.context import EventContext
from gateway.plugins.filters.base import Filter, Look


class FilterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What one filter says."""

    filter: str
    """As its author would write it."""
    answer: bool | None
    """None: it raised."""
    error: str | None = None
    reached: bool = True
    """The gateway would have asked it too."""
    parts: Sequence["FilterAnswer"] = ()
    """What it is put together from."""


class HandlerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one handler would take the event."""

    name: str
    file: str
    line: int
    events: Sequence[str]
    takes: bool
    """It was registered for this kind of event."""
    matches: bool | None
    """None: a filter raised, or it takes no such events."""
    filters: Sequence[FilterAnswer] = ()


class PluginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which handler of a plugin would run."""

    plugin: str
    event: str | None = None
    """The class it is decoded into."""
    matched: str | None = None
    handlers: Sequence[HandlerAnswer] = ()
    error: str | None = None
    """Why nothing could be asked."""


async def explain(plugin: Plugin[Any, Any], event: Event, ctx: EventContext[Any, Any]) -> PluginAnswer:
    """Ask the filters of all handlers. Whatever a stranger's code does becomes part of the answer."""
    handlers = [await _ask_handler(handler, event, ctx) for handler in plugin.handlers]
    decided = next((each for each in handlers if each.takes and each.matches is not False), None)
    return PluginAnswer(
        plugin=plugin.name,
        event=type(event).__name__,
        matched=decided.name if decided and decided.matches else None,
        handlers=handlers,
    )


async def _ask_handler(handler: Handler, event: Event, ctx: EventContext[Any, Any]) -> HandlerAnswer:
    takes = isinstance(event, handler.events)
    answers = await _ask_in_turn(handler.filters, event, ctx.look(), until=False) if takes else []
    return HandlerAnswer(
        name=handler.name,
        file=handler.file.rpartition("/")[2],
        line=handler.line,
        events=[each.__name__ for each in handler.events],
        takes=takes,
        matches=_combined(answers, until=False) if takes else None,
        filters=answers,
    )


async def _ask_in_turn(
    filters: Sequence[Filter[Any]], event: Event, look: Look, *, until: bool, reached: bool = True
) -> list[FilterAnswer]:
    """Ask one after the other; after the first answer that is `until` the gateway would have stopped."""
    answers: list[FilterAnswer] = []
    for each in filters:
        mine = look.apart() if until else look
        answers.append(await _ask(each, event, mine, reached=reached))
        if until and answers[-1].answer:
            look.adopt(mine)
        reached = reached and answers[-1].answer is (not until)
    return answers


async def _ask(each: Filter[Any], event: Event, look: Look, *, reached: bool) -> FilterAnswer:
    match each.rule:
        case "&" | "|":
            until = each.rule == "|"
            parts = await _ask_in_turn(list(_operands(each)), event, look, until=until, reached=reached)
            answer = _combined(parts, until=until)
        case "~":
            parts = [await _ask(each.parts[0], event, look.apart(), reached=reached)]
            answer = None if parts[0].answer is None else not parts[0].answer
        case _:
            return await _ask_one(each, event, look, reached=reached)
    return FilterAnswer(filter=repr(each), answer=answer, reached=reached, parts=parts)


async def _ask_one(each: Filter[Any], event: Event, look: Look, *, reached: bool) -> FilterAnswer:
    try:
        answer = each.ask(event, look)
        said = answer if isinstance(answer, bool) else await answer
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
            raise  # nobody waits any longer
        text = f"{type(error).__name__}: {error}"
        return FilterAnswer(filter=repr(each), answer=None, error=text, reached=reached)
    return FilterAnswer(filter=repr(each), answer=bool(said), reached=reached)


def _operands(composed: Filter[Any]) -> Iterator[Filter[Any]]:
    """The parts of `a & b & c`, which Python puts together two by two."""
    for part in composed.parts:
        if part.rule == composed.rule:
            yield from _operands(part)
        else:
            yield part


def _combined(answers: Sequence[FilterAnswer], *, until: bool) -> bool | None:
    """What the gateway makes of them: the first that is no reason to ask on."""
    return next((each.answer for each in answers if each.answer is not (not until)), not until)
