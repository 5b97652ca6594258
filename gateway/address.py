"""Turn an address as people write it into one that Evolution takes.

A module of its own, because plugins check what they are given with it, and the client what it sends.
"""

import re
from typing import Final

from gateway import jid

_WRITTEN: Final = re.compile(r"\+?[0-9\s().\-/\u2010-\u2015]+")
_MARKS: Final = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Signs of writing direction, which a number copied from a contact card brings along."""
_SHORTEST, _LONGEST = 7, 15  # digits of a number with its country code; E.164 allows no more than 15


def address(text: object) -> str:
    """A jid without its device, or a number as people write it (`+55 11 99999-0002`) as digits.

    Raises:
        ValueError: neither; the text says what was expected.
    """
    if not isinstance(text, str):
        raise ValueError(f"a {type(text).__name__} is no address: give a jid or a number, as text")  # noqa: TRY004 - one kind to catch
    written = _MARKS.sub("", text).strip()
    return _checked_jid(written) if "@" in written else _digits(written)


def _checked_jid(text: str) -> str:
    user, _, _ = text.rpartition("@")
    if not user or any(mark.isspace() or mark == "@" for mark in user) or jid.kind(text) == "unknown":
        raise ValueError(f"{text!r} is no jid of WhatsApp, such as 5511999990002@s.whatsapp.net or 1203630@g.us")
    return jid.bare(text)


def _digits(text: str) -> str:
    if not _WRITTEN.fullmatch(text):
        raise ValueError(f"{text!r} is neither a jid nor a telephone number such as +55 11 99999-0002")
    digits = re.sub(r"[^0-9]", "", text)
    if "(0)" in text or digits.startswith("0"):
        raise ValueError(f"{text!r} has a 0 that is dialled at home only; write +, country code and number")
    if not _SHORTEST <= len(digits) <= _LONGEST:
        raise ValueError(f"{text!r} has {len(digits)} digits; a number has 7 to 15, a group is written ...@g.us")
    return digits
