"""The normalised view: what a handler sees, as plain JSON with stable names.

`gateway decode` prints it, and people who compare versions of Evolution or write a handler in their head read it. It
holds what the families of events have in common; rarer attributes stay on the typed event.
"""

from functools import singledispatch
from typing import Any, Final

from gateway import names
from gateway.envelope import chat_of
from gateway.events import (
    Call,
    ChatsEvent,
    ConnectionUpdate,
    ContactsEvent,
    Event,
    Group,
    GroupParticipantsUpdate,
    GroupsUpdate,
    GroupsUpsert,
    InstanceEvent,
    LabelsAssociation,
    LabelsEdit,
    Media,
    Message,
    MessageEvent,
    MessagesDelete,
    MessagesEdited,
    MessagesSet,
    MessagesUpdate,
    PresenceUpdate,
    QrcodeUpdated,
    Quoted,
    SendMessageUpdate,
    StatusInstance,
    TypebotChangeStatus,
    TypebotStart,
)

View = dict[str, Any]

_NEVER_SUFFIXED: Final = frozenset({"error", "new.jwt"})
"""Events that Evolution posts to a URL of their own, without a suffix."""


def to_view(event: Event) -> View:
    """The view of any event; `problems` is there only when there are some."""
    view: View = {
        "event": event.event,
        "suffix": None if event.event in _NEVER_SUFFIXED else names.spell(event.event),
        "instance": event.instance,
        "lane": chat_of(event.event, event.raw.get("data")),
    }
    view |= _family(event)
    if event.problems:
        view["problems"] = list(event.problems)
    return view


@singledispatch
def _family(_event: Event) -> View:
    """What the events of one family have in common."""
    return {}


@_family.register
def _(event: MessageEvent) -> View:
    return {"message": _message(event.message)}


@_family.register
def _(event: MessagesSet) -> View:
    return {"items": [_message(item) for item in event.items]}


@_family.register
def _(event: MessagesUpdate) -> View:
    votes = event.update.poll_votes
    view = _pick(event.update, "message_id", "chat", "from_me", "status")
    if votes is not None:
        view["poll_votes"] = [{"option": vote.option, "voters": list(vote.voters)} for vote in votes]
    return {"update": view}


@_family.register
def _(event: MessagesDelete) -> View:
    return {"deleted": _pick(event.deleted, "message_id", "chat", "from_me", "participant")}


@_family.register(MessagesEdited)
@_family.register(SendMessageUpdate)
def _(event: MessagesEdited | SendMessageUpdate) -> View:
    return {"edit": _pick(event.edit, "is_edit", "message_id", "text", "protocol_type")}


@_family.register
def _(event: ContactsEvent) -> View:
    return {"contacts": [_pick(contact, "jid", "name", "picture_url") for contact in event.contacts]}


@_family.register
def _(event: ChatsEvent) -> View:
    return {"chats": [_pick(chat, "jid", "name", "unread") for chat in event.chats]}


@_family.register
def _(event: PresenceUpdate) -> View:
    return {"presences": [_pick(presence, "jid", "state", "last_seen") for presence in event.presences]}


@_family.register(GroupsUpsert)
@_family.register(GroupsUpdate)
def _(event: GroupsUpsert | GroupsUpdate) -> View:
    return {"groups": [_group(group) for group in event.groups]}


@_family.register
def _(event: GroupParticipantsUpdate) -> View:
    members = [_pick(member, "jid", "phone", "lid", "admin") for member in event.change.participants]
    return {"change": {**_pick(event.change, "group", "action", "author"), "participants": members}}


@_family.register
def _(event: ConnectionUpdate) -> View:
    return {"connection": _pick(event.connection, "state", "reason", "phone", "profile_name")}


@_family.register
def _(event: QrcodeUpdated) -> View:
    return {"qr": _pick(event.qr, "code", "pairing_code", "has_image", "limit_reached")}


@_family.register
def _(event: Call) -> View:
    call = event.call
    return {
        "call": {
            "id": call.id,
            "from": call.caller.jid,
            **_pick(call, "status", "is_video", "is_group", "timestamp"),
        },
    }


@_family.register
def _(event: LabelsEdit) -> View:
    return {"labels": _pick(event.labels, "id", "name", "color", "deleted", "predefined_id")}


@_family.register
def _(event: LabelsAssociation) -> View:
    return {"labels": _pick(event.labels, "type", "chat", "label_id")}


@_family.register
def _(event: TypebotStart) -> View:
    view = _pick(event.typebot, "chat", "url", "typebot", "session_id")
    return {"typebot": {**view, "variables": dict(event.typebot.variables)}}


@_family.register
def _(event: TypebotChangeStatus) -> View:
    return {"typebot": _pick(event.typebot, "chat", "status", "session_id", "url", "typebot")}


@_family.register
def _(event: InstanceEvent) -> View:
    return {"instance_event": _pick(event.instance_event, "action", "name", "id")}


@_family.register
def _(event: StatusInstance) -> View:
    fields = ("action", "name", "id", "status", "reason", "disconnected_at")
    return {"instance_event": _pick(event.instance_event, *fields)}


def _group(group: Group) -> View:
    members = group.participants
    return {**_pick(group, "jid", "subject"), "participants": None if members is None else len(members)}


def _pick(value: object, *fields: str) -> View:
    return {field: getattr(value, field) for field in fields}


def _message(message: Message) -> View:
    return {
        **_pick(message, "id", "chat", "from_me"),
        "sender": _pick(message.sender, "jid", "phone", "lid", "name"),
        **_pick(message, "is_group", "is_status", "is_newsletter", "kind", "text"),
        "reaction": _pick(message.reaction, "emoji", "target_id") if message.reaction else None,
        "mentions": list(message.mentions),
        "quoted": _quoted(message.quoted) if message.quoted else None,
        "media": _media(message.media) if message.media else None,
        **_pick(message, "forwarded", "timestamp", "status", "message_type", "device"),
    }


def _quoted(quoted: Quoted) -> View:
    return _pick(quoted, "id", "sender", "text", "kind")


def _media(media: Media) -> View:
    return _pick(media, "mimetype", "size", "filename", "seconds", "caption", "has_base64", "url")
