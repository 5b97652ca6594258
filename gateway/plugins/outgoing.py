"""What a handler asks to be sent: checked when it asks, sent once it has succeeded."""

import re
from collections.abc import Generator, Sequence
from typing import Any, Final, Literal

import msgspec

from gateway import jid
from gateway.events.groups import Participant
from gateway.events.people import Person

_WRITTEN: Final = re.compile(r"\+?[0-9\s().\-/\u2010-\u2015]+")
_MARKS: Final = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Signs of writing direction, which a number copied from a contact card brings along."""
_SHORTEST, _LONGEST = 7, 15  # digits of a number with its country code; E.164 allows no more than 15


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """One message in the order the handler asked for it."""

    n: int
    """From 1 within the delivery."""
    instance: str
    to: str
    """A jid, or the digits of a telephone number with its country code."""
    text: str
    kind: Literal["text"] = "text"
    mentions: tuple[str, ...] = ()
    """Jids or digits, as in `to`."""


class Queued(msgspec.Struct, frozen=True):
    """A message that waits for its handler to succeed. Awaiting it is harmless and gives itself."""

    id: str
    """`<event id>.<plugin>.<run>.<n>`, safe to keep as JSON."""

    def __await__(self) -> Generator[Any, None, "Queued"]:
        yield from ()
        return self


def wording(text: object) -> str:
    """A text with something in it.

    Raises:
        ValueError: it is empty or no text, which Evolution would refuse only after the handler has succeeded.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"there is no text to send: got {f'a {type(text).__name__}' if text else repr(text)}")
    return text


def address(text: object) -> str:
    """A jid as it is, or a number as people write it (`+55 11 99999-0002`) as digits.

    Raises:
        ValueError: neither; the text says what was expected.
    """
    if not isinstance(text, str):
        raise ValueError(f"a {type(text).__name__} is no address: give a jid or a number, as text")  # noqa: TRY004 - one kind to catch
    written = _MARKS.sub("", text).strip()
    return _checked_jid(written) if "@" in written else _digits(written)


def mentioned(people: Sequence[Person | Participant | str]) -> tuple[str, ...]:
    """The addresses of people to mention, each once.

    Raises:
        ValueError: one of them has no address.
    """
    if isinstance(people, str):
        raise ValueError(f"mentions= takes a list of people, got the text {people!r}")  # noqa: TRY004 - one kind to catch
    return tuple(dict.fromkeys(address(_address_of(each)) for each in people))


def _address_of(person: Person | Participant | str) -> str:
    if isinstance(person, str):
        return person
    if isinstance(person, Person | Participant):
        return person.jid or ""
    raise ValueError(f"mentions= takes people, jids or numbers, got a {type(person).__name__}")


def _checked_jid(text: str) -> str:
    user, _, _ = text.rpartition("@")
    if not user or any(mark.isspace() or mark == "@" for mark in user) or jid.kind(text) == "unknown":
        raise ValueError(f"{text!r} is no jid of WhatsApp, such as 5511999990002@s.whatsapp.net or 1203630@g.us")
    return text


def _digits(text: str) -> str:
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"{text!r} is neither a jid nor a telephone number such as +55 11 99999-0002")
    digits = re.sub(r"[^0-9]", "", text)
    if "(0)" in text or digits.startswith("0"):
        raise ValueError(f"{text!r} has a 0 that is dialled at home only; write +, country code and number")
    if not _SHORTEST <= len(digits) <= _LONGEST:
        raise ValueError(f"{text!r} has {len(digits)} digits; a number has 7 to 15, a group is written ...@g.us")
    return digits
