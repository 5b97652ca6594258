"""What single settings look like: sizes, seconds, ports, networks, addresses, keys.

Each is a type for a field in `settings` that also says how it is read, so a new setting is one line there. A parser
takes the text as it stands and raises ValueError; the reader adds place, value and what was expected.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import isfinite
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from gateway.config.secret import Secret


class Scalar(msgspec.Struct, frozen=True):
    """How one kind of setting is read."""

    expected: str
    """What an error says should stand there."""
    parse: Callable[[str], object]
    """From the text to the value; raises ValueError or KeyError."""
    is_text: bool = True
    """Whether words that YAML takes for something else (`off`, `0123`) need quotes here."""
    is_secret: bool = False
    """Whether the text found must not be shown in an error."""


_UNITS: Final[Mapping[str, int]] = {"": 1, "b": 1} | {
    f"{prefix}{unit}": factor**power
    for power, prefix in enumerate("kmgt", start=1)
    for unit, factor in (("ib", 1024), ("b", 1000))
}
_SIZE: Final = re.compile(r"([1-9][0-9]*)\s*([A-Za-z]*)")
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*/*")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]+")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST: Final = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_HIGHEST_PORT: Final = 65_535
SWITCHES: Final[Mapping[str, bool]] = {"true": True, "false": False}


def parse_size(text: str) -> int:
    """Bytes of `128MiB` (1024s), `128MB` (1000s) or a plain number of bytes."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * _UNITS[found[2].lower()]


def parse_whole(text: str) -> int:
    """A whole number in decimal digits."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def parse_number(text: str) -> float:
    """A decimal number; an int stays one, so that it prints as it was written."""
    if not _NUMBER.fullmatch(text) or not isfinite(float(text)):
        raise ValueError(text)
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def parse_port(text: str) -> int:
    """A TCP port; 0 asks the system for a free one."""
    port = parse_whole(text)
    if not 0 <= port <= _HIGHEST_PORT:
        raise ValueError(text)
    return port


def parse_base_path(text: str) -> str:
    """The path without slashes at its end; the root is the empty text."""
    if not text.startswith("/") or not _PATH.fullmatch(text):
        raise ValueError(text)
    return text.rstrip("/")


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """A network, or one address as the network of itself."""
    return ip_network(text, strict=False)


def parse_url(text: str) -> str:
    """An http(s) URL without a slash at its end."""
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
        raise ValueError(text)
    if url.username is not None or url.port == 0 or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(text)
    return text.rstrip("/")


def _positive(parse: Callable[[str], float]) -> Callable[[str], float]:
    def parse_positive(text: str) -> float:
        value = parse(text)
        if value <= 0:
            raise ValueError(text)
        return value

    return parse_positive


def _not_negative(text: str) -> float:
    value = parse_number(text)
    if value < 0:
        raise ValueError(text)
    return value


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def parse_matching(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return parse_matching


_filled: Final = _matching(re.compile(r".+", re.DOTALL))


def _secret_matching(pattern: re.Pattern[str]) -> Callable[[str], Secret]:
    parse = _matching(pattern)
    return lambda text: Secret(parse(text))


Text = Annotated[str, Scalar("text", str)]
Address = Annotated[str, Scalar("an address to listen on, such as 127.0.0.1", _matching(re.compile(r"\S+")))]
Folder = Annotated[Path, Scalar("a path", lambda text: Path(_filled(text)))]
Key = Annotated[Secret, Scalar("text", Secret, is_secret=True)]
"""A key that may be left empty."""

HostName = Annotated[str, Scalar("a host such as s3.example.com or *.example.com, alone", _matching(_HOST))]
HeaderName = Annotated[str, Scalar("the name of an HTTP header", _matching(_HEADER))]
HeaderValue = Annotated[
    Secret,
    Scalar(
        "text that is not empty and neither begins nor ends with a space",
        _secret_matching(re.compile(r"[^\s\x00-\x1f]([^\x00-\x08\x0a-\x1f]*[^\s\x00-\x1f])?")),
        is_secret=True,
    ),
]
PathSecret = Annotated[
    Secret, Scalar("letters, digits and . _ ~ - only, not empty", _secret_matching(_SEGMENT), is_secret=True)
]
SigningKey = Annotated[Secret, Scalar("text that is not empty", lambda text: Secret(_filled(text)), is_secret=True)]

SWITCH: Final = Scalar("true or false", lambda text: SWITCHES[text.lower()], is_text=False)
Switch = Annotated[bool, SWITCH]
Port = Annotated[int, Scalar("a port from 0 to 65535", parse_port, is_text=False)]
Count = Annotated[int, Scalar("a whole number above 0", _positive(parse_whole), is_text=False)]
Most = Annotated[
    int,
    Scalar("a whole number, 0 for no limit", lambda text: int(_not_negative(str(parse_whole(text)))), is_text=False),
]
Seconds = Annotated[float, Scalar("seconds as a number above 0", _positive(parse_number), is_text=False)]
Pause = Annotated[float, Scalar("seconds as a number, 0 or more", _not_negative, is_text=False)]
Days = Annotated[float, Scalar("days as a number above 0", _positive(parse_number), is_text=False)]
Size = Annotated[int, Scalar("a size such as 128MiB, 5GiB or a number of bytes", parse_size, is_text=False)]
Limit = Annotated[
    int,
    Scalar("a size such as 1GiB, or 0 for none", lambda text: 0 if text == "0" else parse_size(text), is_text=False),
]
BasePath = Annotated[str, Scalar("a path that begins with /, such as /webhook", parse_base_path)]
Url = Annotated[str, Scalar("an http or https URL without user, password and query", parse_url)]
Network = Annotated[
    IPv4Network | IPv6Network, Scalar("a network such as 10.0.0.0/8, or one address", parse_network, is_text=False)
]
