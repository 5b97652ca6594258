"""Numbers, bytes and instants in every form Evolution's versions write them.

One protobuf message leaves Evolution in three encodings: up to 2.3.2 (and in `messages.edited` always) bytes are base64
and 64-bit numbers decimal strings; 2.3.3 to 2.3.5 write index dictionaries and plain numbers; from 2.3.6 numbers are
`Long` objects. Node's own `Buffer` form occurs where content is echoed. Each function takes any of them, and None means
"not one of these forms".
"""

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

_DIGITS: Final = 20
"""Longest decimal text of a 64-bit number, sign included."""

_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 64) - 1
"""WhatsApp's numbers have 64 bits; larger ones are a mistake, and other JSON tools refuse them."""

_DECIMAL: Final = re.compile(r"-?\d{1,20}(?:\.\d{0,40})?", re.ASCII)

_HALF: Final = 0xFFFF_FFFF
_OCTET: Final = 0xFF

_PIECE: Final = 2**18
"""Characters of base64 decoded at once."""


def integer(value: object) -> int | None:
    """A whole number, from a JSON number, decimal text or a `Long` object (whose `low` can be negative)."""
    number = value if type(value) is int else _converted(value)
    return number if number is not None and _LEAST <= number <= _MOST else None


def real(value: object) -> float | None:
    """A number with a fraction, from a JSON number or decimal text."""
    if type(value) is float:
        return value
    if type(value) is str:
        return _real_from_text(value)
    whole = integer(value)
    return None if whole is None else float(whole)


def octets(value: object) -> bytes | None:
    """Bytes, from base64 text, an index dictionary (`{"0": 12}`), a `Buffer` object or a list of numbers."""
    if type(value) is str:
        return from_base64(value)
    if type(value) is list:
        return _from_list(value)
    if type(value) is dict:
        return _from_list(value["data"]) if type(value.get("data")) is list else _from_indexes(value)
    return None


def from_base64(text: str) -> bytes | None:
    """The bytes of base64 text, with or without a `data:` prefix and padding; None when it isn't base64."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if "\n" in text or text[-1:].isspace():
        text = "".join(text.split())
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        return None


def base64_pieces(text: str) -> Iterator[bytes]:
    """What `from_base64` gives, a piece at a time: whoever writes a file from it never holds the whole.

    Raises:
        ValueError: it isn't base64, which may show only after some pieces.
    """
    start = text.find(",") + 1 if text.startswith("data:") else 0
    rest = ""
    for at in range(start, len(text), _PIECE):
        piece = rest + "".join(text[at : at + _PIECE].split())
        whole = len(piece) - len(piece) % 4
        yield binascii.a2b_base64(piece[:whole], strict_mode=True)
        rest = piece[whole:]
    yield binascii.a2b_base64(rest + "=" * (-len(rest) % 4), strict_mode=True)


def instant(seconds: int | None) -> datetime | None:
    """The aware UTC time of unix seconds; None when there is none or no calendar holds it."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_instant(text: str | None) -> datetime | None:
    """The aware UTC time of ISO 8601 text that is true about its zone (calls, disconnections), else None."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _converted(value: object) -> int | None:
    if type(value) is str:
        return _from_text(value)
    if type(value) is dict:
        return _from_long(value)
    return int(value) if type(value) is float and value.is_integer() else None


def _from_text(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if len(text) <= _DIGITS and digits.isascii() and digits.isdigit() else None


def _from_long(long: dict[str, object]) -> int | None:
    low, high = long.get("low"), long.get("high")
    if type(low) is not int or type(high) is not int:
        return None
    value = (high & _HALF) << 32 | low & _HALF
    signed = long.get("unsigned") is not True and value >= 1 << 63
    return value - (1 << 64) if signed else value


def _real_from_text(text: str) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text) else None


def _from_list(items: list[object]) -> bytes | None:
    octet = [item for item in items if type(item) is int and 0 <= item <= _OCTET]
    return bytes(octet) if len(octet) == len(items) else None


def _from_indexes(indexes: dict[str, object]) -> bytes | None:
    """JavaScript writes the indexes of a byte array in order; a gap means it is something else."""
    if not indexes or any(key != str(at) for at, key in enumerate(indexes)):
        return None
    return _from_list(list(indexes.values()))
