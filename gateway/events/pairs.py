"""Which LID belongs to which telephone number, as far as one event shows both.

The receiver learns its directory from these pairs, before an event is acknowledged and without decoding it. So this
reads the raw envelope, imports no event type, and takes nothing for a pair that is not certain: `pushName` digits and
the envelope's `sender` never count, and the alternative address of an own private message may be the bot's own.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from gateway import jid

Pair = tuple[str, str]
"""LID jid without device, and phone digits."""

Item = Mapping[str, Any]

_PRIVATE: Final = ("remoteJid", "remoteJidAlt", "senderPn", "senderLid", "previousRemoteJid")
_SHARED: Final = ("participant", "participantAlt", "participantPn", "participantLid", "senderPn", "senderLid")
_MEMBER: Final = ("id", "jid", "lid", "phoneNumber")
_CONTACT: Final = ("remoteJid", "id", "lid", "jid", "phoneNumber", "remoteJidAlt")
_TWINS: Final = ("author", "owner", "subjectOwner", "descOwner")


def pairs(event: str, raw: Mapping[str, Any]) -> tuple[Pair, ...]:
    """The (LID, phone) pairs that an envelope shows, each once, in its order. Never raises."""
    read = _READERS.get(event)
    if read is None:
        return ()
    data = raw.get("data")
    items = data if type(data) is list else (data,)
    return tuple(dict.fromkeys(pair for item in items if type(item) is dict for pair in read(item)))


def _message(item: Item) -> Iterator[Pair]:
    yield from _key(item.get("key"))


def _deletion(item: Item) -> Iterator[Pair]:
    yield from _key(item["key"] if type(item.get("key")) is dict else item)


def _bot(item: Item) -> Iterator[Pair]:
    message = item.get("message")
    if type(message) is dict:
        yield from _message(message)


def _key(key: object) -> Iterator[Pair]:
    if type(key) is not dict or type(key.get("remoteJid")) is not str:
        return
    kind = jid.kind(key["remoteJid"])
    if kind in ("group", "status", "broadcast"):
        status = ("remoteJidAlt",) if kind == "status" and key.get("fromMe") is not True else ()
        yield from _pair(key, (*_SHARED, *status))
    elif key.get("fromMe") is not True:
        yield from _pair(key, _PRIVATE)


def _member(item: Item) -> Iterator[Pair]:
    yield from _pair(item, _MEMBER)


def _contact(item: Item) -> Iterator[Pair]:
    yield from _pair(item, _CONTACT)


def _group(item: Item) -> Iterator[Pair]:
    for field in _TWINS:
        yield from _pair(item, (field, f"{field}Pn", f"{field}Jid", f"{field}Lid"))
    for field in ("participants", "participantsData"):
        members = item.get(field)
        for member in members if type(members) is list else ():
            if type(member) is dict:
                yield from _member(member)


def _call(item: Item) -> Iterator[Pair]:
    yield from _pair(item, ("from", "fromPn", "callerPn", "fromLid", "callerLid"))


def _pair(item: Item, fields: tuple[str, ...]) -> Iterator[Pair]:
    """The pair among fields of one object that all name one person."""
    found = [value for field in fields if type(value := item.get(field)) is str]
    lid = next((lid for value in found if (lid := jid.lid(value))), None)
    phone = next((phone for value in found if (phone := jid.phone(value))), None)
    if lid and phone:
        yield lid, phone


_READERS: Final[Mapping[str, Callable[[Item], Iterator[Pair]]]] = {
    "messages.upsert": _message,
    "send.message": _message,
    "messages.set": _message,
    "messages.delete": _deletion,
    "chama-ai.action": _bot,
    "contacts.set": _contact,
    "contacts.upsert": _contact,
    "contacts.update": _contact,
    "chats.set": _contact,
    "chats.upsert": _contact,
    "chats.update": _contact,
    "groups.upsert": _group,
    "groups.update": _group,
    "group-participants.update": _group,
    "call": _call,
}
