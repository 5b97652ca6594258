"""How a message that exists is named to Evolution: to quote it, react to it, edit, delete, read or fetch it."""

from typing import Any

import msgspec

from gateway.address import address
from gateway.events.message import Message
from gateway.evolution.call import Body, sparse


class MessageKey(msgspec.Struct, frozen=True, kw_only=True):
    """Names one message."""

    id: str
    """WhatsApp's id of it."""
    chat: str
    """Jid of its chat, or a number as people write it."""
    from_me: bool = False
    """Written by the instance's own account."""
    participant: str | None = None
    """In a group, who wrote it."""
    text: str | None = None
    """Its words, which a quote shows where Evolution keeps no messages itself."""

    @classmethod
    def of(cls, message: Message) -> "MessageKey":
        """The key of an event's message.

        Raises:
            ValueError: it has no id or no chat, so nothing can name it.
        """
        if not message.id or not message.chat:
            raise ValueError("this message has no id or no chat, so it can't be named")
        author = message.sender.jid if message.is_group and not message.from_me else None
        return cls(id=message.id, chat=message.chat, from_me=message.from_me, participant=author, text=message.text)


def spell_key(key: MessageKey) -> Body:
    """As calls about one message take it."""
    chat = whole_address(key.chat)
    return sparse(id=key.id, remoteJid=chat, fromMe=key.from_me, participant=key.participant)


def spell_quoted(key: MessageKey | str) -> Body:
    """As a send takes the message it answers; an id alone suffices where Evolution keeps messages."""
    if isinstance(key, str):
        return {"key": {"id": key}}
    quoted: dict[str, Any] = {"key": spell_key(key)}
    return quoted | ({"message": {"conversation": key.text}} if key.text else {})


def whole_address(chat: str) -> str:
    """The jid of a chat: what names a stored message needs the server's name too.

    Raises:
        ValueError: it is no address.
    """
    found = address(chat)
    return found if "@" in found else f"{found}@s.whatsapp.net"
