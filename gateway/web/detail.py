"""One event with its whole story, as page and API show it.

Pure, like the rows of the list. Phones are shortened except inside the event's own JSON and what handlers see of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from gateway.envelope import parse
from gateway.errors import EnvelopeError
from gateway.events import MessageEvent, decode
from gateway.events.view import to_view
from gateway.plugins.outgoing import summary
from gateway.redact import Json, Redactor, hide_codes, shorten_phone
from gateway.web.rows import Row
from gateway.web.shown import long_text, trim
from gateway.work import DeliveryRow, Failed, OutboxRow

_NOT_SHOWN: Final = "The body can't be shown: {}"


class MessageStory(msgspec.Struct, frozen=True, kw_only=True):
    """One message a handler queued, and what Evolution answered."""

    id: str
    kind: str
    target: str
    text: str | None
    status: str
    attempts: int
    due: float | None
    """Unix seconds before which it does not leave, while it is queued."""
    created: float
    finished: float | None
    error: str | None
    message_id: str | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that came to nothing."""

    started: float | None
    millis: float | None
    result: str
    """failed, stuck, retry or died."""
    handler: str | None
    error: str | None


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
    history: list[Attempt]
    """Oldest first."""
    control: str | None
    """The request that last asked for it."""


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One event, with everything known about it."""

    row: Row
    suffix: str | None
    address: str | None
    millis: float
    size: int
    lane: str
    repeated_at: float | None
    stories: list[Story]
    text: str | None
    """What a message says, as a person would read it."""
    raw: Json
    """The body, redacted, long texts cut; None with a `note` where it can't be shown."""
    note: str | None
    decoded: Json
    """What a handler sees, as `gateway decode` prints it."""
    endpoint: str | None = None
    """Where to post it to have it come again; known to who serves it."""


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """An event's body with keys and tokens in it, for who asked for just that."""

    raw: Json = None
    note: str | None = None


def story_of(
    delivery: DeliveryRow, messages: Iterable[OutboxRow], history: Sequence[Failed], redactor: Redactor
) -> Story:
    """What happened in one plugin, run by run."""
    is_tried = delivery.state in {"running", "done", "skipped", "dropped"}
    return Story(
        plugin=delivery.plugin,
        run=delivery.run,
        status=delivery.state,
        handler=delivery.handler,
        attempts=delivery.tried + is_tried,
        due=delivery.due if delivery.state == "retrying" else None,
        started=delivery.started,
        millis=delivery.millis,
        error=long_text(delivery.error, redactor),
        messages=[
            message_of(one, redactor) for one in messages if (one.plugin, one.run) == (delivery.plugin, delivery.run)
        ],
        history=[_attempt_of(one, redactor) for one in history],
        control=str(delivery.control) if delivery.control else None,
    )


def message_of(message: OutboxRow, redactor: Redactor) -> MessageStory:
    """What became of one message."""
    return MessageStory(
        id=str(message.id),
        kind=message.kind,
        target=shorten_phone(message.target),
        text=long_text(said_in(message), redactor),
        status=message.status,
        attempts=message.attempts,
        due=message.due if message.status == "queued" and message.due else None,
        created=message.created,
        finished=message.finished,
        error=long_text(message.error, redactor),
        message_id=message.message_id,
    )


def said_in(message: OutboxRow) -> str:
    """The text that is sent; of what is no text, what it is in a few words."""
    text = message.payload.get("text")
    return text if message.kind == "text" and isinstance(text, str) else summary(message.kind, message.payload)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is in an event's body, as it may be shown."""

    raw: Json = None
    note: str | None = None
    decoded: Json = None
    text: str | None = None


def content_of(event: str, body: bytes, phones: Mapping[str, str], redactor: Redactor) -> Content:
    """Look into a body. What its own fields give away as secret is redacted from everything read out of it.

    Args:
        event: its name.
        body: as it was posted.
        phones: telephones of the LIDs in it, as handlers are told.
        redactor: takes out what must not be seen.
    """
    try:
        envelope = parse(body)
        view, text = _decoded(event, envelope, phones)
        cleaned = redactor.json([envelope, view, text])
    except (EnvelopeError, RecursionError) as error:
        return Content(note=_NOT_SHOWN.format(type(error).__name__))
    assert isinstance(cleaned, list)  # noqa: S101 -- a list in, a list out
    return Content(
        raw=trim(cleaned[0]),
        decoded=trim(cleaned[1]),
        text=long_text(cleaned[2], redactor) if isinstance(cleaned[2], str) else None,
    )


def revealed_of(body: bytes) -> Revealed:
    """A body as it came, long texts cut; what pairs a phone stays out, for that is shown while pairing alone."""
    try:
        return Revealed(raw=trim(hide_codes(parse(body))))
    except (EnvelopeError, RecursionError) as error:
        return Revealed(note=_NOT_SHOWN.format(type(error).__name__))


def _decoded(event: str, envelope: dict[str, Any], phones: Mapping[str, str]) -> tuple[Json, str | None]:
    """What a handler sees, and what the message in it says; None where there is nothing to see."""
    try:
        decoded = decode(event, envelope, directory=phones)
        view: Json = orjson.loads(orjson.dumps(to_view(decoded)))
    except (EnvelopeError, RecursionError, orjson.JSONEncodeError):
        return None, None
    return view, (decoded.text if isinstance(decoded, MessageEvent) else None) or None


def facts_of(facts: dict[str, Any], redactor: Redactor) -> tuple[list[str], list[dict[str, Json]]]:
    """Names of the loaded plugins, and the files that could not be loaded."""
    names = [str(plugin.get("name")) for plugin in facts.get("plugins") or ()]
    errors = redactor.json(orjson.loads(orjson.dumps(facts.get("load_errors") or [])))
    found = [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return names, [
        {
            **one,
            "text": long_text(str(one.get("text", "")), redactor),
            "traceback": long_text(str(one["traceback"]), redactor) if one.get("traceback") else None,
        }
        for one in found
    ]


def _attempt_of(failed: Failed, redactor: Redactor) -> Attempt:
    return Attempt(
        started=failed.started,
        millis=failed.millis,
        result=failed.result,
        handler=failed.handler,
        error=long_text(failed.error, redactor),
    )
