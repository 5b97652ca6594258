"""The bodies of Evolution 1.x (src/validate at 1.8.2), and how they read as 2.x ones.

One content in two shapes: 1.x nests it and its options, 2.x lays everything flat. Checked as they came, they are then
made flat, so that what a call does is written once.
"""

from collections.abc import Mapping
from typing import Any, Final

from gateway.testing.evolution import bodies
from gateway.testing.evolution.bodies import KEY, NUMBER, QUOTED, SECTIONS
from gateway.testing.evolution.shapes import Check, anything, boolean, listing, number, record, text

_OPTIONS: Final = record(
    {},
    {
        "delay": number(whole=True, says="Enter a value in milliseconds"),
        "presence": text(choices=bodies.PRESENCES),
        "quoted": QUOTED,
        "linkPreview": boolean(),
        "encoding": boolean(),
        "mentions": record({}, {"everyOne": boolean(), "mentioned": bodies.MENTIONED}),
    },
)


def _send(part: str, content: Check) -> Check:
    return record({"number": NUMBER, part: content}, {"options": _OPTIONS})


PARTS: Final[Mapping[str, str]] = {
    "sendText": "textMessage",
    "sendMedia": "mediaMessage",
    "sendWhatsAppAudio": "audioMessage",
    "sendSticker": "stickerMessage",
    "sendLocation": "locationMessage",
    "sendContact": "contactMessage",
    "sendReaction": "reactionMessage",
    "sendPoll": "pollMessage",
    "sendList": "listMessage",
    "sendButtons": "buttonMessage",
    "sendStatus": "statusMessage",
    "sendTemplate": "templateMessage",
}
"""Under which key each send has its content."""

_STATUS: Final = record(
    {"type": text(choices=("text", "image", "audio", "video"))},
    {
        "content": text(),
        "caption": text(),
        "backgroundColor": text(),
        "font": number(least=0, most=5, whole=True),
        "statusJidList": listing(text(pattern=r"^\d+"), least=1),
        "allContacts": boolean(),
    },
)

MESSAGES: Final[Mapping[str, Check]] = {
    "sendText": _send("textMessage", record({"text": text()})),
    "sendMedia": _send(
        "mediaMessage",
        record(
            {"mediatype": text(choices=("image", "document", "video", "audio")), "media": text()},
            {"caption": text(), "fileName": text(), "mimetype": text()},
        ),
    ),
    "sendWhatsAppAudio": _send("audioMessage", record({"audio": text()})),
    "sendSticker": _send("stickerMessage", record({"image": text()})),
    "sendLocation": _send(
        "locationMessage",
        record({"latitude": number(), "longitude": number()}, {"name": text(least=1), "address": text(least=1)}),
    ),
    "sendContact": _send(
        "contactMessage",
        listing(
            record(
                {"fullName": text(least=1), "phoneNumber": text(least=10)},
                {"wuid": text(least=10, pattern=r"\d+"), "organization": text(), "email": text(), "url": text()},
            ),
            least=1,
        ),
    ),
    "sendReaction": record({"reactionMessage": record({"key": KEY, "reaction": text()})}),
    "sendPoll": _send(
        "pollMessage",
        record(
            {
                "name": text(),
                "selectableCount": number(least=0, most=10, whole=True),
                "values": listing(text(), least=2, most=10),
            }
        ),
    ),
    "sendList": _send(
        "listMessage",
        record(
            {"title": text(), "footerText": text(), "buttonText": text(), "sections": SECTIONS}, {"description": text()}
        ),
    ),
    "sendButtons": _send(
        "buttonMessage",
        record(
            {
                "title": text(),
                "description": text(),
                "buttons": listing(record({"buttonText": text(least=1), "buttonId": text(least=1)}), least=1),
            },
            {"footerText": text(), "mediaMessage": anything},
        ),
    ),
    "sendStatus": record({"statusMessage": _STATUS}),
    "sendTemplate": record(
        {"templateMessage": record({"name": text(), "language": text()}, {"components": listing(anything)})},
        {"number": NUMBER},
    ),
}

CHAT: Final[Mapping[str, Check]] = {
    **bodies.CHAT,
    "markMessageAsRead": record(
        {
            "read_messages": listing(
                record({"id": text(least=1), "fromMe": boolean(), "remoteJid": text(least=1)}), least=1
            )
        }
    ),
    "sendPresence": record(
        {"number": NUMBER, "options": record({"presence": text(choices=bodies.PRESENCES), "delay": number()})}
    ),
    "findContacts": record({}, {"where": record({}, {"id": text(least=1), "pushName": text(least=1)})}),
    "findStatusMessage": record(
        {},
        {"where": record({}, {"remoteJid": text(least=1), "id": text(least=1)}), "limit": number(whole=True)},
    ),
    "findMessages": record(
        {},
        {
            "where": record(
                {}, {"key": record({}, {"id": text(least=1), "fromMe": boolean(), "remoteJid": text(least=1)})}
            ),
            "limit": number(whole=True),
        },
    ),
}

WEBHOOK: Final = record(
    {"url": text(), "events": listing(text(choices=(*bodies.EVENTS, "NEW_JWT_TOKEN", "CHAMA_AI_ACTION")))},
    {"enabled": boolean(), "webhook_by_events": boolean(), "webhook_base64": boolean()},
)
INSTANCE: Final = record(
    {"instanceName": text(least=1)},
    {
        "token": text(),
        "qrcode": boolean(),
        "number": text(),
        "businessId": text(),
        "integration": text(choices=("WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS")),
        "webhook": text(),
        "webhook_by_events": boolean(),
        "webhook_base64": boolean(),
        "events": listing(text()),
        "reject_call": boolean(),
        "msg_call": text(),
        "groups_ignore": boolean(),
        "always_online": boolean(),
        "read_messages": boolean(),
        "read_status": boolean(),
        "sync_full_history": boolean(),
    },
)


def flat_send(call: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A 1.x send as 2.x would be told."""
    options = dict(body.get("options", {}))
    mentions = options.pop("mentions", {})
    content = body[PARTS[call]]
    laid = {"contact": content} if call == "sendContact" else dict(content)
    if call == "sendSticker":
        laid["sticker"] = laid.pop("image")
    if call == "sendButtons":
        laid["footer"] = laid.pop("footerText", "")
        laid["buttons"] = [
            {"type": "reply", "displayText": each["buttonText"], "id": each["buttonId"]} for each in laid["buttons"]
        ]
    mentioned = {"mentionsEveryOne": mentions.get("everyOne"), "mentioned": mentions.get("mentioned")}
    given = {"number": body.get("number"), **{name: value for name, value in mentioned.items() if value}}
    return {**{name: value for name, value in given.items() if value is not None}, **options, **laid}


def flat_webhook(body: Mapping[str, Any]) -> dict[str, Any]:
    """A 1.x `webhook/set` as 2.x would be told."""
    return {
        "enabled": body.get("enabled", True),
        "url": body["url"],
        "byEvents": body.get("webhook_by_events", False),
        "base64": body.get("webhook_base64", False),
        "events": body.get("events", []),
    }
