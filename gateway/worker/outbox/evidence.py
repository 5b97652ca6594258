"""Find out whether a message left whose answer is missing: Evolution's echo of it, or its own record of the chat.

Found means sent. Absent means that Evolution was asked and keeps this chat's messages, but not this one. Anything else
is unreadable: then nobody knows, and a second copy must not be risked.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from gateway import jid
from gateway.envelope import parse
from gateway.errors import EnvelopeError, GatewayError
from gateway.events import Message as Shown
from gateway.events import MessageEvent, decode
from gateway.journal import JournalReader, StoredEvent
from gateway.journal.wanted import Wanted
from gateway.work import Message, OutboxReader
from gateway.worker.intake import Intake

EARLY: Final = 60.0
"""Seconds that Evolution's clock may be behind ours. An unclaimed message of the same words in them counts as ours."""
_ECHOES: Final = ("send.message", "messages.upsert")
_STEP: Final = 20_000  # events looked through in one read
_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"text"}),
    "media": frozenset({"image", "video", "document"}),
    "audio": frozenset({"voice", "audio"}),
    "sticker": frozenset({"sticker"}),
    "location": frozenset({"location"}),
    "contact": frozenset({"contact", "contacts"}),
    "poll": frozenset({"poll"}),
    "buttons": frozenset({"buttons", "interactive", "template", "text"}),
    "list": frozenset({"list", "interactive", "text"}),
}
"""What a message of each kind is called once it stands in a chat; the Business channel writes menus as texts."""


class Finding(NamedTuple):
    """What is known of a message."""

    fate: Literal["found", "absent", "unreadable"]
    message_id: str | None = None
    why: str = ""
    """Of `unreadable`: what could not be asked."""


Records = Callable[[Message, Sequence[str]], Awaitable[Sequence[Mapping[str, Any]]]]
"""Reads the newest messages that Evolution keeps of a message's chat, which goes by these jids, as webhooks bring them:
`key`, `message`, `messageTimestamp`. Raises `GatewayError` when it can't."""


class Evidence:
    """Looks at both places."""

    def __init__(self, intake: Intake, outbox: OutboxReader, records: Records) -> None:
        self._intake = intake
        self._outbox = outbox
        self._records = records

    async def look(self, message: Message) -> Finding:
        """What can be known of it now."""
        chats = await self._intake.ask(lambda journal: _names(journal, message.chat))
        if found := self._pick(message, await self._echoes(message, chats)):
            return Finding("found", found)
        try:
            records = [shown for record in await self._records(message, chats) if (shown := _read(message, record))]
        except GatewayError as error:
            return Finding("unreadable", why=str(error))
        if found := self._pick(message, records):
            return Finding("found", found)
        if not records:  # an Evolution that stores no messages answers like one that has none
            return Finding("unreadable", why="Evolution keeps no messages of this chat")
        return Finding("absent")

    async def _echoes(self, message: Message, chats: Sequence[str]) -> list[Shown]:
        events = await self._intake.ask(lambda journal: list(_stored(journal, message, chats)))
        return [shown for event in events if (shown := _decode(event))]

    def _pick(self, message: Message, shown: Iterable[Shown]) -> str | None:
        """The id of the one that is this message and is no other of this gateway's."""
        ids = [each.id for each in shown if each.id and is_same(each, message.kind, message.payload, message.began)]
        claimed = self._outbox.claimed(ids) if ids else set()
        return next((each for each in ids if each not in claimed), None)


def is_same(shown: Shown, kind: str, payload: Mapping[str, Any], began: float | None) -> bool:
    """Whether a message that stands in a chat is one that was queued, as far as its content tells."""
    if not shown.from_me or shown.kind not in _KINDS.get(kind, ()):
        return False
    if began is not None and shown.timestamp is not None and shown.timestamp < began - EARLY:
        return False
    words = payload.get("text") or payload.get("caption") or payload.get("question")
    if shown.kind == "text" and kind in ("buttons", "list"):
        return str(words) in (shown.text or "")
    return not words or " ".join(str(words).split()) == " ".join((shown.text or "").split())


def _names(journal: JournalReader, chat: str) -> list[str]:
    """Every jid that a chat goes by, its own first."""
    found = [name for each in spellings(chat) for name in journal.addresses(each)]
    return list(dict.fromkeys([chat, *found]))


def _stored(journal: JournalReader, message: Message, chats: Sequence[str]) -> Iterable[StoredEvent]:
    """The events since the request left that could be its echo."""
    assert message.began is not None  # noqa: S101 -- a message that is being sent has begun
    low, last = journal.first_since(message.began - 1), journal.last()
    while low <= last:
        high = low + _STEP - 1
        for event in _ECHOES:
            found = journal.fitting(low, high, Wanted(event=event, instance=message.instance, chats=chats))
            yield from journal.events(sorted(found)).values()
        low = high + 1


def spellings(chat: str) -> list[str]:
    """The jids that WhatsApp may know a number by: Brazilian mobile numbers with and without their ninth digit."""
    digits = jid.phone(chat) or ""
    if not digits.startswith("55"):
        return [chat]
    area, rest = digits[2:4], digits[4:]
    if len(rest) == 9 and rest.startswith("9"):  # noqa: PLR2004 -- digits of a mobile number
        return [chat, f"55{area}{rest[1:]}@s.whatsapp.net"]
    return [chat, f"55{area}9{rest}@s.whatsapp.net"] if len(rest) == 8 else [chat]  # noqa: PLR2004 -- the same


def _decode(event: StoredEvent) -> Shown | None:
    try:
        found = decode(event.event, parse(event.body), directory=event.phones)
    except EnvelopeError:
        return None
    return found.message if isinstance(found, MessageEvent) else None


def _read(message: Message, record: Mapping[str, Any]) -> Shown | None:
    """A stored message, which has the shape of a webhook's."""
    found = decode("messages.upsert", {"event": "messages.upsert", "instance": message.instance, "data": record})
    return found.message if isinstance(found, MessageEvent) else None
