"""Which part of a filter said no.

Of its own, because people ask it long after a handler was passed over, and no delivery should pay for it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.events import Event
from gateway.plugins.filters.base import Filter, Look


class Reason(msgspec.Struct, frozen=True):
    """What one filter answers to an event, and why."""

    filter: str
    """As its author would write it."""
    answer: bool | None
    """None: it was not asked, since another part had settled it."""
    parts: tuple["Reason", ...] = ()
    """Those of a filter put together with `&`, `|` or `~`, in order."""


async def explain(filters: Sequence[Filter[Any]], event: Event, look: Look) -> tuple[Reason, ...]:
    """What a handler's filters answer, asked in order up to the first refusal, as they are for a delivery.

    An error in a filter comes through.
    """
    return await _in_order(filters, event, look, stop_at=False)


async def _in_order(
    filters: Sequence[Filter[Any]], event: Event, look: Look, *, stop_at: bool | None
) -> tuple[Reason, ...]:
    reasons: list[Reason] = []
    settled = False
    for each in filters:
        reason = Reason(repr(each), None) if settled else await _reason(each, event, look)
        reasons.append(reason)
        settled = settled or reason.answer is stop_at
    return tuple(reasons)


async def _reason(asked: Filter[Any], event: Event, look: Look) -> Reason:
    if not asked.parts:
        answer = asked.ask(event, look)
        return Reason(repr(asked), answer if isinstance(answer, bool) else await answer)
    parts = await _in_order(asked.parts, event, look, stop_at=asked.rule == "|")
    said = [part.answer for part in parts if part.answer is not None]
    answers = {"&": all(said), "|": any(said), "~": not said[0]}
    return Reason(repr(asked), answers[asked.rule], parts)
