"""The events of contacts and chats: who is known, and what their chats are called."""

from typing import ClassVar

import msgspec

from gateway import jid
from gateway.events.base import Event, Posted
from gateway.events.people import Directory, known
from gateway.events.reader import Reader, describe, objects


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person or group that the account knows."""

    jid: str | None
    """Address without device; None on the Business channel, where Evolution loses it."""
    name: str | None = None
    """Name the person gave themselves, a group's subject in lists, or the jid's digits where nothing else is known.
    None for a group after a message in it: Evolution would give the sender's name there."""
    picture_url: str | None = None
    """Profile picture. None when there is none, when it is hidden, and always in the list after a sync."""
    phone: str | None = None
    """Telephone number, digits; None for groups and where only the LID is known."""
    lid: str | None = None
    """Opaque identity `...@lid`, if shown."""


class ContactsEvent(Event, frozen=True, kw_only=True):
    """An event that brings contacts."""

    contacts: tuple[Contact, ...]
    """The contacts; one after a message, many after a sync."""


class ContactsSet(ContactsEvent, frozen=True, kw_only=True):
    """All contacts. Documented and selectable, but no Evolution version sends it."""

    name: ClassVar[str] = "contacts.set"


class ContactsUpsert(ContactsEvent, frozen=True, kw_only=True):
    """Contacts became known: after a sync as a list, after each message of a new contact as one."""

    name: ClassVar[str] = "contacts.upsert"


class ContactsUpdate(ContactsEvent, frozen=True, kw_only=True):
    """A contact's name or picture was seen again or changed; it comes before the message that caused it."""

    name: ClassVar[str] = "contacts.update"


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat of the account."""

    jid: str | None
    """Address without device; None when a contact was renamed: Evolution gives only its database id."""
    name: str | None = None
    """Name of the chat, if given."""
    unread: int | None = None
    """Unread messages; None where the event doesn't say."""


class ChatsEvent(Event, frozen=True, kw_only=True):
    """An event that brings chats."""

    chats: tuple[Chat, ...]
    """The chats; can be empty."""


class ChatsSet(ChatsEvent, frozen=True, kw_only=True):
    """Chats that a history sync brought and Evolution did not know."""

    name: ClassVar[str] = "chats.set"


class ChatsUpsert(ChatsEvent, frozen=True, kw_only=True):
    """Chats became known, or a contact was renamed."""

    name: ClassVar[str] = "chats.upsert"


class ChatsUpdate(ChatsEvent, frozen=True, kw_only=True):
    """Something about chats changed; Evolution never says what."""

    name: ClassVar[str] = "chats.update"


class ChatsDelete(ChatsEvent, frozen=True, kw_only=True):
    """Chats were deleted."""

    name: ClassVar[str] = "chats.delete"


def contacts_set(posted: Posted) -> ContactsSet:
    """Read `contacts.set`."""
    return ContactsSet(contacts=_contacts(posted), **posted.head())


def contacts_upsert(posted: Posted) -> ContactsUpsert:
    """Read `contacts.upsert`."""
    return ContactsUpsert(contacts=_contacts(posted), **posted.head())


def contacts_update(posted: Posted) -> ContactsUpdate:
    """Read `contacts.update`."""
    return ContactsUpdate(contacts=_contacts(posted), **posted.head())


def chats_set(posted: Posted) -> ChatsSet:
    """Read `chats.set`."""
    return ChatsSet(chats=_chats(posted), **posted.head())


def chats_upsert(posted: Posted) -> ChatsUpsert:
    """Read `chats.upsert`."""
    return ChatsUpsert(chats=_chats(posted), **posted.head())


def chats_update(posted: Posted) -> ChatsUpdate:
    """Read `chats.update`."""
    return ChatsUpdate(chats=_chats(posted), **posted.head())


def chats_delete(posted: Posted) -> ChatsDelete:
    """Read `chats.delete`, a list of jids."""
    items = posted.data if type(posted.data) is list else posted.items()
    chats = (_deleted(item, at, posted.problems) for at, item in enumerate(items))
    return ChatsDelete(chats=tuple(chat for chat in chats if chat is not None), **posted.head())


def _contacts(posted: Posted) -> tuple[Contact, ...]:
    alone = type(posted.data) is dict
    return tuple(_contact(item, posted.directory, alone=alone) for item in posted.items())


def _contact(item: Reader, directory: Directory, *, alone: bool) -> Contact:
    """A single contact comes after a message; for a group it then bears the name of whoever wrote."""
    address = _address(item)
    group = address is not None and jid.kind(address) == "group"
    name = item.text("pushName") or item.text("name")
    who = known(item, None, directory, "remoteJid", "id", "lid", "jid", "phoneNumber", "remoteJidAlt")
    return Contact(
        jid=address,
        name=None if group and alone else name,
        picture_url=item.first_text("profilePicUrl", "profilePictureUrl"),
        phone=who.phone if address else None,
        lid=who.lid if address else None,
    )


def _chats(posted: Posted) -> tuple[Chat, ...]:
    return tuple(_chat(item) for item in posted.items())


def _chat(item: Reader) -> Chat:
    return Chat(jid=_address(item), name=item.text("name"), unread=item.whole("unreadMessages"))


def _deleted(item: object, at: int, problems: list[str]) -> Chat | None:
    if type(item) is str and item:
        return Chat(jid=jid.bare(item))
    if isinstance(item, Reader):
        return _chat(item)
    if type(item) is dict:
        return _chat(objects(item, f"data[{at}]", problems)[0])
    problems.append(f"data[{at}]: expected a jid, found {describe(item)}")
    return None


def _address(item: Reader) -> str | None:
    """`remoteJid` since 2.0, `id` before; an `id` without server is a row of Evolution's database."""
    address = item.jid("remoteJid")
    if address is not None:
        return address
    row = item.jid("id")
    return row if row is not None and "@" in row else None
