"""The calls that look something up: `/chat/{call}/{instance}`."""

import base64
import math
from collections.abc import Mapping
from typing import Any, Final

from gateway.testing.evolution import bodies, old_bodies, refusals
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.content import MEDIA
from gateway.testing.evolution.world import Stored, create_jid, matching

PAGE: Final = 50
"""Messages a page of `findMessages` has unless told otherwise (`channel.service.ts`)."""


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


_ANSWERS: Final = {
    "getBase64FromMediaMessage": get_media,
    "whatsappNumbers": whatsapp_numbers,
    "findContacts": find_contacts,
    "findMessages": find_messages,
    "findStatusMessage": find_statuses,
    "findChats": find_chats,
    "fetchProfilePictureUrl": fetch_picture,
    "fetchProfile": fetch_profile,
}

ENDPOINTS: Final = tuple(
    Endpoint(
        name=f"chat/{action}",
        method="POST",
        answer=answer,
        body=bodies.CHAT[action],
        old_method="GET" if action == "findChats" else "same",
        old_body=old_bodies.CHAT[action],
    )
    for action, answer in _ANSWERS.items()
)
