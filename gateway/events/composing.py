"""Compose a `Message` from the `data` of `messages.upsert`, `send.message` and the items of `messages.set`.

A plain text, by far the most frequent event, takes the shortest way: what only some kinds hold is read for those
kinds alone.
"""

from collections.abc import Sequence
from typing import Final

from gateway import jid
from gateway.events.content import Found, edited_message, find
from gateway.events.context import NOTHING, Context, context_of, mentions_bot
from gateway.events.kinds import BY_MESSAGE_TYPE, STATUSES
from gateway.events.message import Message, Origin
from gateway.events.parts import votes_of
from gateway.events.people import Directory, Person, person
from gateway.events.reader import Reader
from gateway.events.specifics import PICKED, specifics_of

_PARTICIPANT_FIELDS: Final = ("participantAlt", "participantPn", "senderPn", "participantLid", "senderLid")
"""Other names of a participant, by version."""

_STATUS_FIELDS: Final = ("participantAlt", "remoteJidAlt", *_PARTICIPANT_FIELDS[1:])
"""Other names of whoever posted a status."""

_CHAT_FIELDS: Final = ("remoteJidAlt", "senderPn", "senderLid", "previousRemoteJid")
"""Other names of the person in a private chat, by version."""

_OTHER_NAMES: Final = frozenset({*_STATUS_FIELDS, *_PARTICIPANT_FIELDS, *_CHAT_FIELDS})

_PLAIN: Final = frozenset({"conversation", "messageContextInfo", "senderKeyDistributionMessage"})
"""Keys of a plain text's message; the others say nothing of it."""

_SHARED: Final = frozenset({"group", "status", "broadcast"})
"""Chats where the author is the participant, not the chat."""


def message_of(data: Reader, account: str | None, directory: Directory, *, sent: bool = False) -> Message:
    """The message that `data` describes; `account` is the bot's jid, `sent` says that the bot wrote it anyway."""
    key = data.inner("key") or Reader({}, f"{data.path}.key", data.problems)
    chat = key.jid("remoteJid")
    own = key.flag("fromMe")
    from_me = sent if own is None else own
    origin: Origin = "contact" if not from_me else "client" if sent else "phone"
    message_type = data.text("messageType")
    outer = data.inner("message") or Reader({}, f"{data.path}.message", data.problems)
    words = _plain_text(data, outer, message_type)
    if words is None:
        return _composed(data, key, outer, account, directory, chat=chat, origin=origin, message_type=message_type)
    return Message(
        id=key.text("id"),
        chat=chat,
        from_me=from_me,
        origin=origin,
        sender=_sender(data, key, chat, directory, own=account if from_me else None, from_me=from_me),
        kind="text",
        text=words,
        timestamp=data.whole("messageTimestamp"),
        status=status_of(data),
        message_type=message_type,
        device=data.text("source"),
        view_once=key.flag("isViewOnce") is True,
    )


def _plain_text(data: Reader, outer: Reader, message_type: str | None) -> str | None:
    """The text of a message that is nothing else, and has nothing around it; None for any other."""
    words = outer.data.get("conversation")
    if type(words) is not str or not words or not _PLAIN.issuperset(outer.data) or message_type in PICKED:
        return None
    beside = data.data
    return words if beside.get("contextInfo") is None and "pollUpdates" not in beside else None


def _composed(
    data: Reader,
    key: Reader,
    outer: Reader,
    account: str | None,
    directory: Directory,
    *,
    chat: str | None,
    origin: Origin,
    message_type: str | None,
) -> Message:
    from_me = origin != "contact"
    found = _found(outer, message_type)
    context = _context(data, found, directory)
    sender = _sender(data, key, chat, directory, own=account if from_me else None, from_me=from_me)
    votes = votes_of(data) if "pollUpdates" in data.data else None
    return Message(
        id=key.text("id"),
        chat=chat,
        from_me=from_me,
        origin=origin,
        sender=sender,
        kind=found.kind,
        timestamp=data.whole("messageTimestamp"),
        status=status_of(data),
        message_type=message_type,
        device=data.text("source"),
        mentions=context.mentions,
        mentions_me=mentions_bot(context.mentions, account, directory),
        quoted=context.quoted,
        forwarded=context.forwarded,
        expiration=context.expiration,
        ad=context.ad,
        view_once=found.view_once or key.flag("isViewOnce") is True,
        poll_votes=votes,
        **specifics_of(found, outer, message_type, from_me=from_me, sender=sender, votes=votes or ()),
    )


def status_of(data: Reader) -> str | None:
    """The delivery status, by name."""
    value = data.data.get("status")
    if type(value) is int and value in STATUSES:
        return STATUSES[value]
    return data.text("status")


def _found(message: Reader, message_type: str | None) -> Found:
    found = find(message)
    if found.key is None:
        usable = message.data and message_type in BY_MESSAGE_TYPE
        return found._replace(kind=BY_MESSAGE_TYPE[message_type]) if usable and message_type else found
    if found.key == "protocolMessage":
        edits = found.body is not None and edited_message(found.body) is not None
        return found._replace(kind="edited") if edits else found
    return found._replace(kind="edited") if found.edited else found


def _context(data: Reader, found: Found, directory: Directory) -> Context:
    """A plain text without `contextInfo` stands alone, and most texts do."""
    beside = found.message.data
    plain = found.body is None and data.data.get("contextInfo") is None
    if plain and "contextInfo" not in beside and "quoted" not in beside:
        return NOTHING
    return context_of(data, found, directory)


def _sender(
    data: Reader,
    key: Reader,
    chat: str | None,
    directory: Directory,
    *,
    own: str | None,
    from_me: bool,
) -> Person:
    """Who wrote it. In shared chats the participant; a private chat is its author, unless the bot wrote."""
    name = data.text("pushName")
    kind = jid.kind(chat) if chat else "unknown"
    if kind in _SHARED:
        author = key.jid("participant") or data.jid("participant")
        fields = _STATUS_FIELDS if kind == "status" and not from_me else _PARTICIPANT_FIELDS
        return person((author, own, *_jids(key, fields)), name, directory)
    if from_me:  # the other fields of its key name the contact, or again the bot
        return person((own,), name, directory)
    return person((chat, *_jids(key, _CHAT_FIELDS)), name, directory)


def _jids(key: Reader, fields: Sequence[str]) -> Sequence[str | None]:
    """What stands in those of the fields that are there; most keys have none of them."""
    return () if _OTHER_NAMES.isdisjoint(key.data) else [key.jid(field) for field in fields if field in key.data]
