"""Which key of a WhatsApp message says what it is, and where its text stands.

The content key is never simply the first one: `messageContextInfo` and the media's bytes may stand before it, and
wrappers (view once, disappearing, captioned document, ...) hold the real message one or more levels down.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

Kind = Literal[
    "text",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "location",
    "live_location",
    "contact",
    "contacts",
    "reaction",
    "poll",
    "poll_vote",
    "button_reply",
    "list_reply",
    "template_reply",
    "interactive_reply",
    "buttons",
    "list",
    "template",
    "interactive",
    "edited",
    "album",
    "event",
    "group_invite",
    "product",
    "order",
    "invoice",
    "payment",
    "payment_invite",
    "pin_in_chat",
    "keep_in_chat",
    "call_log",
    "scheduled_call",
    "request_phone_number",
    "newsletter_admin_invite",
    "sticker_pack",
    "protocol",
    "unknown",
]
"""What a message is; `voice` is audio recorded in the chat, `unknown` is content without a kind of its own."""


class Content(NamedTuple):
    """What one content key means."""

    kind: Kind
    text: tuple[str, ...] = ()
    """Dotted paths inside the content of what a person wrote or picked; the first that holds text counts. Never a file
    name, a place's name or a contact's name."""


_POLL: Final = Content("poll", ("name",))
_PAYMENT: Final = Content("payment", ("noteMessage.extendedTextMessage.text", "noteMessage.conversation"))

CONTENTS: Final[Mapping[str, Content]] = {
    "conversation": Content("text"),
    "extendedTextMessage": Content("text", ("text",)),
    "imageMessage": Content("image", ("caption",)),
    "videoMessage": Content("video", ("caption",)),
    "ptvMessage": Content("video", ("caption",)),
    "audioMessage": Content("audio"),
    "documentMessage": Content("document", ("caption",)),
    "stickerMessage": Content("sticker"),
    "locationMessage": Content("location"),
    "liveLocationMessage": Content("live_location", ("caption",)),
    "contactMessage": Content("contact"),
    "contactsArrayMessage": Content("contacts"),
    "reactionMessage": Content("reaction"),
    "pollCreationMessage": _POLL,
    "pollCreationMessageV2": _POLL,
    "pollCreationMessageV3": _POLL,
    "pollCreationMessageV4": _POLL,
    "pollCreationMessageV5": _POLL,
    "pollUpdateMessage": Content("poll_vote"),
    "buttonsResponseMessage": Content("button_reply", ("selectedDisplayText",)),
    "listResponseMessage": Content("list_reply", ("title",)),
    "templateButtonReplyMessage": Content("template_reply", ("selectedDisplayText",)),
    "interactiveResponseMessage": Content("interactive_reply", ("body.text",)),
    "buttonsMessage": Content("buttons", ("contentText",)),
    "listMessage": Content("list", ("description",)),
    "templateMessage": Content(
        "template",
        (
            "hydratedTemplate.hydratedContentText",
            "hydratedFourRowTemplate.hydratedContentText",
            "interactiveMessageTemplate.body.text",
        ),
    ),
    "interactiveMessage": Content("interactive", ("body.text",)),
    "albumMessage": Content("album"),
    "eventMessage": Content("event", ("name",)),
    "groupInviteMessage": Content("group_invite", ("caption",)),
    "productMessage": Content("product", ("body",)),
    "orderMessage": Content("order", ("message",)),
    "invoiceMessage": Content("invoice", ("note",)),
    "sendPaymentMessage": _PAYMENT,
    "requestPaymentMessage": _PAYMENT,
    "paymentInviteMessage": Content("payment_invite"),
    "pinInChatMessage": Content("pin_in_chat"),
    "keepInChatMessage": Content("keep_in_chat"),
    "callLogMesssage": Content("call_log"),  # spelled so in WhatsApp's own protocol
    "scheduledCallCreationMessage": Content("scheduled_call", ("title",)),
    "requestPhoneNumberMessage": Content("request_phone_number"),
    "newsletterAdminInviteMessage": Content("newsletter_admin_invite", ("caption",)),
    "stickerPackMessage": Content("sticker_pack", ("caption",)),
    "protocolMessage": Content("protocol"),
}
"""Every content key with a kind of its own."""

SIDE_KEYS: Final = frozenset(
    {
        "messageContextInfo",
        "senderKeyDistributionMessage",
        "base64",
        "mediaUrl",
        "speechToText",
        "quoted",
        "contextInfo",
    },
)
"""Keys that stand beside the content and never are it."""

BY_MESSAGE_TYPE: Final[Mapping[str, Kind]] = {
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
    "buttonMessage": "buttons",
    "listMessage": "list",
}
"""What `messageType` says about the EVOLUTION channel's messages, whose content has no key of its own."""

MEDIA: Final[frozenset[Kind]] = frozenset({"image", "video", "audio", "voice", "document", "sticker"})
"""Kinds that carry a file."""

PROTOCOL_TYPES: Final[Mapping[int, str]] = {
    0: "REVOKE",
    3: "EPHEMERAL_SETTING",
    4: "EPHEMERAL_SYNC_RESPONSE",
    5: "HISTORY_SYNC_NOTIFICATION",
    6: "APP_STATE_SYNC_KEY_SHARE",
    7: "APP_STATE_SYNC_KEY_REQUEST",
    8: "MSG_FANOUT_BACKFILL_REQUEST",
    9: "INITIAL_SECURITY_NOTIFICATION_SETTING_SYNC",
    10: "APP_STATE_FATAL_EXCEPTION_NOTIFICATION",
    11: "SHARE_PHONE_NUMBER",
    14: "MESSAGE_EDIT",
    16: "PEER_DATA_OPERATION_REQUEST_MESSAGE",
    17: "PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE",
    18: "REQUEST_WELCOME_MESSAGE",
    19: "BOT_FEEDBACK_MESSAGE",
    20: "MEDIA_NOTIFY_MESSAGE",
    21: "CLOUD_API_THREAD_CONTROL_NOTIFICATION",
    22: "LID_MIGRATION_MAPPING_SYNC",
    23: "REMINDER_MESSAGE",
    25: "STATUS_MENTION_MESSAGE",
    26: "STOP_GENERATION_MESSAGE",
    27: "LIMIT_SHARING",
}
"""Names of `protocolMessage.type`, which from 2.3.3 is a number in some events and a name in others."""

STATUSES: Final[Mapping[int, str]] = {
    0: "ERROR",
    1: "PENDING",
    2: "SERVER_ACK",
    3: "DELIVERY_ACK",
    4: "READ",
    5: "PLAYED",
}
"""Names of a message's status where it comes as WhatsApp's number."""
