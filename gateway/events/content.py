"""Find what a WhatsApp message holds: unwrap it, name its kind, read its text."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import orjson

from gateway.events.kinds import CONTENTS, PROTOCOL_TYPES, SIDE_KEYS, Kind
from gateway.events.reader import JsonObject, Reader

_DEPTH: Final = 8
"""Wrappers opened at most; WhatsApp's own library stops at 5."""

EDIT: Final = "MESSAGE_EDIT"


class Found(NamedTuple):
    """The content of one message, out of its wrappers."""

    message: Reader
    """The innermost message object, whose keys stand beside the content."""
    key: str | None = None
    """Content key; None when nothing in the message has a kind."""
    kind: Kind = "unknown"
    body: Reader | None = None
    """The object under the content key; None for `conversation`, which is plain text."""
    view_once: bool = False
    edited: bool = False


def find(message: Reader) -> Found:
    """Open wrappers until a content key shows."""
    view_once = edited = False
    for _ in range(_DEPTH):
        key, wrapped = _content_key(message.data)
        if key is None or not wrapped:
            return _found(message, key, view_once=view_once, edited=edited)
        view_once = view_once or key.startswith("viewOnce")
        edited = edited or key == "editedMessage"
        message = Reader(message.data[key]["message"], f"{message.path}.{key}.message", message.problems)
    return Found(message)


def text_of(found: Found) -> str | None:
    """What a person wrote or picked: text, caption, the label of a choice, a poll's question."""
    if found.key == "conversation":
        return found.message.text("conversation")
    if found.body is None or found.key is None:
        return None
    text = _first(found.body, CONTENTS[found.key].text)
    if text is None and found.kind == "interactive_reply":
        params = native_flow(found.body)
        return _text(params, "display_text") or _text(params, "id")
    return text


def edited_message(protocol: Reader) -> Found | None:
    """The new content that a protocol message brings, None when it isn't an edit."""
    new = protocol.inner("editedMessage")
    return find(new) if new is not None and protocol_type(protocol) in (EDIT, None) else None


def protocol_type(protocol: Reader) -> str | None:
    """Name of a protocol message's type, which comes as a name or as a number."""
    value = protocol.data.get("type")
    if type(value) is int and value in PROTOCOL_TYPES:
        return PROTOCOL_TYPES[value]
    return protocol.text("type")


def native_flow(body: Reader) -> JsonObject:
    """What a native flow's answer holds: a JSON object inside a string."""
    flow = body.inner("nativeFlowResponseMessage")
    text = flow.text("paramsJson") if flow else None
    if flow is None or text is None:
        return {}
    try:
        params = orjson.loads(text)
    except orjson.JSONDecodeError:
        params = text
    if type(params) is dict:
        return params
    flow.reject("paramsJson", "an object as JSON text", params)
    return {}


def _text(params: Mapping[str, object], key: str) -> str | None:
    value = params.get(key)
    return value or None if isinstance(value, str) else None


def _content_key(message: JsonObject) -> tuple[str | None, bool]:
    """The key of the content or of the wrapper around it, and whether it is a wrapper."""
    for key, value in message.items():
        if value is None or value == "" or key in SIDE_KEYS:
            continue
        wrapped = type(value) is dict and type(value.get("message")) is dict
        if key in CONTENTS or wrapped:
            return key, wrapped
    return ("conversation", False) if "conversation" in message else (None, False)


def _found(message: Reader, key: str | None, *, view_once: bool, edited: bool) -> Found:
    if key is None:
        return Found(message, view_once=view_once, edited=edited)
    kind = CONTENTS[key].kind
    if key == "conversation":
        return Found(message, key, kind, None, view_once, edited)
    body = message.inner(key)
    if kind == "audio" and body is not None and (body.flag("ptt") or body.flag("voice")):
        kind = "voice"
    return Found(message, key, kind, body, view_once or bool(body and body.data.get("viewOnce") is True), edited)


def _first(body: Reader, paths: tuple[str, ...]) -> str | None:
    for path in paths:
        *objects, key = path.split(".")
        at: Reader | None = body
        for name in objects:
            at = at.inner(name) if at else None
        if at is not None and (text := at.text(key)) is not None:
            return text
    return None
