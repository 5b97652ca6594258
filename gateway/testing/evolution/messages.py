"""The calls that send: `POST /message/{call}/{instance}`."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from gateway.testing.evolution import bodies, content, old_bodies, refusals
from gateway.testing.evolution.call import Answer, Call, Endpoint
from gateway.testing.evolution.content import Content
from gateway.testing.evolution.world import Happening, Stored

ACKS: Final = ("SERVER_ACK", "DELIVERY_ACK")
"""What happens to a message that was sent: WhatsApp's server has it, then the person's phone."""
_MOST_REPLY_BUTTONS: Final = 3


def send(call: Call) -> Answer:
    """Send something: store it, tell the webhook, answer with the message."""
    instance, action = call.instance, call.name.partition("/")[2]
    to = _target(call, action)
    if instance.state != "open":
        raise refusals.disconnected()
    _check(action, call)
    if not call.is_on_whatsapp(to):
        raise refusals.not_on_whatsapp(to, str(call.body["number"]))
    made = content.of_send(
        action, call.body, is_old=call.world.is_old, millis=int(call.world.now() * 1000), file=call.file
    )
    data = _message(call, to, made)
    stored = Stored(row=call.world.row_id(), data=data, text=made.text, shape=made.shape, statuses=[], media=made.media)
    instance.messages.append(stored)
    call.world.note(
        Happening(
            kind="reacted" if made.shape == "reaction" else "sent",
            instance=instance.name,
            chat=to,
            id=data["key"]["id"],
            text=made.text,
            shape=made.shape,
            call=action,
            body=call.raw,
            data=data,
        )
    )
    call.emit(instance, "send.message", _echo(call, data))
    acknowledge(call, stored, ACKS)
    return 201, _answer(call, data)


def acknowledge(call: Call, stored: Stored, statuses: tuple[str, ...]) -> None:
    """Say how far a message has come."""
    for status in statuses:
        stored.statuses.append(status)
        call.emit(call.instance, "messages.update", _update(call, stored, status))


def _update(call: Call, stored: Stored, status: str) -> dict[str, Any]:
    key = stored.key
    if call.world.is_old:
        return {
            "id": key["id"],
            "remoteJid": key["remoteJid"],
            "fromMe": key["fromMe"],
            "status": status,
            "datetime": int(call.world.now() * 1000),
            "owner": call.instance.name,
        }
    return {
        "keyId": key["id"],
        "remoteJid": key["remoteJid"],
        "fromMe": key["fromMe"],
        "status": status,
        "instanceId": call.instance.id,
        "messageId": stored.row,
    }


def _target(call: Call, action: str) -> str:
    if action == "sendStatus":
        return "status@broadcast"
    if action == "sendReaction":
        return str(call.body["key"]["remoteJid"])
    return call.jid_of(str(call.body["number"]))


def _message(call: Call, to: str, made: Content) -> dict[str, Any]:
    """The message as the database and 2.x's webhook have it."""
    data: dict[str, Any] = {
        "key": {"remoteJid": to, "fromMe": True, "id": call.world.message_id("3EB0", 22)},
        "pushName": "" if call.world.is_old else "Você",
        "status": "PENDING",
        "message": made.message,
        "contextInfo": _context(call, to),
        "messageType": made.type,
        "messageTimestamp": int(call.world.now()),
    }
    if call.world.is_old:
        return data | {"owner": call.instance.name, "source": "web"}
    return data | {"instanceId": call.instance.id, "source": "web"}


def _context(call: Call, to: str) -> dict[str, Any] | None:
    """Mentions and what is quoted; 2.3.6 adds empty lists in private chats."""
    body = call.body
    mentioned = [each if "@" in each else call.jid_of(each) for each in body.get("mentioned", [])]
    if body.get("mentionsEveryOne") and (group := call.instance.groups.get(to)):
        mentioned = list(group.members)
    context: dict[str, Any] = {"mentionedJid": mentioned} if mentioned else {}
    quoted = body.get("quoted", {})
    if "key" in quoted:
        original = call.instance.find(quoted["key"]["id"])
        words = quoted.get("message") or (original.data["message"] if original else None)
        if words is None:
            raise refusals.failed("Message not found")
        author = quoted["key"].get("participant") or quoted["key"].get("remoteJid") or to
        context |= {"participant": author, "stanzaId": quoted["key"]["id"], "quotedMessage": words}
    if context or call.world.is_old:
        return context or None
    if "@g.us" in to:
        return None
    return {
        "mentionedJid": [],
        "groupMentions": [],
        "ephemeralSettingTimestamp": {"low": int(call.world.now()), "high": 0, "unsigned": False},
        "disappearingMode": {"initiator": 0},
    }


def _echo(call: Call, data: Mapping[str, Any]) -> dict[str, Any]:
    """The message as the webhook shows it."""
    if not call.world.is_old:
        return dict(data)
    stamp = {"low": data["messageTimestamp"], "high": 0, "unsigned": True}
    return {name: value for name, value in data.items() if name != "status"} | {"messageTimestamp": stamp}


def _answer(call: Call, data: Mapping[str, Any]) -> dict[str, Any]:
    if not call.world.is_old:
        return dict(data)
    kept = {name: data[name] for name in ("key", "message", "status")}
    return kept | {"messageTimestamp": str(data["messageTimestamp"])}


def _check(action: str, call: Call) -> None:
    """What the code refuses beyond its schemas (`sendMessage.controller.ts`, `whatsapp.baileys.service.ts`)."""
    body = call.body
    if action == "sendTemplate":
        raise refusals.refusal(400, ["Method not available in the Baileys service"])
    if action == "sendText" and not body["text"]:
        raise refusals.refusal(400, ["Text is required"])
    source = content.media_source(action, body)
    if source is not None and call.file is None:
        if not content.is_url(source) and not content.is_base64(source):
            raise refusals.refusal(400, ["Owned media must be a url or base64"])
        if body.get("mediatype") == "document" and not content.is_url(source) and not body.get("fileName"):
            raise refusals.refusal(400, ["For base64 the file name must be informed."])
    if action == "sendButtons":
        _check_buttons([each["type"] for each in body.get("buttons", [])])
    if action == "sendStatus" and body["type"] == "text" and not (body.get("backgroundColor") and body.get("font")):
        raise refusals.refusal(400, ["Background color and font are required"])


def _check_buttons(types: list[str]) -> None:
    if not types:
        raise refusals.refusal(400, ["At least one button is required"])
    if "reply" in types and set(types) != {"reply"}:
        raise refusals.refusal(400, ["Reply buttons cannot be mixed with other button types"])
    if "reply" in types and len(types) > _MOST_REPLY_BUTTONS:
        raise refusals.refusal(400, ["Maximum of 3 reply buttons allowed"])
    if "pix" in types and len(types) > 1:
        raise refusals.refusal(400, ["Only one PIX button is allowed"])


ENDPOINTS: Final = tuple(
    Endpoint(
        name=f"message/{action}",
        method="POST",
        answer=send,
        body=check,
        old_method="POST" if action in old_bodies.MESSAGES else None,
        old_body=old_bodies.MESSAGES.get(action),
        flat=partial(old_bodies.flat_send, action),
    )
    for action, check in bodies.MESSAGES.items()
)
