"""The events of what people do besides writing: being there, calling; and the labels an account puts on chats."""

from datetime import datetime
from typing import ClassVar

import msgspec

from gateway import jid
from gateway.events.base import ChatEvent, Event, Posted
from gateway.events.numbers import instant, iso_instant
from gateway.events.people import Person, known
from gateway.events.reader import Reader


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """What one person is doing in a chat."""

    jid: str
    """Who, without device; in a group the participant, and LIDs are not translated."""
    state: str | None
    """`available`, `unavailable`, `composing` (typing), `recording`. A pause comes as `available`."""
    last_seen: int | None = None
    """Unix seconds, where the person lets it be seen."""
    phone: str | None = None
    """Phone digits, when they are known."""

    @property
    def last_seen_at(self) -> datetime | None:
        """`last_seen` as an aware UTC time."""
        return instant(self.last_seen)


class PresenceUpdate(ChatEvent, frozen=True, kw_only=True):
    """Somebody came online, left, types or records.

    Comes only for chats whose presence was subscribed to, which sending to them does.
    """

    name: ClassVar[str] = "presence.update"

    presences: tuple[Presence, ...]
    """Who does what."""


class CallInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A call, at one moment of its life."""

    id: str | None
    """Id of the call, the same in all its events."""
    caller: Person
    """Who calls."""
    status: str | None
    """`offer`, `ringing`, `accept`, `reject`, `timeout`, `terminate`."""
    is_video: bool | None
    """A video call; None when Evolution missed the offer."""
    is_group: bool | None
    """A group's call; None when Evolution missed the offer."""
    timestamp: int | None
    """Unix seconds, from Evolution's `date`, which here is true UTC."""
    group: str | None = None
    """Jid of the group that is called."""
    offline: bool | None = None
    """It came while the account was not connected."""

    @property
    def at(self) -> datetime | None:
        """`timestamp` as an aware UTC time."""
        return instant(self.timestamp)


class Call(ChatEvent, frozen=True, kw_only=True):
    """Somebody calls, or a call changed (1.4.3 and later). Only the first call of a batch is sent."""

    name: ClassVar[str] = "call"

    call: CallInfo
    """The call."""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A label of the WhatsApp Business application."""

    id: str | None
    """Its id."""
    name: str | None
    """Its text."""
    color: int | None
    """Number of its colour in WhatsApp's palette."""
    deleted: bool | None
    """It is gone."""
    predefined_id: str | None = None
    """WhatsApp's own number of it; None for one that the user made."""


class LabelsEdit(Event, frozen=True, kw_only=True):
    """A label was made, renamed or deleted; a deletion comes twice."""

    name: ClassVar[str] = "labels.edit"

    labels: Label
    """The label."""


class LabelChange(msgspec.Struct, frozen=True, kw_only=True):
    """A label put on a chat, or taken off."""

    type: str | None
    """`add` or `remove`."""
    chat: str | None
    """Jid of the chat. For a label on a message too: Evolution drops the message's id."""
    label_id: str | None
    """Id of the label."""


class LabelsAssociation(ChatEvent, frozen=True, kw_only=True):
    """A label was put on a chat or taken off."""

    name: ClassVar[str] = "labels.association"

    labels: LabelChange
    """The change."""


def presence_update(posted: Posted) -> PresenceUpdate:
    """Read `presence.update`: an object of people."""
    data = posted.object()
    people = data.inner("presences")
    found = tuple(_presence(people, address, posted) for address in people.data) if people else ()
    presences = tuple(presence for presence in found if presence is not None)
    return PresenceUpdate(presences=presences, chat=data.jid("id"), **posted.head())


def _presence(people: Reader, address: str, posted: Posted) -> Presence | None:
    one = people.inner(address)
    if one is None or not address:
        return None
    who = jid.bare(address)
    return Presence(
        jid=who,
        state=one.text("lastKnownPresence"),
        last_seen=one.whole("lastSeen"),
        phone=jid.phone(who) or posted.directory.get(who),
    )


def call(posted: Posted) -> Call:
    """Read `call`."""
    data = posted.object()
    group = data.jid("groupJid")
    info = CallInfo(
        id=data.text("id"),
        caller=known(data, None, posted.directory, "from", "fromPn", "callerPn", "fromLid", "callerLid"),
        status=data.text("status"),
        is_video=data.flag("isVideo"),
        is_group=data.flag("isGroup"),
        timestamp=_seconds(data),
        group=group,
        offline=data.flag("offline"),
    )
    chat = group or data.jid("chatId") or data.jid("from")
    return Call(call=info, chat=chat, **posted.head())


def _seconds(data: Reader) -> int | None:
    """Unix seconds of `date`."""
    text = data.text("date")
    moment = iso_instant(text)
    if text is not None and moment is None:
        data.reject("date", "an ISO 8601 time", text)
    return None if moment is None else int(moment.timestamp())


def labels_edit(posted: Posted) -> LabelsEdit:
    """Read `labels.edit`."""
    data = posted.object()
    label = Label(
        id=data.label("id"),
        name=data.text("name"),
        color=data.whole("color"),
        deleted=data.flag("deleted"),
        predefined_id=data.label("predefinedId"),
    )
    return LabelsEdit(labels=label, **posted.head())


def labels_association(posted: Posted) -> LabelsAssociation:
    """Read `labels.association`."""
    data = posted.object()
    chat = data.jid("chatId")
    change = LabelChange(type=data.text("type"), chat=chat, label_id=data.label("labelId"))
    return LabelsAssociation(labels=change, chat=chat, **posted.head())
