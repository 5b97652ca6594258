"""Turn a parsed envelope into the typed event that its name calls for."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway import names
from gateway.events import activity, bots, connection, contacts, groups, instances, messages
from gateway.events.base import Event, MalformedEvent, Posted, UnknownEvent, WrongContainer
from gateway.events.people import NOBODY, Directory

READERS: Final[Mapping[str, Callable[[Posted], Event]]] = {
    "application.startup": instances.application_startup,
    "qrcode.updated": connection.qrcode_updated,
    "connection.update": connection.connection_update,
    "status.instance": instances.status_instance,
    "messages.set": messages.messages_set,
    "messages.upsert": messages.messages_upsert,
    "messages.edited": messages.messages_edited,
    "messages.update": messages.messages_update,
    "messages.delete": messages.messages_delete,
    "send.message": messages.send_message,
    "send.message.update": messages.send_message_update,
    "contacts.set": contacts.contacts_set,
    "contacts.upsert": contacts.contacts_upsert,
    "contacts.update": contacts.contacts_update,
    "presence.update": activity.presence_update,
    "chats.set": contacts.chats_set,
    "chats.update": contacts.chats_update,
    "chats.upsert": contacts.chats_upsert,
    "chats.delete": contacts.chats_delete,
    "groups.upsert": groups.groups_upsert,
    "groups.update": groups.groups_update,
    "group-participants.update": groups.group_participants_update,
    "call": activity.call,
    "labels.edit": activity.labels_edit,
    "labels.association": activity.labels_association,
    "typebot.start": bots.typebot_start,
    "typebot.change-status": bots.typebot_change_status,
    "chama-ai.action": bots.chama_ai_action,
    "instance.create": instances.instance_create,
    "instance.delete": instances.instance_delete,
    "remove.instance": instances.remove_instance,
    "logout.instance": instances.logout_instance,
    "new.jwt": instances.new_jwt,
    "error": instances.error,
    "creds.update": instances.creds_update,
    "messaging-history.set": instances.messaging_history_set,
}
"""How each known event is read."""


def decode(name: str, raw: Mapping[str, Any], *, directory: Directory | None = None) -> Event:
    """The typed event of a parsed envelope. Never raises, whatever JSON object is given.

    Args:
        name: the event's name, in any spelling; a name nobody knows gives an `UnknownEvent`.
        raw: the envelope as it was posted. It is kept, not copied, and never changed.
        directory: phone digits by LID jid; fills `phone` where the payload shows only a LID.
    """
    reader = READERS.get(name)
    if reader is None:
        known = names.canonical(name)
        if known is None:
            return UnknownEvent(**Posted(name, raw, NOBODY if directory is None else directory).head())
        name, reader = known, READERS[known]
    posted = Posted(name, raw, NOBODY if directory is None else directory)
    try:
        return reader(posted)
    except WrongContainer as wrong:
        posted.problems.append(str(wrong))
        return MalformedEvent(**posted.head())
