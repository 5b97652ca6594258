"""What Evolution answers, typed: what differs between versions comes out in one shape.

Read with the same reader as events: a field of a shape nobody knows is None, and `raw` keeps what came.
"""

from typing import Any

import msgspec

from gateway.events.numbers import integer
from gateway.events.reader import Reader
from gateway.evolution.keys import MessageKey

Json = Any
"""An answer as it came."""


class SentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that Evolution took."""

    id: str | None
    """WhatsApp's id, under which its echo and its receipts come; None for some messages with buttons."""
    chat: str | None
    """Jid of the chat it went to, as WhatsApp knows it."""
    timestamp: int | None
    """Unix seconds."""
    status: str | None
    """`PENDING` for most; None where the channel says none."""
    raw: Json
    """The whole answer."""

    @property
    def key(self) -> MessageKey:
        """Names it, to react to it, edit or delete it.

        Raises:
            ValueError: it has no id or no chat.
        """
        if not self.id or not self.chat:
            raise ValueError("Evolution gave this message no id, so it can't be named")
        return MessageKey(id=self.id, chat=self.chat, from_me=True)


def reader(answer: object) -> Reader:
    """Reads an answer; one that is no object has no fields."""
    return Reader(answer if isinstance(answer, dict) else {}, "", [])


def rows(answer: object) -> list[dict[str, Any]]:
    """The objects of an answer that is a list; one object alone is a list of one."""
    found = answer if isinstance(answer, list) else [answer]
    return [row for row in found if isinstance(row, dict)]


def read_sent(answer: object) -> SentMessage:
    """Read the answer to a send: 2.x writes the timestamp as a number, 1.x as text."""
    found = reader(answer)
    key = found.inner("key")
    return SentMessage(
        id=key.text("id") if key else None,
        chat=key.jid("remoteJid") if key else None,
        timestamp=integer(found.data.get("messageTimestamp")),
        status=found.text("status"),
        raw=answer,
    )
