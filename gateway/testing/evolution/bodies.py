"""What Evolution 2.x takes as the body of each call: its schemas (src/validate at 2.3.6), and what its code reads.

Written without a look at any client, so that a client that agrees with itself only is found out.
"""

from collections.abc import Mapping
from typing import Final

from gateway.testing.evolution.shapes import Check, anything, boolean, listing, number, record, strings, text

NUMBER: Final = text(says="Invalid format")
DELAY: Final = number(whole=True, says="Enter a value in milliseconds")
KEY: Final = record(
    {"id": text(least=1), "remoteJid": text(least=1), "fromMe": boolean()}, {"participant": text(least=1)}
)
QUOTED: Final = record(
    {},
    {
        "key": record({"id": text(least=1)}, {"remoteJid": text(), "fromMe": boolean(), "participant": text()}),
        "message": anything,
    },
)
MENTIONED: Final = listing(text(pattern=r"^\d+", says='"mentioned" must be an array of numeric strings'), least=1)
PHONES: Final = listing(
    text(least=10, pattern=r"\d+", says='"participants" must be an array of numeric strings'), least=1
)
PRESENCES: Final = ("unavailable", "available", "composing", "recording", "paused")
LAST_MESSAGE: Final = record({"key": KEY}, {"messageTimestamp": number(whole=True)})
GROUP: Final = text(pattern=r"^[\d-]+@g.us$")
EVENTS: Final = (
    *("APPLICATION_STARTUP", "QRCODE_UPDATED", "MESSAGES_SET", "MESSAGES_UPSERT", "MESSAGES_EDITED"),
    *("MESSAGES_UPDATE", "MESSAGES_DELETE", "SEND_MESSAGE", "SEND_MESSAGE_UPDATE", "CONTACTS_SET", "CONTACTS_UPSERT"),
    *("CONTACTS_UPDATE", "PRESENCE_UPDATE", "CHATS_SET", "CHATS_UPSERT", "CHATS_UPDATE", "CHATS_DELETE"),
    *("GROUPS_UPSERT", "GROUP_UPDATE", "GROUP_PARTICIPANTS_UPDATE", "CONNECTION_UPDATE", "LABELS_EDIT"),
    *("LABELS_ASSOCIATION", "CALL", "TYPEBOT_START", "TYPEBOT_CHANGE_STATUS", "REMOVE_INSTANCE", "LOGOUT_INSTANCE"),
    *("INSTANCE_CREATE", "INSTANCE_DELETE", "STATUS_INSTANCE"),
)
"""The 31 names that `webhook/set` of 2.3.6 takes; GROUPS_UPDATE is not among them."""

_OPTIONS: Final[Mapping[str, Check]] = {
    "delay": DELAY,
    "quoted": QUOTED,
    "mentionsEveryOne": boolean(),
    "mentioned": MENTIONED,
}
_CONTACT: Final = record(
    {"fullName": text(least=1), "phoneNumber": text(least=10)},
    {
        "wuid": text(least=10, pattern=r"\d+", says='"wuid" must be a numeric string'),
        "organization": text(),
        "email": text(),
        "url": text(),
    },
)
SECTIONS: Final = listing(
    record(
        {
            "title": text(least=1),
            "rows": listing(
                record({"title": text(least=1), "rowId": text(least=1)}, {"description": text(least=1)}), least=1
            ),
        }
    ),
    least=1,
)
_BUTTON: Final = record(
    {"type": text(choices=("reply", "copy", "url", "call", "pix"))},
    {
        "displayText": text(),
        "id": text(least=1),
        "url": text(least=1),
        "copyCode": text(),
        "phoneNumber": text(least=1),
        "currency": text(),
        "name": text(),
        "keyType": text(choices=("phone", "email", "cpf", "cnpj", "random")),
        "key": text(),
    },
)
_WEBHOOK: Final = {
    "url": text(least=1),
    "headers": strings(),
    "byEvents": boolean(),
    "base64": boolean(),
    "events": listing(text(choices=EVENTS)),
}


def _send(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A send to somebody, with the options all of them share."""
    return record({"number": NUMBER, **required}, {**_OPTIONS, **(optional or {})})


def _grouped(required: Mapping[str, Check]) -> Check:
    """A change of a group; its jid may stand in the query too, and is merged into the body."""
    return record({"groupJid": GROUP, **required})


MESSAGES: Final[Mapping[str, Check]] = {
    "sendText": _send({"text": text()}, {"linkPreview": boolean()}),
    "sendMedia": _send(
        {"mediatype": text(choices=("image", "document", "video", "audio"))},
        {"media": text(), "mimetype": text(), "caption": text(), "fileName": text()},
    ),
    "sendPtv": _send({}, {"video": text()}),
    "sendWhatsAppAudio": _send({}, {"audio": text(), "encoding": boolean()}),
    "sendSticker": _send({}, {"sticker": text(), "notConvertSticker": boolean()}),
    "sendLocation": _send({"latitude": number(), "longitude": number(), "name": text(), "address": text()}),
    "sendContact": _send({"contact": listing(_CONTACT, least=1)}),
    "sendReaction": record({"key": KEY, "reaction": text()}),
    "sendPoll": _send(
        {
            "name": text(),
            "selectableCount": number(least=0, most=10, whole=True),
            "values": listing(text(), least=2, most=10),
        }
    ),
    "sendList": _send(
        {"title": text(), "footerText": text(), "buttonText": text(), "sections": SECTIONS}, {"description": text()}
    ),
    "sendButtons": _send(
        {"title": text()},
        {"description": text(), "footer": text(), "thumbnailUrl": text(), "buttons": listing(_BUTTON)},
    ),
    "sendStatus": record(
        {"type": text(choices=("text", "image", "audio", "video"))},
        {
            "content": text(),
            "caption": text(),
            "backgroundColor": text(),
            "font": number(least=0, most=5, whole=True),
            "statusJidList": listing(text(pattern=r"^\d+"), least=1),
            "allContacts": boolean(),
        },
    ),
    "sendTemplate": record(
        {"name": text(), "language": text()}, {"number": NUMBER, "components": listing(anything), "webhookUrl": text()}
    ),
}

CHAT: Final[Mapping[str, Check]] = {
    "markMessageAsRead": record(
        {
            "readMessages": listing(
                record({"id": text(least=1), "fromMe": boolean(), "remoteJid": text(least=1)}), least=1
            )
        }
    ),
    "sendPresence": record({"number": NUMBER, "presence": text(choices=PRESENCES), "delay": number()}),
    "deleteMessageForEveryone": KEY,
    "updateMessage": record({"number": text(least=1), "key": KEY, "text": text(least=1)}),
    "getBase64FromMediaMessage": record({"message": anything}, {"convertToMp4": boolean()}),
    "whatsappNumbers": record(
        {"numbers": listing(text(says='"numbers" must be an array of numeric strings'), least=1)}
    ),
    "findContacts": record(
        {},
        {
            "where": record({}, {"remoteJid": text(least=1), "id": text(least=1), "pushName": text(least=1)}),
            "page": number(whole=True),
            "offset": number(whole=True),
        },
    ),
    "findMessages": record(
        {},
        {
            "where": record(
                {},
                {
                    "id": text(least=1),
                    "key": record(
                        {},
                        {
                            "id": text(least=1),
                            "fromMe": boolean(),
                            "remoteJid": text(least=1),
                            "remoteJidAlt": text(),
                            "participant": text(),
                        },
                    ),
                    "messageType": text(),
                    "source": text(),
                    "messageTimestamp": record({"gte": text(), "lte": text()}),
                },
            ),
            "page": number(whole=True),
            "offset": number(whole=True),
        },
    ),
    "findStatusMessage": record(
        {},
        {
            "where": record({}, {"remoteJid": text(least=1), "id": text(least=1)}),
            "page": number(whole=True),
            "offset": number(whole=True),
        },
    ),
    "findChats": record({}, {"where": record({}, {"remoteJid": text()}), "page": number(), "offset": number()}),
    "fetchProfilePictureUrl": record({"number": text()}),
    "fetchProfile": record({"number": text()}),
    "archiveChat": record({"archive": boolean()}, {"chat": text(), "lastMessage": LAST_MESSAGE}),
    "markChatUnread": record({"lastMessage": LAST_MESSAGE}, {"chat": text()}),
    "updateBlockStatus": record({"number": text(least=1), "status": text(choices=("block", "unblock"))}),
}

GROUPS: Final[Mapping[str, Check]] = {
    "create": record(
        {"subject": text(least=1), "participants": PHONES},
        {"description": text(least=1), "promoteParticipants": boolean()},
    ),
    "findGroupInfos": _grouped({}),
    "fetchAllGroups": record({"getParticipants": text(choices=("true", "false"))}),
    "participants": _grouped({}),
    "updateParticipant": _grouped(
        {"action": text(choices=("add", "remove", "promote", "demote")), "participants": PHONES}
    ),
    "updateGroupSubject": _grouped({"subject": text(least=1)}),
    "updateGroupDescription": _grouped({"description": text(least=1)}),
    "updateGroupPicture": _grouped({"image": text(least=1)}),
    "updateSetting": _grouped({"action": text(choices=("announcement", "not_announcement", "locked", "unlocked"))}),
    "toggleEphemeral": _grouped({"expiration": number()}),
    "inviteCode": _grouped({}),
    "inviteInfo": record({"inviteCode": text(pattern=r"^[a-zA-Z0-9]{22}$")}),
    "acceptInviteCode": record({"inviteCode": text(pattern=r"^[a-zA-Z0-9]{22}$")}),
    "sendInvite": record({"groupJid": text(least=1), "description": text(least=1), "numbers": PHONES}),
    "revokeInviteCode": _grouped({}),
    "leaveGroup": _grouped({}),
}

WEBHOOK: Final = record({"webhook": record({"enabled": boolean(), "url": text(least=1)}, _WEBHOOK)})
INSTANCE: Final = record(
    {
        "instanceName": text(least=1),
        "integration": text(choices=("WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION")),
    },
    {
        "token": text(),
        "qrcode": boolean(),
        "number": text(),
        "businessId": text(),
        "rejectCall": boolean(),
        "msgCall": text(),
        "groupsIgnore": boolean(),
        "alwaysOnline": boolean(),
        "readMessages": boolean(),
        "readStatus": boolean(),
        "syncFullHistory": boolean(),
        "webhook": record({}, {**_WEBHOOK, "enabled": boolean()}),
    },
)
PRESENCE: Final = record({"presence": text(choices=PRESENCES)})
