"""What the fake Evolution knows: instances with their webhook, messages, people and groups, and what happened so far.

Values and look-ups only; who asks, and over which wire, is other modules' business.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from gateway import jid
from gateway.simulate.payload import Cast

Kind = Literal["wrote", "sent", "edited", "deleted", "reacted", "read", "typing"]

_BRAZILIAN: Final = re.compile(r"(55)(\d{2})\d(\d{8})")
_GROUP_DIGITS: Final = 18
_OLD_GROUP_LENGTH: Final = 24
_FIRST_LONG_AREA: Final = 31  # Brazilian area codes below keep their ninth digit on WhatsApp
_MOBILE: Final = "7"
_EITHER: Final = (2, 3, 7)
_VOTES: Final = (2, 3, 7)


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened in a chat."""

    kind: Kind
    instance: str
    chat: str
    """The jid that Evolution has for it."""
    by: str = ""
    """Name or number of the person; empty: the bot."""
    id: str = ""
    """Of the message."""
    text: str = ""
    """The words: a text, a caption, a poll's question; the emoji of a reaction; `composing` or `recording`."""
    shape: str = ""
    """`text`, `image`, `audio`, `poll`, ... of a message."""
    call: str = ""
    """The call that caused it: `sendText`."""
    body: Mapping[str, Any] = {}
    """That call's body, as it came."""
    data: Mapping[str, Any] = {}
    """The message as Evolution's webhook and answer have it."""
    at: float = 0.0
    """Unix seconds."""
    event: str | None = None
    """What the gateway calls the event, once it has taken it."""


class Stored(msgspec.Struct, kw_only=True):
    """One message as Evolution keeps it."""

    row: str
    """Its id in the database."""
    data: dict[str, Any]
    text: str
    shape: str
    statuses: list[str]
    media: bytes | None = None

    @property
    def key(self) -> dict[str, Any]:
        """WhatsApp's own key."""
        key: dict[str, Any] = self.data["key"]
        return key


class Webhook(msgspec.Struct, kw_only=True):
    """Where an instance posts."""

    id: str
    enabled: bool
    url: str
    headers: dict[str, str] | None = None
    events: tuple[str, ...] = ()
    """Environment names; none: all of them."""
    by_events: bool = True
    base64: bool = False
    created: str = ""


class Group(msgspec.Struct, kw_only=True):
    """A group with its members."""

    id: str
    subject: str
    members: dict[str, str | None]
    """Jid to `admin`, `superadmin` or None."""
    owner: str
    created: int
    description: str | None = None
    invite: str = ""
    announce: bool = False
    restrict: bool = False


class Instance(msgspec.Struct, kw_only=True):
    """One WhatsApp account on the server."""

    name: str
    id: str
    token: str
    phone: str
    """Digits of its own number."""
    integration: str = "WHATSAPP-BAILEYS"
    state: Literal["open", "connecting", "close"] = "open"
    webhook: Webhook | None = None
    created: str = ""
    messages: list[Stored] = msgspec.field(default_factory=list)
    groups: dict[str, Group] = msgspec.field(default_factory=dict)
    names: dict[str, str] = msgspec.field(default_factory=dict)
    """By jid: how the contacts it has heard of call themselves."""
    numbers: dict[str, str] = msgspec.field(default_factory=dict)
    """By the jid that Evolution makes of a number: the jid of the account that has it."""
    codes: int = 0
    """QR codes shown since it last connected."""

    @property
    def jid(self) -> str:
        """Its own."""
        return f"{self.phone}@s.whatsapp.net"

    def find(self, message_id: object) -> Stored | None:
        """The message of this WhatsApp id."""
        return next((each for each in reversed(self.messages) if each.key["id"] == message_id), None)


class World:
    """All of it."""

    def __init__(self, version: str, random: Random, now: Callable[[], float] = time.time) -> None:
        self.now = now
        """Unix seconds."""
        self.version = version
        self.random = random
        self.url = ""
        self.instances: dict[str, Instance] = {}
        self.happenings: list[Happening] = []
        self.absent: set[str] = set()
        """Digits of numbers that are not on WhatsApp."""
        self.hear: Callable[[Happening], None] = lambda _happening: None
        """Is told of each happening."""
        self._phones: dict[str, str] = {}
        """The number behind each LID that came up."""

    @property
    def is_old(self) -> bool:
        """Whether this is a 1.x."""
        return self.version.startswith("1.")

    @property
    def asks_either(self) -> bool:
        """From 2.3.7 on a query names a chat by two keys joined by OR, and one left out is true of every message."""
        return self._number >= _EITHER

    @property
    def tells_votes(self) -> bool:
        """Whether a vote in a poll is posted."""
        return self._number >= _VOTES

    @property
    def _number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:3])

    def uuid(self) -> str:
        """A fresh one."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def row_id(self) -> str:
        """An id as the database of 2.x makes them."""
        return f"cm{self.random.getrandbits(115):023x}"

    def message_id(self, begin: str, length: int) -> str:
        """A fresh WhatsApp id; its beginning tells the device."""
        return begin + "".join(self.random.choices("0123456789ABCDEF", k=length - len(begin)))

    def lid_of(self, phone: str) -> str:
        """The LID of a number, always the same one."""
        lid = f"{Cast(phone=phone).lid}@lid"
        self._phones[lid] = phone
        return lid

    def phone_of(self, address: str) -> str | None:
        """The number a jid or LID stands for, as far as anybody knows."""
        return jid.phone(address) or self._phones.get(jid.bare(address))

    def same_chat(self, one: str, other: str) -> bool:
        """Whether two jids are one chat: equal, or number and LID of one person."""
        if jid.bare(one) == jid.bare(other):
            return True
        phone = self.phone_of(one)
        return phone is not None and phone == self.phone_of(other)

    def note(self, happening: Happening) -> Happening:
        """Remember what happened."""
        happening = msgspec.structs.replace(happening, at=happening.at or self.now())
        self.happenings.append(happening)
        self.hear(happening)
        return happening


def create_jid(number: str) -> str:
    """The jid Evolution makes of what it is given as `number` (`src/utils/createJid.ts` of 2.3.6)."""
    if any(server in number for server in ("@g.us", "@s.whatsapp.net", "@lid", "@broadcast")):
        return number
    digits = re.sub(r"[\s+()]", "", number).partition(":")[0].partition("@")[0]
    if "-" in digits and len(digits) >= _OLD_GROUP_LENGTH:
        return f"{re.sub(r'[^0-9-]', '', digits)}@g.us"
    digits = re.sub(r"\D", "", digits)
    if len(digits) >= _GROUP_DIGITS:
        return f"{digits}@g.us"
    return f"{_without_local_digits(digits)}@s.whatsapp.net"


def _without_local_digits(digits: str) -> str:
    """Mexican and Argentinian numbers lose the digit after the country code, some Brazilian ones their ninth."""
    mexican_or_argentinian = re.fullmatch(r"(52|54)(\d)(\d{10})", digits)
    if mexican_or_argentinian:
        return mexican_or_argentinian[1] + mexican_or_argentinian[3]
    brazilian = _BRAZILIAN.fullmatch(digits)
    if brazilian and brazilian[3][0] >= _MOBILE and int(brazilian[2]) >= _FIRST_LONG_AREA:
        return "".join(brazilian.groups())
    return digits


def matching(messages: list[Stored], where: Mapping[str, Any], *, is_either: bool = False) -> Iterator[Stored]:
    """The messages that a `where` of `findMessages` names, the newest first; `is_either` as `World.asks_either`."""
    key = where.get("key", {})
    span = where.get("messageTimestamp", {})
    for each in reversed(messages):
        own, stamp = each.key, each.data["messageTimestamp"]
        if (
            key.get("id", own["id"]) == own["id"]
            and (not key.get("fromMe") or own["fromMe"])  # false filters nothing, in 2.x
            and _is_of_chat(own, key, is_either=is_either)
            and where.get("id", each.row) == each.row
            and where.get("messageType", each.data["messageType"]) == each.data["messageType"]
            and where.get("source", each.data["source"]) == each.data["source"]
            and (not span or _seconds(span["gte"]) <= stamp <= _seconds(span["lte"]))
        ):
            yield each


def _is_of_chat(own: Mapping[str, Any], key: Mapping[str, Any], *, is_either: bool) -> bool:
    if not is_either:
        return bool(key.get("remoteJid", own["remoteJid"]) == own["remoteJid"])
    return any(name not in key or key[name] == own.get(name) for name in ("remoteJid", "remoteJidAlt"))


def _seconds(text: str) -> int:
    """Unix seconds of an ISO date, as JavaScript's `new Date(text)` reads it."""
    return int(datetime.fromisoformat(text).timestamp())


def now_text() -> str:
    """Now, as the database of 2.x writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
