"""The calls about chats, messages and contacts: `/chat/{call}/{instance}`."""

import base64
import math
from collections.abc import Mapping
from typing import Any, Final

from gateway.testing.evolution import bodies, old_bodies, refusals
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.content import MEDIA
from gateway.testing.evolution.world import Happening, Stored, create_jid, matching

PAGE: Final = 50
"""Messages a page of `findMessages` has unless told otherwise (`channel.service.ts`)."""
_PUT_IN_1: Final = frozenset(
    {"markMessageAsRead", "updateMessage", "archiveChat", "markChatUnread", "updateBlockStatus"}
)
_EDIT: Final = 14  # WhatsApp's number of a message edit


def mark_read(call: Call) -> Answer:
    """Blue ticks. 2.3.6 silently passes over LID chats."""
    for each in call.body.get("readMessages") or call.body["read_messages"]:
        if not each["remoteJid"].endswith("@lid"):
            _note(call, "read", each["remoteJid"], each["id"])
    return 201, {"message": "Read messages", "read": "success"}


def send_presence(call: Call) -> Answer:
    """Typing, recording; the wait has passed by now."""
    options = call.body.get("options") or call.body
    return 201, {"presence": options["presence"]}


def note_presence(call: Call) -> None:
    """Somebody sees that the bot is typing; called before the wait."""
    options = call.body.get("options") or call.body
    note_typing(call, options["presence"])


def note_typing(call: Call, presence: str) -> None:
    """The same, for a send that was told to take its time."""
    if "number" in call.body:
        _note(call, "typing", call.jid_of(call.body["number"]), text=presence)


def delete_message(call: Call) -> Answer:
    """Delete for everyone."""
    stored = call.instance.find(call.body["id"])
    if stored is None:
        raise refusals.refusal(400, ["Message not found"])
    _note(call, "deleted", call.body["remoteJid"], call.body["id"])
    call.instance.messages.remove(stored)
    row = {name: value for name, value in stored.data.items() if name != "contextInfo"}
    deleted = {
        "id": stored.row,
        **row,
        "key": {**stored.key, "deleted": True},
        "status": "DELETED",
        "participant": None,
    }
    call.emit(call.instance, "messages.delete", deleted)
    revoke = {"protocolMessage": {"key": dict(call.body), "type": "REVOKE" if call.world.is_old else 0}}
    return 201, _own(call, call.body["remoteJid"], revoke, "protocolMessage")


def edit_message(call: Call) -> Answer:
    """Change the words of a text or a caption."""
    stored = call.instance.find(call.body["key"]["id"])
    if stored is None:
        raise refusals.refusal(400, ["Message not found"])
    if stored.key["remoteJid"] != call.body["key"]["remoteJid"]:
        raise refusals.refusal(400, ["RemoteJid does not match"])
    if stored.shape not in ("text", "image", "video"):
        raise refusals.refusal(400, ["Message not compatible"])
    words = call.body["text"]
    stored.text = words
    _rewrite(stored.data["message"], words)
    _note(call, "edited", stored.key["remoteJid"], stored.key["id"], words)
    edit = {
        "key": {"id": stored.key["id"], "remoteJid": stored.key["remoteJid"], "fromMe": True},
        "editedMessage": {"extendedTextMessage": {"text": words}},
        "timestampMs": int(call.world.now() * 1000),
        "type": _EDIT,
    }
    call.emit(call.instance, "send.message.update", edit)
    return 200, _own(call, stored.key["remoteJid"], {"protocolMessage": edit}, "protocolMessage")


def get_media(call: Call) -> Answer:
    """The bytes of a stored message's media."""
    message = call.body["message"]
    key = message.get("key", {}) if isinstance(message, dict) else {}
    stored = call.instance.find(key.get("id"))
    if stored is None:
        raise refusals.refusal(400, ["Message not found"])
    if stored.shape not in MEDIA or stored.media is None:
        raise refusals.refusal(400, ["The message is not of the media type"])
    block = next(part for name, part in stored.data["message"].items() if name.endswith("Message"))
    suffix = block["mimetype"].partition(";")[0].rpartition("/")[2]
    return 201, {
        "mediaType": stored.data["messageType"],
        "fileName": block.get("fileName") or f"{stored.key['id']}.{suffix}",
        **({"caption": block["caption"]} if block.get("caption") else {}),
        "size": {"fileLength": block["fileLength"], "height": block.get("height"), "width": block.get("width")},
        "mimetype": block["mimetype"],
        "base64": base64.b64encode(stored.media).decode(),
        "buffer": None,
    }


def whatsapp_numbers(call: Call) -> Answer:
    """Which numbers exist."""
    return 200, [_number(call, each) for each in call.body.get("numbers", [])]


def _number(call: Call, number: str) -> dict[str, Any]:
    jid = call.jid_of(number)
    found: dict[str, Any] = {"jid": jid, "exists": call.is_on_whatsapp(jid), "number": number}
    if name := call.instance.names.get(jid):
        found["name"] = name
    if jid.endswith("@lid"):
        found["lid"] = "lid"
    return found


def find_messages(call: Call) -> Answer:
    """Stored messages, the newest first: 2.x by pages, 1.x as a list."""
    where = dict(call.body.get("where", {}))
    if call.world.is_old:
        if "remoteJid" in where.get("key", {}):
            where["key"] = where["key"] | {"remoteJid": create_jid(where["key"]["remoteJid"])}
        found = list(matching(call.instance.messages, where))
        limit = call.body.get("limit") or len(found)
        return 200, [{"_id": each.row, **each.data} for each in found[:limit]]
    found = list(matching(call.instance.messages, where, is_either=call.world.asks_either))
    size, page = call.body.get("offset") or PAGE, call.body.get("page") or 1
    return 200, {
        "messages": {
            "total": len(found),
            "pages": math.ceil(len(found) / size),
            "currentPage": page,
            "records": [_record(each) for each in found[size * (page - 1) :][:size]],
        }
    }


def _record(stored: Stored) -> dict[str, Any]:
    kept = ("key", "pushName", "messageType", "message", "messageTimestamp", "instanceId", "source", "contextInfo")
    updates = [{"status": each} for each in stored.statuses]
    return {"id": stored.row, **{name: stored.data.get(name) for name in kept}, "MessageUpdate": updates}


def find_statuses(call: Call) -> Answer:
    """How far messages have come."""
    where: Mapping[str, Any] = call.body.get("where", {})
    fitting = [
        each
        for each in call.instance.messages
        if where.get("id", each.key["id"]) == each.key["id"]
        and where.get("remoteJid", each.key["remoteJid"]) == each.key["remoteJid"]
    ]
    rows: list[dict[str, Any]] = [
        {
            "id": f"{each.row}{at}",
            "keyId": each.key["id"],
            "remoteJid": each.key["remoteJid"],
            "fromMe": each.key["fromMe"],
            "participant": each.key.get("participant"),
            "pollUpdates": None,
            "status": status,
            "messageId": each.row,
            "instanceId": call.instance.id,
        }
        for each in fitting
        for at, status in enumerate(each.statuses)
    ]
    return 200, rows[: call.body.get("limit")]


def find_contacts(call: Call) -> Answer:
    """Who has written."""
    where: Mapping[str, Any] = call.body.get("where", {})
    wanted = where.get("remoteJid") or where.get("id")
    found = {each: name for each, name in call.instance.names.items() if wanted in (None, each)}
    if call.world.is_old:
        own = call.instance.name
        return 200, [
            {"id": each, "pushName": name, "profilePictureUrl": None, "owner": own} for each, name in found.items()
        ]
    return 200, [
        {
            "id": f"contact-{each}",
            "remoteJid": each,
            "pushName": name,
            "profilePicUrl": None,
            "createdAt": call.instance.created,
            "updatedAt": call.instance.created,
            "instanceId": call.instance.id,
            "isGroup": each.endswith("@g.us"),
            "isSaved": True,
            "type": "group" if each.endswith("@g.us") else "contact",
        }
        for each, name in found.items()
    ]


def find_chats(call: Call) -> Answer:
    """The chats, the one with the newest message first."""
    newest = {each.key["remoteJid"]: each for each in call.instance.messages}
    names = call.instance.names
    if call.world.is_old:
        return 200, [{"id": jid, "owner": call.instance.name} for jid in newest]
    return 200, [
        {
            "id": f"chat-{jid}",
            "remoteJid": jid,
            "pushName": names.get(jid),
            "lastMessage": {"id": last.row, **last.data},
        }
        for jid, last in sorted(newest.items(), key=lambda pair: -pair[1].data["messageTimestamp"])
    ]


def fetch_picture(call: Call) -> Answer:
    """Nobody here shows a face."""
    return 200, {"wuid": call.jid_of(call.body["number"]), "profilePictureUrl": None}


def fetch_profile(call: Call) -> Answer:
    """What is known of a person."""
    jid = call.jid_of(call.body["number"])
    return 200, {
        "wuid": jid,
        "name": call.instance.names.get(jid),
        "numberExists": call.is_on_whatsapp(jid),
        "picture": None,
        "status": None,
        "isBusiness": False,
    }


def archive(call: Call) -> Answer:
    """Put a chat away, or take it out."""
    last = call.body.get("lastMessage", {}).get("key", {})
    return 201, {"chatId": last.get("remoteJid") or call.body.get("chat"), "archived": call.body["archive"]}


def mark_unread(call: Call) -> Answer:
    """A green dot at a chat."""
    last = call.body.get("lastMessage", {}).get("key", {})
    return 201, {"chatId": last.get("remoteJid") or call.body.get("chat"), "markedChatUnread": True}


def block(_call: Call) -> Answer:
    """Block somebody, or no longer: the answer is the same."""
    return 201, {"block": "success"}


def _note(call: Call, kind: Any, chat: str, message_id: str = "", text: str = "") -> None:  # noqa: ANN401
    call.world.note(
        Happening(kind=kind, instance=call.instance.name, chat=chat, id=message_id, text=text, body=call.raw)
    )


def _own(call: Call, chat: str, message: dict[str, Any], kind: str) -> dict[str, Any]:
    """A message of the account itself that nobody reads as such."""
    return {
        "key": {"remoteJid": chat, "fromMe": True, "id": call.world.message_id("3EB0", 22)},
        "message": message,
        "messageType": kind,
        "messageTimestamp": int(call.world.now()),
        "status": "PENDING",
    }


def _rewrite(message: dict[str, Any], words: str) -> None:
    if "conversation" in message:
        message["conversation"] = words
    for block in message.values():
        if isinstance(block, dict):
            block |= {name: words for name in ("text", "caption") if name in block}


_ANSWERS: Final = {
    "markMessageAsRead": mark_read,
    "sendPresence": send_presence,
    "deleteMessageForEveryone": delete_message,
    "updateMessage": edit_message,
    "getBase64FromMediaMessage": get_media,
    "whatsappNumbers": whatsapp_numbers,
    "findContacts": find_contacts,
    "findMessages": find_messages,
    "findStatusMessage": find_statuses,
    "findChats": find_chats,
    "fetchProfilePictureUrl": fetch_picture,
    "fetchProfile": fetch_profile,
    "archiveChat": archive,
    "markChatUnread": mark_unread,
    "updateBlockStatus": block,
}

ENDPOINTS: Final = tuple(
    Endpoint(
        name=f"chat/{action}",
        method="DELETE" if action == "deleteMessageForEveryone" else "POST",
        answer=answer,
        body=bodies.CHAT[action],
        old_method="PUT" if action in _PUT_IN_1 else "GET" if action == "findChats" else "same",
        old_body=old_bodies.CHAT[action],
    )
    for action, answer in _ANSWERS.items()
)
