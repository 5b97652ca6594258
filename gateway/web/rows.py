"""One event in the list, as page and API show it.

Pure. Everything here has passed the redactor, is cut to a size a browser likes, and shows phones by their last digits.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from gateway.envelope import parse
from gateway.errors import EnvelopeError
from gateway.events import MessageEvent, decode
from gateway.journal import Summary
from gateway.redact import Redactor, shorten_phone
from gateway.web.shown import short_text
from gateway.work import DeliveryRow, OutboxRow

PREVIEW: Final = 160
"""Characters of a message in the list."""

_STATUS_ORDER: Final = ("dead", "sending", "queued", "shown", "sent", "dropped")


class PluginResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one plugin made of an event, in a word."""

    plugin: str
    status: str
    """waiting, running, retrying, done, skipped, dropped or dead."""
    run: int
    messages: int = 0
    """How many the handler queued."""
    sending: str | None = None
    """The one of their statuses that most wants a look: dead, sending, queued, shown, sent or dropped."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the list."""

    id: str
    at: float
    """Unix seconds of its acceptance."""
    event: str
    instance: str | None
    chat: str | None
    who: str | None
    """The name WhatsApp gave with it; for a connection its state."""
    text: str | None
    """The beginning of what a message says."""
    from_me: bool
    repeats: int
    plugins: list[PluginResult]


class Heard(msgspec.Struct, frozen=True):
    """What a list wants to know of an event's body, as it may be shown."""

    who: str | None = None
    text: str | None = None
    from_me: bool = False


def row_of(
    summary: Summary,
    heard: Heard,
    deliveries: Sequence[DeliveryRow],
    messages: Sequence[OutboxRow],
    name: Callable[[str], str],
) -> Row:
    """One event in the list, with the last run of each plugin; `name` makes the names in it safe to show."""
    last = {delivery.plugin: delivery for delivery in sorted(deliveries, key=lambda one: one.run)}
    return Row(
        id=str(summary.seq),
        at=summary.accepted_at,
        event=name(summary.event),
        instance=name(summary.instance) if summary.instance else None,
        chat=shorten_phone(name(summary.chat)) if summary.chat else None,
        who=heard.who,
        text=heard.text,
        from_me=heard.from_me,
        repeats=summary.repeats,
        plugins=[_result_of(last[plugin], messages) for plugin in sorted(last)],
    )


def heard_in(event: str, body: bytes, redactor: Redactor) -> Heard:
    """The name in a body, what it says, and whether the bot's own number wrote it; nothing where there is none."""
    try:
        envelope = parse(body)
        decoded = decode(event, envelope)
    except (EnvelopeError, RecursionError):
        return Heard()
    data = envelope.get("data")
    first = data[0] if isinstance(data, list) and data else data
    if not isinstance(first, dict):
        return Heard()
    key = first.get("key")
    said = decoded.text[: PREVIEW * 8] if isinstance(decoded, MessageEvent) else None  # a key at its edge is not shown
    who, text = (_safe(each, envelope.get("apikey"), redactor) for each in (_name_in(first), said))
    return Heard(who, _begin(text) if text else None, isinstance(key, dict) and key.get("fromMe") is True)


def _safe(text: str | None, apikey: object, redactor: Redactor) -> str | None:
    """A text out of an event, without the event's own key."""
    if text and isinstance(apikey, str) and apikey in text:
        cleaned = redactor.json([{"apikey": apikey}, text])
        assert isinstance(cleaned, list)  # noqa: S101 -- a list in, a list out
        text = str(cleaned[1])
    return short_text(text, redactor) if text else None


def _begin(text: str) -> str:
    return text if len(text) <= PREVIEW else f"{text[:PREVIEW]}…"


def _result_of(delivery: DeliveryRow, messages: Sequence[OutboxRow]) -> PluginResult:
    own = [one.status for one in messages if (one.plugin, one.run) == (delivery.plugin, delivery.run)]
    return PluginResult(
        plugin=delivery.plugin,
        status=delivery.state,
        run=delivery.run,
        messages=len(own),
        sending=next((status for status in _STATUS_ORDER if status in own), None),
    )


def _name_in(item: Mapping[str, Any]) -> str | None:
    names = (item.get(field) for field in ("pushName", "subject", "name", "notify", "state"))
    return next((name.strip()[:80] for name in names if isinstance(name, str) and name.strip()), None)
