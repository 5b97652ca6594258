"""What Evolution answers, typed: what differs between versions comes out in one shape.

Read with the same reader as events: a field of a shape nobody knows is None, and `raw` keeps what came.
"""

from typing import Any

import msgspec

from gateway import jid
from gateway.events import Chat, Contact, ContactsEvent, decode
from gateway.events.numbers import from_base64, integer
from gateway.events.reader import Reader
from gateway.evolution.errors import UnsupportedCall
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


class FoundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that Evolution keeps."""

    id: str | None
    """WhatsApp's id of it."""
    chat: str | None
    """Jid of its chat."""
    from_me: bool
    """Written by the instance's own account."""
    timestamp: int | None
    """Unix seconds."""
    status: str | None
    """The last that is known of it: `PENDING`, `SERVER_ACK`, `DELIVERY_ACK`, `READ`, `PLAYED` or `ERROR`."""
    raw: Json
    """As Evolution keeps it: `key`, `message` and so on, as in an event's `data`."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """How far a message has come, as far as Evolution keeps it."""

    status: str | None
    """`SERVER_ACK`, `DELIVERY_ACK`, `READ`, `PLAYED` or `ERROR`."""
    participant: str | None
    """In a group, with whom."""
    raw: Json


class NumberCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a number is on WhatsApp."""

    number: str | None
    """As it was asked for."""
    exists: bool
    """It is."""
    jid: str | None
    """Its address, as WhatsApp knows it: Brazilian numbers may lose their ninth digit."""
    name: str | None
    """Its name, if Evolution has one."""
    lid: str | None
    """Its opaque identity, if Evolution shows it."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a person or business shows of itself."""

    jid: str | None
    name: str | None
    status: str | None
    """The line below the name."""
    picture_url: str | None
    is_business: bool
    raw: Json
    """The whole answer; of a business also its mail address, description and website."""


class MediaContent(msgspec.Struct, frozen=True, kw_only=True):
    """The file of a message."""

    data: bytes
    kind: str | None
    """Evolution's word: `imageMessage`, `audioMessage`, ..."""
    mimetype: str | None
    filename: str | None
    caption: str | None


def read_found(answer: object) -> list[FoundMessage]:
    """Read the answer to `findMessages`, a page in 2.x and a list in 1.x; newest first, as both have it."""
    page = answer.get("messages", answer) if isinstance(answer, dict) else answer
    records = page.get("records") if isinstance(page, dict) else page
    return [_found(row) for row in rows(records)]


def _found(row: dict[str, Any]) -> FoundMessage:
    found = reader(row)
    key = found.inner("key") or reader({})
    updates = rows(row.get("MessageUpdate"))
    return FoundMessage(
        id=key.text("id"),
        chat=key.jid("remoteJid"),
        from_me=key.flag("fromMe") or False,
        timestamp=integer(row.get("messageTimestamp")),
        status=reader(updates[-1]).text("status") if updates else found.text("status"),
        raw=row,
    )


def read_receipts(answer: object) -> list[Receipt]:
    """Read the answer to `findStatusMessage`."""
    return [
        Receipt(status=row.text("status"), participant=row.jid("participant"), raw=row.data)
        for row in map(reader, rows(answer))
    ]


def read_numbers(answer: object) -> list[NumberCheck]:
    """Read the answer to `whatsappNumbers`, which writes `lid: "lid"` where the jid is one."""
    return [_number(row) for row in map(reader, rows(answer))]


def _number(row: Reader) -> NumberCheck:
    address, lid = row.jid("jid"), row.jid("lid")
    return NumberCheck(
        number=row.label("number"),
        exists=row.flag("exists") or False,
        jid=address,
        name=row.text("name"),
        lid=jid.lid(address or "") or jid.lid(lid or ""),
    )


def read_profile(answer: object) -> Profile:
    """Read the answer to `fetchProfile`."""
    found = reader(answer)
    status = found.inner("status")  # 2.x passes Baileys' object on
    return Profile(
        jid=found.jid("wuid"),
        name=found.text("name"),
        status=status.text("status") if status else found.text("status"),
        picture_url=found.first_text("picture", "profilePictureUrl"),
        is_business=found.flag("isBusiness") or False,
        raw=answer,
    )


def read_media(answer: object) -> MediaContent:
    """Read the answer to `getBase64FromMediaMessage`.

    Raises:
        UnsupportedCall: it holds no file.
    """
    found = reader(answer)
    data = from_base64(found.text("base64") or "")
    if not data:
        raise UnsupportedCall("Evolution's answer holds no file")
    return MediaContent(
        data=data,
        kind=found.text("mediaType"),
        mimetype=found.text("mimetype"),
        filename=found.text("fileName"),
        caption=found.text("caption"),
    )


def read_chats(answer: object) -> list[Chat]:
    """Read the answer to `findChats`, which names unread messages in three ways."""
    return [_chat(row) for row in map(reader, rows(answer))]


def _chat(row: Reader) -> Chat:
    unread = (row.whole(field) for field in ("unreadMessages", "unreadCount", "unreadMessagesCount"))
    return Chat(
        jid=row.jid("remoteJid") or row.jid("id"),
        name=row.first_text("name", "pushName"),
        unread=next((count for count in unread if count is not None), None),
    )


def read_contacts(answer: object) -> list[Contact]:
    """Read the answer to `findContacts`, whose rows are those of `contacts.upsert`."""
    event = decode("contacts.upsert", {"event": "contacts.upsert", "data": rows(answer)})
    return list(event.contacts) if isinstance(event, ContactsEvent) else []
