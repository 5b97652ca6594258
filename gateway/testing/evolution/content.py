"""The content of a message: what WhatsApp makes of a send's flat body, in the encoding of the version played.

The blocks of media come from the samples, so that their keys, their bytes and their Long objects are what a real server
writes.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
import orjson

from gateway import samples

MEDIA: Final = ("image", "video", "audio", "voice", "document", "sticker", "ptv")
"""The shapes that have bytes."""
_PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

_BLOCKS: Final[Mapping[str, tuple[str, str, str]]] = {  # shape: key, sample, type where nobody says one
    "image": ("imageMessage", "messages-upsert__image-v236", "image/jpeg"),
    "video": ("videoMessage", "messages-upsert__video-v236", "video/mp4"),
    "ptv": ("ptvMessage", "messages-upsert__ptv-v236", "video/mp4"),
    "audio": ("audioMessage", "send-message__audio-v236", "audio/mpeg"),
    "voice": ("audioMessage", "send-message__audio-v236", "audio/ogg; codecs=opus"),
    "document": ("documentMessage", "messages-upsert__document-v236", "application/pdf"),
    "sticker": ("stickerMessage", "messages-upsert__image-v236", "image/webp"),
}
_OLD_BLOCK: Final = ("imageMessage", "messages-upsert__image-base64-v18")  # 1.x encodes all media alike
_NOT_A_STICKERS: Final = frozenset({"caption", "jpegThumbnail", "scanLengths", "interactiveAnnotations", "annotations"})


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a message."""

    shape: str
    """`text`, `image`, `poll`, ..."""
    type: str
    """Evolution's messageType."""
    message: dict[str, Any]
    text: str = ""
    """What a person reads of it."""
    media: bytes | None = None


def text(words: str, *, is_old: bool = False, sent: bool = False) -> Content:
    """A text; 1.x wraps those it sends."""
    if is_old and sent:
        message: dict[str, Any] = {"extendedTextMessage": {"text": words}}
    else:
        message = {"conversation": words}
    return Content(shape="text", type=next(iter(message)), message=message, text=words)


def media(
    shape: str, data: bytes | None, *, is_old: bool, caption: str = "", mimetype: str = "", file_name: str = ""
) -> Content:
    """An image, video, audio, voice note, document, sticker or round video."""
    key, sample, usual_type = _BLOCKS[shape]
    block = dict(samples.load(_OLD_BLOCK[1])["data"]["message"][_OLD_BLOCK[0]] if is_old else _block(sample))
    for name in ("caption", "fileName", "title", *(_NOT_A_STICKERS if shape == "sticker" else ())):
        block.pop(name, None)
    size = len(data) if data is not None else 0
    block["mimetype"] = mimetype or usual_type
    block["fileLength"] = str(size) if is_old else {"low": size, "high": 0, "unsigned": True}
    if shape == "document":
        block |= {"fileName": file_name, "title": file_name}
    if key == "audioMessage":
        block["ptt"] = shape == "voice"
    if caption:
        block["caption"] = caption
    return Content(shape=shape, type=key, message={key: block}, text=caption, media=data)


def _block(sample: str) -> dict[str, Any]:
    message: dict[str, Any] = samples.load(sample)["data"]["message"]
    return next(part for name, part in message.items() if name.endswith("Message"))


def reaction(key: Mapping[str, Any], emoji: str, millis: int) -> Content:
    """An emoji under a message; an empty one takes it away."""
    block = {"key": dict(key), "text": emoji, "senderTimestampMs": millis}
    return Content(shape="reaction", type="reactionMessage", message={"reactionMessage": block}, text=emoji)


def offers(shape: str, message: Mapping[str, Any]) -> dict[str, str]:
    """What can be picked below a message, by id: buttons, the rows of a list, the options of a poll."""
    if shape == "poll":
        return {each["optionName"]: each["optionName"] for part in message.values() for each in part["options"]}
    if shape == "list":
        return {row["rowId"]: row["title"] for part in message["listMessage"]["sections"] for row in part["rows"]}
    if shape == "buttons":
        flow = message["viewOnceMessage"]["message"]["interactiveMessage"]["nativeFlowMessage"]
        pressed = [orjson.loads(each["buttonParamsJson"]) for each in flow["buttons"]]
        return {each.get("id") or each.get("display_text", ""): each.get("display_text", "") for each in pressed}
    return {}


def vote(key: Mapping[str, Any], label: str, millis: int) -> Content:
    """An option of a poll, as 2.3.7 decodes it; versions before deliver no votes."""
    sample: dict[str, Any] = samples.load("messages-upsert__poll-vote-v237")["data"]["message"]["pollUpdateMessage"]
    block = sample | {
        "pollCreationMessageKey": dict(key),
        "vote": sample["vote"] | {"selectedOptions": [label]},
        "senderTimestampMs": {"low": millis & 0x7FFFFFFF, "high": millis >> 32, "unsigned": False},
    }
    return Content(shape="choice", type="pollUpdateMessage", message={"pollUpdateMessage": block}, text=label)


def of_send(call: str, body: Mapping[str, Any], *, is_old: bool, millis: int, file: bytes | None = None) -> Content:
    """What a send's body, made flat, becomes."""
    if call in _MEDIA_CALLS:
        return _sent_media(call, body, file, is_old=is_old)
    if call == "sendText":
        return text(body["text"], is_old=is_old, sent=True)
    if call == "sendReaction":
        return reaction(body["key"], body["reaction"], millis)
    return _OTHERS[call](body)


_MEDIA_CALLS: Final[Mapping[str, str]] = {
    "sendMedia": "media",
    "sendPtv": "video",
    "sendWhatsAppAudio": "audio",
    "sendSticker": "sticker",
}
"""Under which key each has its URL or base64."""


def _sent_media(call: str, body: Mapping[str, Any], file: bytes | None, *, is_old: bool) -> Content:
    shape = {"sendPtv": "ptv", "sendWhatsAppAudio": "voice", "sendSticker": "sticker"}.get(call) or body["mediatype"]
    return media(
        shape,
        file if file is not None else _bytes_of(body.get(_MEDIA_CALLS[call], "")),
        is_old=is_old,
        caption=body.get("caption", ""),
        mimetype=body.get("mimetype", ""),
        file_name=body.get("fileName", ""),
    )


def media_source(call: str, body: Mapping[str, Any]) -> str | None:
    """The URL or base64 that a send of media names; None for a call without any."""
    return str(body.get(_MEDIA_CALLS[call], "")) if call in _MEDIA_CALLS else None


def is_url(source: str) -> bool:
    """Whether it is fetched instead of decoded."""
    return source.startswith(("http://", "https://"))


def is_base64(source: str) -> bool:
    """Plain base64, without the beginning of a data URI."""
    try:
        return bool(source) and bool(base64.b64decode(source, validate=True))
    except ValueError:
        return False


def _bytes_of(source: str) -> bytes:
    """The fake fetches nothing: a URL stands for one pixel."""
    return _PIXEL if is_url(source) else base64.b64decode(source)


def _location(body: Mapping[str, Any]) -> Content:
    block = {
        "degreesLatitude": body["latitude"],
        "degreesLongitude": body["longitude"],
        "name": body.get("name", ""),
        "address": body.get("address", ""),
    }
    return Content(
        shape="location", type="locationMessage", message={"locationMessage": block}, text=str(block["name"])
    )


def _contacts(body: Mapping[str, Any]) -> Content:
    cards = [{"displayName": each["fullName"], "vcard": _vcard(each)} for each in body["contact"]]
    if len(cards) == 1:
        return Content(
            shape="contact", type="contactMessage", message={"contactMessage": cards[0]}, text=cards[0]["displayName"]
        )
    several = {"displayName": f"{len(cards)} contacts", "contacts": cards}
    return Content(
        shape="contact",
        type="contactsArrayMessage",
        message={"contactsArrayMessage": several},
        text=", ".join(each["displayName"] for each in cards),
    )


def _vcard(contact: Mapping[str, Any]) -> str:
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:{contact['fullName']}", f"FN:{contact['fullName']}"]
    lines += [f"ORG:{contact['organization']};"] if contact.get("organization") else []
    digits = contact.get("wuid") or "".join(filter(str.isdigit, contact["phoneNumber"]))
    lines += [f"item1.TEL;waid={digits}:{contact['phoneNumber']}", "item1.X-ABLabel:Celular", "END:VCARD"]
    return "\n".join(lines)


def _poll(body: Mapping[str, Any]) -> Content:
    key = "pollCreationMessageV3" if body["selectableCount"] == 1 else "pollCreationMessage"
    block = {
        "name": body["name"],
        "selectableOptionsCount": body["selectableCount"],
        "options": [{"optionName": each} for each in body["values"]],
    }
    return Content(shape="poll", type=key, message={key: block}, text=body["name"])


def _list(body: Mapping[str, Any]) -> Content:
    block = {
        "title": body["title"],
        "description": body.get("description", ""),
        "buttonText": body["buttonText"],
        "footerText": body["footerText"],
        "listType": 2,
        "sections": body["sections"],
    }
    words = "\n".join(each for each in (body["title"], body.get("description")) if each)
    return Content(shape="list", type="listMessage", message={"listMessage": block}, text=words)


def _buttons(body: Mapping[str, Any]) -> Content:
    words = f"*{body['title']}*" + (f"\n\n{body['description']}\n" if body.get("description") else "")
    flow = {"buttons": [_button(each) for each in body.get("buttons", [])], "messageParamsJson": '{"from":"api"}'}
    inner = {"body": {"text": words}, "footer": {"text": body.get("footer", "")}, "nativeFlowMessage": flow}
    message = {"viewOnceMessage": {"message": {"interactiveMessage": inner}}}
    return Content(shape="buttons", type="viewOnceMessage", message=message, text=words.strip())


_BUTTON_NAMES: Final = {
    "reply": "quick_reply",
    "copy": "cta_copy",
    "url": "cta_url",
    "call": "cta_call",
    "pix": "payment_info",
}


def _button(button: Mapping[str, Any]) -> dict[str, str]:
    said = {"display_text": button.get("displayText"), "id": button.get("id"), "url": button.get("url")}
    params = {name: value for name, value in said.items() if value is not None}
    return {"name": _BUTTON_NAMES[button["type"]], "buttonParamsJson": orjson.dumps(params).decode()}


def _status(body: Mapping[str, Any]) -> Content:
    return text(str(body.get("content", "")))


_OTHERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Content]]] = {
    "sendLocation": _location,
    "sendContact": _contacts,
    "sendPoll": _poll,
    "sendList": _list,
    "sendButtons": _buttons,
    "sendStatus": _status,
}
