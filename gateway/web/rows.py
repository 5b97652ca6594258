"""What the page and the API show of an event: plain values, made safe before they leave.

Pure. Everything here has passed the redactor, is cut to a size a browser likes, and shows phones by their last digits
except inside the event's own JSON.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from gateway.envelope import parse
from gateway.errors import EnvelopeError
from gateway.events import decode
from gateway.journal import Summary
from gateway.redact import Json, Redactor, printable, shorten_phone
from gateway.work import DeliveryRow, OutboxRow

LONGEST_TEXT: Final = 4096
"""Characters shown of one string in an event's JSON: enough for any text, far less than a photo."""
LONGEST_LIST: Final = 200
"""Items shown of one list: a history batch has thousands."""

DEEPEST: Final = 64
"""Levels shown of nested JSON; real events have about ten."""

_TALKING: Final = frozenset({"messages.upsert", "send.message"})
_STATUS_ORDER: Final = ("dead", "sending", "queued", "shown", "sent")


class PluginResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one plugin made of an event, in a word."""

    plugin: str
    status: str
    """waiting, running, retrying, done, skipped, dropped or dead."""
    run: int
    messages: int = 0
    """How many the handler queued."""
    sending: str | None = None
    """The one of their statuses that most wants a look: dead, sending, queued, shown or sent."""


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
    from_me: bool
    repeats: int
    plugins: list[PluginResult]


class MessageStory(msgspec.Struct, frozen=True, kw_only=True):
    """One message a handler queued."""

    kind: str
    target: str
    text: str | None
    status: str
    attempts: int
    error: str | None
    message_id: str | None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an event in one plugin."""

    plugin: str
    run: int
    status: str
    handler: str | None
    attempts: int
    due: float | None
    """Unix seconds of the next attempt, while it is retrying."""
    started: float | None
    millis: float | None
    error: str | None
    messages: list[MessageStory]


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One event, with everything known about it."""

    row: Row
    suffix: str | None
    address: str | None
    millis: float
    size: int
    stories: list[Story]
    text: str | None
    """What a message says, as a person would read it."""
    raw: Json
    """The body, redacted, long texts cut; None with a `note` where it can't be shown."""
    note: str | None = None


class Sender(msgspec.Struct, frozen=True):
    """Who an event is from, as far as a list wants to know."""

    who: str | None = None
    from_me: bool = False


def status_of(delivery: DeliveryRow) -> str:
    """A delivery's state in the page's words: one that waits after a failure is retrying."""
    return delivery.state


def row_of(
    summary: Summary,
    sender: Sender,
    deliveries: Sequence[DeliveryRow],
    messages: Sequence[OutboxRow],
    redactor: Redactor,
) -> Row:
    """One event in the list, with the last run of each plugin."""
    last = {delivery.plugin: delivery for delivery in sorted(deliveries, key=lambda one: one.run)}
    return Row(
        id=str(summary.seq),
        at=summary.accepted_at,
        event=_shown(summary.event, redactor),
        instance=_shown(summary.instance, redactor) if summary.instance else None,
        chat=shorten_phone(_shown(summary.chat, redactor)) if summary.chat else None,
        who=_shown(sender.who, redactor) if sender.who else None,
        from_me=sender.from_me,
        repeats=summary.repeats,
        plugins=[_result_of(last[name], messages) for name in sorted(last)],
    )


def story_of(delivery: DeliveryRow, messages: Iterable[OutboxRow], redactor: Redactor) -> Story:
    """What happened in one plugin, run by run."""
    status = status_of(delivery)
    running = 1 if status in {"running", "done", "skipped", "dropped"} else 0
    return Story(
        plugin=delivery.plugin,
        run=delivery.run,
        status=status,
        handler=delivery.handler,
        attempts=delivery.tried + running,
        due=delivery.due if status == "retrying" else None,
        started=delivery.started,
        millis=delivery.millis,
        error=_text(delivery.error, redactor),
        messages=[
            _message(one, redactor) for one in messages if (one.plugin, one.run) == (delivery.plugin, delivery.run)
        ],
    )


def sender_of(body: bytes) -> Sender:
    """The name in a body and whether the bot's own number wrote it; nothing where there is none."""
    try:
        data = parse(body).get("data")
    except EnvelopeError:
        return Sender()
    first = data[0] if isinstance(data, list) and data else data
    if not isinstance(first, dict):
        return Sender()
    key = first.get("key")
    return Sender(_name_in(first), isinstance(key, dict) and key.get("fromMe") is True)


def text_of(event: str, body: bytes, redactor: Redactor) -> str | None:
    """What a message says; None for all else and for one without text."""
    if event not in _TALKING:
        return None
    try:
        decoded = decode(event, parse(body))
    except (EnvelopeError, RecursionError):
        return None
    text = getattr(decoded, "text", None)
    return _text(text, redactor) if isinstance(text, str) and text else None


def raw_of(body: bytes, redactor: Redactor) -> tuple[Json, str | None]:
    """A body to look at, or why there is none: redacted first and cut after, so that no half of a key is left."""
    try:
        return trim(redactor.json(parse(body))), None
    except (EnvelopeError, RecursionError) as error:
        return None, f"The body can't be shown: {type(error).__name__}"


def trim(value: Json, depth: int = 0) -> Json:
    """JSON with long strings, long lists and deep nesting cut, each saying so."""
    if isinstance(value, str):
        return cut(value)
    if depth > DEEPEST and isinstance(value, list | dict):
        return "… nested deeper than is shown"
    if isinstance(value, list):
        kept: list[Json] = [trim(item, depth + 1) for item in value[:LONGEST_LIST]]
        return [*kept, f"… {len(value) - LONGEST_LIST:,} more"] if len(value) > LONGEST_LIST else kept
    if isinstance(value, dict):
        return {cut(name): trim(below, depth + 1) for name, below in value.items()}
    return value


def cut(text: str) -> str:
    """The beginning of a long text, with its length."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text):,} characters, cut)"


def facts_of(facts: Mapping[str, Any], redactor: Redactor) -> tuple[list[str], list[dict[str, Json]]]:
    """Names of the loaded plugins, and the files that could not be loaded."""
    names = [str(plugin.get("name")) for plugin in facts.get("plugins") or ()]
    errors = redactor.json(orjson.loads(orjson.dumps(facts.get("load_errors") or [])))
    found = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return names, [{**one, "text": _text(str(one.get("text", "")), redactor)} for one in found]


def _result_of(delivery: DeliveryRow, messages: Sequence[OutboxRow]) -> PluginResult:
    own = [one.status for one in messages if (one.plugin, one.run) == (delivery.plugin, delivery.run)]
    return PluginResult(
        plugin=delivery.plugin,
        status=status_of(delivery),
        run=delivery.run,
        messages=len(own),
        sending=next((status for status in _STATUS_ORDER if status in own), None),
    )


def _message(message: OutboxRow, redactor: Redactor) -> MessageStory:
    text = message.payload.get("text")
    return MessageStory(
        kind=message.kind,
        target=shorten_phone(message.target),
        text=_text(text, redactor) if isinstance(text, str) else None,
        status=message.status,
        attempts=message.attempts,
        error=_text(message.error, redactor),
        message_id=message.message_id,
    )


def _name_in(item: Mapping[str, Any]) -> str | None:
    names = (item.get(field) for field in ("pushName", "subject", "name", "notify", "state"))
    return next((name.strip()[:80] for name in names if isinstance(name, str) and name.strip()), None)


def _text(text: str | None, redactor: Redactor) -> str | None:
    return None if text is None else cut(redactor.text(text))


def _shown(text: str, redactor: Redactor) -> str:
    return printable(redactor.text(text))
