"""Turn one webhook POST into an Envelope: what the journal must know before an event can be acknowledged.

No I/O here, so Evolution's rules on bodies and URLs are tested on bytes alone. The full, typed reading of an event is
`gateway.events`; it may fail softly later, while nothing here may depend on a shape that is not certain.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import orjson

from gateway import jid, names
from gateway.errors import EnvelopeError
from gateway.events.pairs import pairs

JsonObject = dict[str, Any]

UNNAMED: Final = "unknown"
"""The event name of a body that names none, posted to a URL that names none."""

NAME_LIMIT: Final = 200
"""Characters kept of a name, an instance or a chat that the sender chose; real ones are shorter than 100."""


_LID: Final = b"lid"
"""Without it no body names a LID: it is looked for first, and from the end, which takes a third of the time."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One posted event, as far as accepting it needs."""

    event: str
    """Evolution's name for the event, whatever spelling came; for an unknown one the text that came."""
    instance: str | None
    """The instance's name; None for the few events that belong to the whole server."""
    chat: str | None
    """Jid of the one chat the event belongs to, without device; None when there is none or many."""
    lane: str
    """What is handled in order: instance and chat, or instance and family of events."""
    dated: bool
    """The body carries `date_time` (1.5.0 and later), so equal bytes can't be two events of different moments."""
    message: tuple[str, ...] | None = None
    """What tells a message's event from all others in its lane, whatever the bytes; None where nothing does."""
    pairs: tuple[tuple[str, str], ...] = ()
    """(LID, phone) pairs that the event shows."""


def read_envelope(body: bytes, suffix: str | None) -> Envelope:
    """Read the JSON object Evolution posts to a URL that ends in `suffix` (None: no suffix).

    Raises:
        EnvelopeError: not JSON, or not an object. The sender gets 400 with this text.
    """
    document = parse(body)
    event = _event_name(document.get("event"), suffix)
    instance = _name(document.get("instance"))
    data = document.get("data")
    chat = chat_of(event, data)
    return Envelope(
        event=event,
        instance=instance,
        chat=chat,
        lane=lane_of(event, instance, chat),
        dated=type(document.get("date_time")) is str,
        message=message_of(event, data),
        pairs=pairs(event, document) if _may_pair(event, data, body) else (),
    )


def _may_pair(event: str, data: object, body: bytes) -> bool:
    """Whether the event can show somebody by LID and by telephone: the plainest key of a message has one address."""
    key = data.get("key") if event in _MESSAGES and type(data) is dict else None
    return not (type(key) is dict and _PLAIN_KEY.issuperset(key)) and body.rfind(_LID) >= 0


def parse(body: bytes) -> JsonObject:
    """Parse a body the one way that receiver and worker share; lone surrogates become U+FFFD.

    Raises:
        EnvelopeError: says what is wrong and where.
    """
    try:
        document = _loads(body)
    except orjson.JSONDecodeError as error:
        raise EnvelopeError(_explain(body, error)) from None
    if type(document) is not dict:
        raise EnvelopeError(f"expected a JSON object, got {_json_type(document)}")
    return document


def suffix_of(parts: Sequence[str], query: str = "") -> str | None:
    """The suffix Evolution glued to the end of a URL, out of the path's parts below the base path; None without one.

    Evolution appends `/suffix` to whatever URL it was given, so it may stand behind a query:
    `?token=abc/messages-upsert`.
    """
    _, slash, tail = query.rpartition("/")
    if slash and names.canonical(tail) is not None:
        return tail
    return next((part[:NAME_LIMIT] for part in reversed(parts) if part), None)


def chat_of(event: str, data: object) -> str | None:
    """The jid of the one chat an event's `data` belongs to, without device; None when there is none or many."""
    if event in _HISTORY:
        return None
    if type(data) is not list:
        return _chat_of_item(event, data)
    found = {chat for item in data if (chat := _chat_of_item(event, item))}
    return found.pop() if len(found) == 1 else None


def message_of(event: str, data: object) -> tuple[str, ...] | None:
    """What identifies a message's event within its chat: sent by whom, its id, and for an update the status it reached.

    None where two events may well share all of it: no id (`sendButtons` yields null), no status (an edit), poll votes.
    """
    if type(data) is not dict:
        return None
    if event in _MESSAGES:
        key = data.get("key")
        return _identity(key, key.get("id")) if type(key) is dict else None
    if event == "messages.update" and "pollUpdates" not in data and isinstance(data.get("status"), str):
        return _identity(data, data.get("keyId") or data.get("id"), data["status"])
    return None


def _identity(key: JsonObject, message_id: object, status: str = "") -> tuple[str, ...] | None:
    if type(message_id) is not str or not message_id:
        return None
    participant = key.get("participant")
    who = jid.bare(participant) if type(participant) is str else ""
    return ("True" if key.get("fromMe") is True else "False", who, message_id, status)


def lane_of(event: str, instance: str | None, chat: str | None) -> str:
    """The lane an event is handled in: its chat, or else all events of its family in that instance."""
    if chat is not None:
        return f"{instance or ''}/{chat}"
    known = names.EVENTS.get(event)
    return f"{instance or ''}#{known.family if known else 'unknown'}"


def _event_name(named: object, suffix: str | None) -> str:
    """The body's own name wins; the URL only helps when the body has none."""
    if type(named) is str and (known := names.EVENTS.get(named)):
        return known.name
    for text in (named, suffix):
        if isinstance(text, str) and text.strip():
            return names.canonical(text) or _name(text) or UNNAMED
    return UNNAMED


def _name(text: object) -> str | None:
    return text.strip()[:NAME_LIMIT] or None if type(text) is str else None


_HISTORY: Final = frozenset({"messages.set", "messaging-history.set"})
"""Their batches belong to no chat."""
_CHAT_KEYS: Final[dict[str, Sequence[str]]] = {
    "call": ("groupJid", "chatId", "from"),
    "labels.association": ("chatId",),
    "presence.update": ("id",),
    "groups.upsert": ("id",),
    "groups.update": ("id",),
    "group-participants.update": ("id",),
}
_MESSAGES: Final = frozenset({"messages.upsert", "send.message"})
_KEYED: Final = _MESSAGES | {"send.message.update", "messages.edited"}
_PLAIN_KEY: Final = frozenset({"remoteJid", "fromMe", "id"})


def _chat_of_item(event: str, item: object) -> str | None:
    if type(item) is str:
        return _jid(item) if event.startswith(("chats.", "contacts.")) else None
    if type(item) is not dict:
        return None
    if event in _KEYED:
        return _chat_of_key(event, item.get("key"))
    # Deleted by REST (2.2 and later), it carries the message's key inside a database row.
    if event == "messages.delete" and type(item.get("key")) is dict:
        return _chat_of_key(event, item["key"])
    if event.startswith(("chats.", "contacts.")):
        return _jid(item.get("remoteJid")) or _jid_of_server(item.get("id"))
    return _first_jid(item, _CHAT_KEYS.get(event, ("remoteJid",)))


def _chat_of_key(event: str, key: object) -> str | None:
    if type(key) is not dict:
        return None
    chat = _jid(key.get("remoteJid"))
    # In `messages.edited` the key is written from the editor's point of view: in a private chat it names the bot.
    if event == "messages.edited" and chat is not None and jid.kind(chat) != "group":
        return None
    return chat


def _first_jid(item: JsonObject, keys: Sequence[str]) -> str | None:
    return next((found for key in keys if (found := _jid(item.get(key)))), None)


def _jid(value: object) -> str | None:
    """A jid without device. Bare digits count too: the EVOLUTION channel writes them."""
    if type(value) is not str or not value or len(value) > NAME_LIMIT:
        return None
    return jid.bare(value) if ":" in value else value


def _jid_of_server(value: object) -> str | None:
    """The same where bare digits may be a database id."""
    return _jid(value) if type(value) is str and "@" in value else None


_ESCAPE: Final = re.compile(
    rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(u[dD][89a-fA-F]..)|.)", re.DOTALL
)


def _loads(body: bytes) -> object:
    """Parse; where only a lone surrogate is in the way (JavaScript cuts inside an emoji), once more without it."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "surrogate in string" not in str(error):
            raise
        return orjson.loads(_ESCAPE.sub(lambda match: rb"\ufffd" if match[2] else match[0], body))


def _explain(body: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        body.decode()
    except UnicodeDecodeError as bad:
        return f"not UTF-8: byte 0x{body[bad.start]:02x} at position {bad.start}"
    return f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"


def _json_type(value: object) -> str:
    kinds = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
