"""The outbox as a queue: messages that wait, are on their way or could not be sent, and the chats they are for."""

from collections.abc import Collection
from typing import Final

import msgspec

from gateway.redact import Redactor, shorten_phone
from gateway.web.detail import MessageStory, message_of
from gateway.web.shown import short_text
from gateway.work import OutboxRow, WorkReader

STATUSES: Final = ("queued", "sending", "dead")


class QueuedMessage(MessageStory, frozen=True, kw_only=True):
    """One message, with where it comes from."""

    event_id: str
    plugin: str
    instance: str


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """One with messages that have not left."""

    instance: str
    target: str
    waiting: int
    oldest: float
    """Unix seconds at which the first of them was queued."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the outbox."""

    counts: dict[str, int]
    """By status."""
    chats: list[Chat]
    """Those with the most that wait."""
    messages: list[QueuedMessage]
    """Newest first."""
    next: str | None


def queue_of(
    work: WorkReader | None, redactor: Redactor, statuses: Collection[str], limit: int, before: int | None
) -> Queue:
    """The newest messages of some statuses; empty while there is no outbox."""
    if work is None:
        return Queue(counts=dict.fromkeys(STATUSES, 0), chats=[], messages=[], next=None)
    rows = work.queue(statuses or STATUSES, limit, before)
    return Queue(
        counts=work.queue_counts(),
        chats=[
            Chat(
                instance=short_text(chat.instance, redactor),
                target=shorten_phone(chat.target),
                waiting=chat.waiting,
                oldest=chat.oldest,
            )
            for chat in work.waiting_chats()
        ],
        messages=[_queued(row, redactor) for row in rows],
        next=str(rows[-1].id) if len(rows) == limit else None,
    )


def _queued(row: OutboxRow, redactor: Redactor) -> QueuedMessage:
    return QueuedMessage(
        **msgspec.structs.asdict(message_of(row, redactor)),
        event_id=str(row.seq),
        plugin=row.plugin,
        instance=short_text(row.instance, redactor),
    )
