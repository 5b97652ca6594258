"""Make bodies: a sample's shape with fresh ids, times, names and numbers, so that no two are taken for repeats.

No I/O and no clock of its own, so a test can say what comes out.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any, Final
from uuid import UUID

import msgspec
import orjson

from gateway import names, samples

TEXTS: Final = (
    "Oi! Tudo bem?",
    "Vocês abrem no sábado?",
    "Quanto custa a entrega para o centro?",
    "Perfeito, muito obrigada 🙂",
)
"""What a customer writes when nobody says what."""

_TYPICAL: Final = {
    "call": "call__offer-v236",
    "chats.update": "chats-update__list-v236",
    "chats.upsert": "chats-upsert__list-v236",
    "connection.update": "connection-update__open-v236",
    "contacts.set": "contacts-upsert__list-v236",  # no version sends these three; the shape is a relative's
    "contacts.update": "contacts-update__list-v236",
    "contacts.upsert": "contacts-upsert__list-v236",
    "creds.update": "remove-instance__null-v236",
    "group-participants.update": "group-participants-update__add-objects-v236",
    "messages.delete": "messages-delete__revoked-by-contact-v236",
    "messages.edited": "messages-edited__text-v236",
    "messages.set": "messages-set__batch-v236",
    "messages.update": "messages-update__delivery-ack-v236",
    "messages.upsert": "messages-upsert__text-private-lid-normalized-v237",
    "messaging-history.set": "messages-set__batch-v236",
    "presence.update": "presence-update__available-v223",
    "qrcode.updated": "qrcode-updated__pairing-code-v236",
    "send.message": "send-message__text-v236",
    "typebot.change-status": "typebot-change-status__opened-v236",
}
"""The sample that shows an event as it mostly is, where there are several."""

_PERSON: Final = "5511999990002"  # who writes in the samples
_PERSON_LID: Final = "201110000000002"
_GROUP: Final = b"120363400000000001@g.us"  # the one of the samples
_HEX: Final = re.compile(r"[0-9A-F]{8,}")
_PHONE_DIGITS: Final = range(7, 16)  # E.164 allows 15
_CARRIES_ID: Final = frozenset({"call", "messages.delete"})


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part."""

    instance: str = "shop-1"
    phone: str = _PERSON
    """Digits of the contact's number."""
    name: str | None = None
    """The contact's name; None keeps the sample's."""
    destination: str | None = None
    """The URL Evolution was given; None keeps the sample's."""
    group: str | None = None
    """The group they write in; None keeps the sample's chat."""
    server_url: str | None = None
    """Where the Evolution of this play answers; None keeps the sample's."""

    @property
    def lid(self) -> str:
        """Digits of the contact's LID: always the same for one number, never two numbers' own."""
        if self.phone == _PERSON:
            return _PERSON_LID
        return f"20{int.from_bytes(blake2b(self.phone.encode(), digest_size=8).digest()) % 10**13:013d}"


def read_phone(text: str) -> str:
    """The digits of a number as people write it (`+55 11 99999-0002`), or of a jid.

    Raises:
        ValueError: no telephone number.
    """
    user = text.removesuffix("@s.whatsapp.net").partition(":")[0]
    digits = re.sub(r"[\s()+.-]", "", user)
    if not (digits.isascii() and digits.isdigit() and len(digits) in _PHONE_DIGITS):
        raise ValueError(f"{text!r} is no telephone number; write it with its country code: +55 11 99999-0002")
    return digits


def choose_sample(wanted: str) -> tuple[str, str]:
    """The event and the sample that a word means: an event in any spelling, or a sample's name.

    Raises:
        KeyError: neither.
    """
    stem = wanted.removesuffix(".json")
    if stem in samples.names():
        return str(samples.load(stem)["event"]), stem
    event = names.canonical(wanted)
    if event is None:
        raise KeyError(wanted)
    return event, _TYPICAL.get(event) or max(samples.for_event(event), key=_version)


def _version(sample: str) -> int:
    """2.3.6 from `...-v236`; two digits are an older major version's (`v18` is 1.8)."""
    digits = sample.rpartition("v")[2]
    return int(digits) if digits.isdigit() else 0


class Script:
    """Makes one body after the other of one sample.

    Raises:
        ValueError: there is a text to write and the sample has none to replace, or a group and it is in none.
    """

    def __init__(
        self,
        event: str,
        sample: str,
        cast: Cast,
        *,
        texts: Sequence[str] = (),
        clock: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        random: Random | None = None,
    ) -> None:
        """`texts` are written in turn; without any the sample's own stays, or a few natural ones for a plain text."""
        self.event = event
        self._template = samples.load(sample) | {"event": event}
        self._cast = cast
        is_default = sample == _TYPICAL["messages.upsert"]
        self._texts = tuple(texts) or (TEXTS if is_default else ())
        self._clock = clock
        self._random = random or Random()  # noqa: S311 -- ids of a play, not secrets
        self._last: datetime | None = None
        if texts and not _write_text(self._template.get("data"), texts[0]):
            raise ValueError(f"{sample} has no text that could be replaced")
        if cast.group and _GROUP not in samples.read(sample):
            raise ValueError(f"{sample} is no event of a group")

    def body(self, number: int, *, late: float = 0.0) -> bytes:
        """The number-th body (from 0), as the bytes JavaScript would write; dated so many seconds ago."""
        envelope: dict[str, Any] = orjson.loads(self._personal(orjson.dumps(self._template)))
        now = self._tick() - timedelta(seconds=late)
        data = envelope.get("data")
        for item in _items(data):
            _stamp(item, int(now.timestamp()))
            self._name(item)
        if self._texts:
            _write_text(data, self._texts[number % len(self._texts)])
        self._address(envelope, now)
        return self._with_fresh_ids(orjson.dumps(envelope), data)

    def _tick(self) -> datetime:
        """Now; a millisecond after the last body at least, so that two never have the same bytes."""
        now = self._clock()
        if self._last is not None:
            now = max(now, self._last + timedelta(milliseconds=1))
        self._last = now
        return now

    def _address(self, envelope: dict[str, Any], now: datetime) -> None:
        """Fill in the envelope's own fields, those this version has."""
        if "date_time" in envelope:
            # Evolution writes its local time with a Z it does not deserve.
            envelope["date_time"] = f"{now.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
        fields = {"destination": self._cast.destination, "server_url": self._cast.server_url}
        envelope |= {name: value for name, value in fields.items() if value is not None and name in envelope}

    def _personal(self, body: bytes) -> bytes:
        """The sample with this cast's instance, number and LID wherever its own stand."""
        if isinstance(old := self._template.get("instance"), str):
            body = body.replace(orjson.dumps(old), orjson.dumps(self._cast.instance))
        if self._cast.group:
            body = body.replace(_GROUP, self._cast.group.encode())
        body = body.replace(_PERSON.encode(), self._cast.phone.encode())
        return body.replace(_PERSON_LID.encode(), self._cast.lid.encode())

    def _name(self, item: dict[str, Any]) -> None:
        key = item.get("key")
        is_own = isinstance(key, dict) and key.get("fromMe") is True
        if self._cast.name is not None and "pushName" in item and not is_own:
            item["pushName"] = self._cast.name

    def _with_fresh_ids(self, body: bytes, data: object) -> bytes:
        """Give each message a new id wherever its old one stands."""
        for old in dict.fromkeys(_ids(self.event, data)):
            body = body.replace(orjson.dumps(old), orjson.dumps(fresh_id(old, self._random)))
        return body


def fresh_id(old: str, random: Random) -> str:
    """A new id of the same kind: its beginning, which tells the device, stays."""
    if _HEX.fullmatch(old):
        return old[:4] + "".join(random.choices("0123456789ABCDEF", k=len(old) - 4))
    try:
        UUID(old)
    except ValueError:
        return f"{old[:-16]}{random.getrandbits(64):016X}"
    return str(UUID(int=random.getrandbits(128), version=4))


def _items(data: object) -> Iterator[dict[str, Any]]:
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            yield item


def _ids(event: str, data: object) -> Iterator[str]:
    for item in _items(data):
        key = item.get("key")
        found = [key.get("id") if isinstance(key, dict) else None, item.get("keyId")]
        if event in _CARRIES_ID:
            found.append(item.get("id"))
        yield from (each for each in found if isinstance(each, str) and each)


def _stamp(item: dict[str, Any], seconds: int) -> None:
    """Date a message now, in the encoding its version uses."""
    old = item.get("messageTimestamp")
    if isinstance(old, int):
        item["messageTimestamp"] = seconds
    elif isinstance(old, str):
        item["messageTimestamp"] = str(seconds)
    elif isinstance(old, dict) and "low" in old:
        item["messageTimestamp"] = old | {"low": seconds}


def _write_text(data: object, text: str) -> bool:
    """Put a text where a person's words stand; whether there was such a place."""
    for item in _items(data):
        message = item.get("message")
        if not isinstance(message, dict):
            continue
        for holder, name in _text_places(message):
            holder[name] = text
            return True
    return False


def _text_places(message: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    if "conversation" in message:
        yield message, "conversation"
    for part in message.values():
        if isinstance(part, dict):
            yield from ((part, name) for name in ("text", "caption") if isinstance(part.get(name), str))
