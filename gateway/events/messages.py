"""The events of messages: new ones, sent ones, history, receipts, edits, deletions."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from gateway import jid
from gateway.events.base import ChatEvent, Event, Posted
from gateway.events.composing import message_of, status_of
from gateway.events.content import EDIT, edited_message, protocol_type, text_of
from gateway.events.kinds import Kind
from gateway.events.message import Message
from gateway.events.numbers import instant
from gateway.events.parts import PollVotes, votes_of
from gateway.events.reader import Reader

UpdateKind = Literal["receipt", "votes", "changed"]


class MessageEvent(ChatEvent, frozen=True, kw_only=True):
    """An event that brings one message."""

    message: Message
    """The message."""

    @property
    def text(self) -> str:
        """What a person wrote or picked; `""` when the message has no text."""
        return self.message.text or ""


class MessagesUpsert(MessageEvent, frozen=True, kw_only=True):
    """A message arrived, or was sent from the bot's own phone or another device (`message.from_me`)."""

    name: ClassVar[str] = "messages.upsert"


class SendMessage(MessageEvent, frozen=True, kw_only=True):
    """A message was sent through REST. It also comes for what Chatwoot and Typebot send."""

    name: ClassVar[str] = "send.message"


class MessagesSet(Event, frozen=True, kw_only=True):
    """A piece of history, sent several times while an account pairs."""

    name: ClassVar[str] = "messages.set"

    items: tuple[Message, ...]
    """Old messages of many chats; can be empty. None carries its file's bytes."""


class MessageUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message."""

    message_id: str | None
    """WhatsApp's id of the message."""
    chat: str | None
    """Jid of its chat, without device; may be a LID."""
    from_me: bool
    """The message is the bot's own. Always False on the Business channel. READ with False (2.3) means that the bot's
    owner read an incoming message on the phone."""
    status: str | None
    """`ERROR`, `PENDING`, `SERVER_ACK`, `DELIVERY_ACK`, `READ`, `PLAYED`; on the Business channel `SENT`,
    `DELIVERED`, `READ`, `FAILED`, `DELETED`. None for an edit in 2.2 and for votes in 1.x; 2.3.0 to 2.3.4 write
    `DELETED` for both."""
    participant: str | None = None
    """Jid of the reader in a group. Before 2.3.5 and on the Business channel a copy of the chat."""
    poll_votes: tuple[PollVotes, ...] | None = None
    """The poll's result so far; None when this isn't about a poll. 2.3.1 to 2.3.6 never deliver votes."""
    timestamp: int | None = None
    """Unix milliseconds of the change (1.x only)."""

    @property
    def kind(self) -> UpdateKind:
        """`receipt` (sent, delivered, read, failed), `votes` (a poll's result) or `changed` (edited or deleted).

        Which of the two a change was, this event doesn't say; `messages.edited` and `messages.delete` do.
        """
        if self.poll_votes is not None:
            return "votes"
        return "changed" if self.status in (None, "DELETED", "EDITED") else "receipt"

    @property
    def updated_at(self) -> datetime | None:
        """`timestamp` as an aware UTC time."""
        return instant(None if self.timestamp is None else self.timestamp // 1000)


class MessagesUpdate(ChatEvent, frozen=True, kw_only=True):
    """A message was delivered, read or played, could not be sent, was voted on, edited or deleted."""

    name: ClassVar[str] = "messages.update"

    update: MessageUpdate
    """What became of which message."""


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A protocol message: an edit, or one of the other kinds that Evolution sends under the same name."""

    is_edit: bool
    """The text of a message was replaced. Act on nothing else, unless `protocol_type` is what you are after."""
    message_id: str | None
    """Id of the message that is edited or revoked."""
    text: str | None
    """New text or caption; None when this isn't an edit."""
    protocol_type: str | None
    """`MESSAGE_EDIT`, `REVOKE` (deleted for everyone; `messages.delete` follows), `EPHEMERAL_SETTING` (the timer of
    disappearing messages), `HISTORY_SYNC_NOTIFICATION`, ..."""
    kind: Kind | None = None
    """What the edited message is: `text`, or `image` when a caption changed."""
    expiration: int | None = None
    """New timer in seconds, for `EPHEMERAL_SETTING`; 0 turns it off."""
    timestamp: int | None = None
    """Unix milliseconds of the edit."""

    @property
    def edited_at(self) -> datetime | None:
        """`timestamp` as an aware UTC time."""
        return instant(None if self.timestamp is None else self.timestamp // 1000)


class MessagesEdited(ChatEvent, frozen=True, kw_only=True):
    """Somebody edited a message, or (2.3.1 and later) sent another protocol message: look at `edit.is_edit`.

    `chat` is known in groups only: in a private chat the key is written from the editor's point of view and names the
    bot. Match `edit.message_id` with what you have stored.
    """

    name: ClassVar[str] = "messages.edited"

    edit: Edit
    """The edit."""


class SendMessageUpdate(ChatEvent, frozen=True, kw_only=True):
    """A message of the bot was edited through REST."""

    name: ClassVar[str] = "send.message.update"

    edit: Edit
    """The edit."""


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    """Which message is gone."""

    message_id: str | None
    """WhatsApp's id of the message, also where REST deleted it (there `data.id` is a database id)."""
    chat: str | None
    """Jid of its chat, without device."""
    from_me: bool
    """The message was the bot's own."""
    participant: str | None = None
    """Jid of who deleted it, in a group."""


class MessagesDelete(ChatEvent, frozen=True, kw_only=True):
    """A message was deleted for everyone, by its author, by a group's admin or through REST."""

    name: ClassVar[str] = "messages.delete"

    deleted: Deletion
    """Which message."""


def messages_upsert(posted: Posted) -> MessagesUpsert:
    """Read `messages.upsert`. The most frequent of all: its head is named field by field, which takes half the time."""
    message = message_of(posted.object(), posted.account, posted.directory)
    head = posted.head()
    return MessagesUpsert(
        message=message,
        chat=message.chat,
        event=head["event"],
        instance=head["instance"],
        account=head["account"],
        date_time=head["date_time"],
        server_url=head["server_url"],
        problems=head["problems"],
        raw=head["raw"],
    )


def send_message(posted: Posted) -> SendMessage:
    """Read `send.message`."""
    message = message_of(posted.object(), posted.account, posted.directory, sent=True)
    return SendMessage(message=message, chat=message.chat, **posted.head())


def messages_set(posted: Posted) -> MessagesSet:
    """Read `messages.set`."""
    items = tuple(message_of(item, posted.account, posted.directory) for item in posted.items())
    return MessagesSet(items=items, **posted.head())


def messages_update(posted: Posted) -> MessagesUpdate:
    """Read `messages.update`; 1.x calls the message's id `id`, and some forks keep the whole key."""
    data = posted.object()
    key = data.inner("key") or data
    chat = data.jid("remoteJid") or key.jid("remoteJid")
    update = MessageUpdate(
        message_id=data.text("keyId") or key.text("id"),
        chat=chat,
        from_me=data.flag("fromMe") is True or key.flag("fromMe") is True,
        status=status_of(data),
        participant=data.jid("participant") or key.jid("participant"),
        poll_votes=votes_of(data),
        timestamp=data.whole("datetime"),
    )
    return MessagesUpdate(update=update, chat=chat, **posted.head())


def messages_edited(posted: Posted) -> MessagesEdited:
    """Read `messages.edited`."""
    data = posted.object()
    key = data.inner("key")
    chat = key.jid("remoteJid") if key else None
    if chat is not None and jid.kind(chat) != "group":
        chat = None
    return MessagesEdited(edit=edit_of(data), chat=chat, **posted.head())


def send_message_update(posted: Posted) -> SendMessageUpdate:
    """Read `send.message.update`, whose key is written from the bot's own point of view."""
    data = posted.object()
    key = data.inner("key")
    return SendMessageUpdate(edit=edit_of(data), chat=key.jid("remoteJid") if key else None, **posted.head())


def edit_of(protocol: Reader) -> Edit:
    """What a protocol message says. Without a type it is an edit when it brings new content."""
    key, new, named = protocol.inner("key"), edited_message(protocol), protocol_type(protocol)
    return Edit(
        is_edit=new is not None,
        message_id=key.text("id") if key else None,
        text=text_of(new) if new else None,
        protocol_type=named or (EDIT if new else None),
        kind=new.kind if new else None,
        expiration=protocol.whole("ephemeralExpiration"),
        timestamp=protocol.whole("timestampMs"),
    )


def messages_delete(posted: Posted) -> MessagesDelete:
    """Read `messages.delete`: the bare key, or after REST a database row around it."""
    data = posted.object()
    key = data.inner("key") or data
    chat = key.jid("remoteJid")
    deleted = Deletion(
        message_id=key.text("id"),
        chat=chat,
        from_me=key.flag("fromMe") is True,
        participant=key.jid("participant") or data.jid("participant"),
    )
    return MessagesDelete(deleted=deleted, chat=chat, **posted.head())
