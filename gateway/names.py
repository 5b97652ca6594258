"""Every event name of every Evolution version, with each spelling seen for it.

One table, because the endpoints, the envelope, the typed events and the documentation all speak of these names. An
event is written in dots by Evolution's code (`messages.upsert`), in capitals by its settings (`MESSAGES_UPSERT`), and
in dashes at the end of a URL (`messages-upsert`); the documentation adds a few spellings that the code never had.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Family = Literal["message", "connection", "contacts", "chats", "groups", "labels", "history", "presence", "call", "bot"]
"""What an event is about. Events without a chat share one lane per instance and family."""


class EventName(msgspec.Struct, frozen=True, kw_only=True):
    """One event's names."""

    name: str
    """As Evolution's code spells it in the body: `messages.upsert`."""
    family: Family
    aliases: tuple[str, ...] = ()
    """Other spellings found in Evolution's documentation, in dashes."""
    since: str
    """First Evolution version that sends it; `never` for one that is documented but never sent."""
    documented: bool = False
    """Listed among the webhook events of Evolution's documentation."""

    @property
    def suffix(self) -> str:
        """The last part of the URL when webhooks are posted by event: `messages-upsert`."""
        return spell(self.name)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Every suffix that reaches this event, Evolution's own first."""
        return (self.suffix, *self.aliases)


def spell(text: str) -> str:
    """Write any spelling of an event name the way a suffix is written: `MESSAGES_UPSERT` -> `messages-upsert`."""
    return text.strip().lower().replace(".", "-").replace("_", "-")


_DOCUMENTED: Final = (
    EventName(name="application.startup", family="connection", since="1.0.7", documented=True),
    EventName(name="qrcode.updated", family="connection", since="1.0.9", documented=True),
    EventName(name="connection.update", family="connection", since="1.0.9", documented=True),
    EventName(name="messages.set", family="history", since="1.0.9", documented=True, aliases=("message-set",)),
    EventName(name="messages.upsert", family="message", since="1.0.9", documented=True, aliases=("message-upsert",)),
    EventName(name="messages.update", family="message", since="1.0.9", documented=True, aliases=("message-update",)),
    EventName(name="messages.delete", family="message", since="1.3.0", documented=True, aliases=("message-delete",)),
    EventName(name="send.message", family="message", since="1.0.9", documented=True, aliases=("send-messages",)),
    EventName(name="contacts.set", family="contacts", since="never", documented=True, aliases=("contact-set",)),
    EventName(name="contacts.upsert", family="contacts", since="1.0.9", documented=True, aliases=("contact-upsert",)),
    EventName(name="contacts.update", family="contacts", since="1.0.9", documented=True, aliases=("contact-update",)),
    EventName(name="presence.update", family="presence", since="1.0.9", documented=True),
    EventName(name="chats.set", family="chats", since="1.0.9", documented=True, aliases=("chat-set",)),
    EventName(name="chats.update", family="chats", since="1.0.9", documented=True, aliases=("chat-update",)),
    EventName(name="chats.upsert", family="chats", since="1.0.9", documented=True, aliases=("chat-upsert",)),
    EventName(name="groups.upsert", family="groups", since="1.0.9", documented=True, aliases=("group-upsert",)),
    EventName(name="groups.update", family="groups", since="1.0.9", documented=True, aliases=("group-update",)),
    EventName(
        name="group-participants.update",
        family="groups",
        since="1.0.9",
        documented=True,
        aliases=("groups-participants-update",),
    ),
    EventName(
        name="new.jwt",
        family="connection",
        since="1.0.9",
        documented=True,
        aliases=("new-token", "new-jwt-token"),
    ),
)

_NEWER: Final = (
    EventName(name="messages.edited", family="message", since="2.1.0", aliases=("message-edited",)),
    EventName(name="send.message.update", family="message", since="2.3.0", aliases=("send-messages-update",)),
    EventName(name="chats.delete", family="chats", since="1.0.9", aliases=("chat-delete",)),
    EventName(name="status.instance", family="connection", since="1.0.9"),
    EventName(name="call", family="call", since="1.4.3"),
    EventName(name="labels.edit", family="labels", since="1.7.0"),
    EventName(name="labels.association", family="labels", since="1.7.0"),
    EventName(name="typebot.start", family="bot", since="1.5.1"),
    EventName(name="typebot.change-status", family="bot", since="1.5.1"),
    EventName(name="chama-ai.action", family="bot", since="1.5.1"),
    EventName(name="instance.create", family="connection", since="1.6.1"),
    EventName(name="instance.delete", family="connection", since="1.6.1"),
    EventName(name="remove.instance", family="connection", since="2.0.0"),
    EventName(name="logout.instance", family="connection", since="2.0.0"),
    EventName(name="creds.update", family="connection", since="never"),
    EventName(name="messaging-history.set", family="history", since="never"),
    EventName(name="error", family="connection", since="1.5.1"),
)

EVENTS: Final[Mapping[str, EventName]] = {event.name: event for event in (*_DOCUMENTED, *_NEWER)}
"""Every known event by its name in the body."""

_BY_SPELLING: Final[Mapping[str, str]] = {suffix: event.name for event in EVENTS.values() for suffix in event.suffixes}


def canonical(text: str) -> str | None:
    """The event that any known spelling means (`MESSAGES_UPSERT`, `message.upsert`, `send-messages`), or None."""
    return EVENTS[text].name if text in EVENTS else _BY_SPELLING.get(spell(text))
