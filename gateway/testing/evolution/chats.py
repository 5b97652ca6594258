"""The calls that change something in a chat: `/chat/{call}/{instance}`."""

from typing import Any, Final

from gateway.testing.evolution import bodies, old_bodies, refusals
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.world import Happening

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
        old_method="PUT" if action in _PUT_IN_1 else "same",
        old_body=old_bodies.CHAT[action],
    )
    for action, answer in _ANSWERS.items()
)
