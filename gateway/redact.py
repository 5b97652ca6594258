"""Take out what must not be seen: keys and tokens, pairing codes, media keys, and the text they hide in.

Pure, and used by everything that shows or writes something: log, live page, API, dead letters, tracebacks. Evolution
posts secrets of its own (`apikey`, the server's global `api_key` in error webhooks, typebot's `parameters.apiKey`), so
names are looked for as well as the values this gateway knows.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias
from urllib.parse import quote

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

PLACEHOLDER: Final = "[redacted]"
TOO_DEEP: Final = "[nested too deep]"

_SHORTEST: Final = 6  # characters; a shorter value of a payload's key would redact ordinary words
_SHORTEST_OWN: Final = 4  # characters; the same for the gateway's own secrets, which are known to be secrets
_DEEPEST: Final = 100  # levels; Evolution's own events have about 12, and Python's stack ends at 1,000 calls
_PHRASES: Final = frozenset({"Apikey not found"})  # what Evolution writes where an instance has no key

_NAMES: Final = frozenset(
    {
        "accesstoken",
        "admintoken",
        "apikey",
        "authorization",
        "bearer",
        "clientsecret",
        "cookie",
        "globalapikey",
        "hash",
        "jwt",
        "jwtkey",
        "mediakey",
        "messagesecret",
        "pairingcode",
        "passwd",
        "password",
        "pathsecret",
        "privatekey",
        "proxypassword",
        "refreshtoken",
        "secret",
        "secretkey",
        "setcookie",
        "token",
        "webhooktoken",
        "xapikey",
        "xwebhooktoken",
    }
)
_PAIRING_NAME: Final = "pairingcode"
_QR_NAMES: Final = frozenset({"code", "base64"})
_URL_NAMES: Final = frozenset({"destination", "webhookurl", "serverurl"})

_SEPARATORS: Final = re.compile(r"[-_.\s]")
_USER_IN_URL: Final = re.compile(r"(?<=://)[^/@\s\"'<>]+(?=@)")
_QUERY_VALUE: Final = re.compile(r"(?<=[?&;])([^=&;#\s]+)=[^&;#\s]*")

_LOOSE_NAME: Final = (
    r"(?:x[-_]?)?(?:(?:global[-_]?)?api[-_]?key|authorization|(?:access|refresh|admin|webhook)?[-_]?token"
    r"|jwt(?:[-_]?key)?|(?:client|message|path)?[-_]?secret(?:[-_]?key)?|(?:proxy[-_]?)?passw(?:or)?d|media[-_]?key"
    r"|private[-_]?key|pairing[-_]?code|(?:set-)?cookie|hash)"
)
_NAMED: Final = re.compile(
    # "apikey": "..."  \"apikey\":\"...\"  ('apikey', '...')  apikey='...'  and the same cut off before its end
    rf"""((?:(\\{{0,15}}+["']){_LOOSE_NAME}\2\s*+[:,=]|(?<![A-Za-z0-9]){_LOOSE_NAME}=)\s*+b?(\\{{0,15}}+["']))"""
    rf"(?:(?!\3)(?:\\.|[^\\\n]))*+",
    re.IGNORECASE,
)
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # authorization: Bearer ...  and  apikey: ...  as headers are printed
        (r"\b((?:x-)?api[-_]?key|authorization)(\s*:\s*)(?:(bearer|basic)\s+)?[^\s\"'{\[,;]+", rf"\1\2{PLACEHOLDER}"),
        (r"\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{8,}=*", rf"\1 {PLACEHOLDER}"),
        (rf"(?<![A-Za-z0-9])({_LOOSE_NAME})=(?!\[redacted\])[^\s&;,\"'<>)\]}}]+", rf"\1={PLACEHOLDER}"),
        (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*", PLACEHOLDER),
    )
)
_HINTS: Final = (
    "key", "author", "token", "jwt", "secret", "passw", "pairing", "cookie", "hash", "bearer", "basic", "eyj", "://",
)  # fmt: skip

_UNPRINTABLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ONE_BYTE: Final = 0xFF
_LAST_DIGITS: Final = 4


class Redactor:
    """Redacts, besides what names give away, the values it was given."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._exact = frozenset(secrets) - {""}
        self._own = _forms(secret for secret in self._exact if len(secret) >= _SHORTEST_OWN)

    def json(self, value: Json) -> Json:
        """A copy of parsed JSON in which no secret is left; the value itself is untouched."""
        theirs = [found for found in _find_secrets(value) if len(found) >= _SHORTEST and found not in _PHRASES]
        return _Copier(self._exact, (*self._own, *_forms(theirs))).copy(value)

    def text(self, text: str) -> str:
        """Text for people (a log line, a traceback) in which no secret is left."""
        if text in self._exact:
            return PLACEHOLDER
        return _without_patterns(_without(text, self._own))


def redact(value: Json) -> Json:
    """A copy of parsed JSON without what its own names give away."""
    return Redactor().json(value)


def hide_codes(value: Json) -> Json:
    """A copy of parsed JSON without what pairs a phone; keys and tokens stay."""
    return _CodeCopier(frozenset(), ()).copy(value)


def redact_url(url: str) -> str:
    """A URL without user, password and query values; Evolution glues its suffix behind a query, which goes too."""
    return _QUERY_VALUE.sub(rf"\1={PLACEHOLDER}", _USER_IN_URL.sub(PLACEHOLDER, url))


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what stands under this name is a secret, whatever its case, dashes and underscores."""
    return _SEPARATORS.sub("", name).lower() in _NAMES


def printable(text: str) -> str:
    """Text that cannot move the cursor, change colours, begin a line or reorder it: what could is shown escaped."""
    if text.isprintable() and text.isascii():
        return text
    return _UNPRINTABLE.sub(_escape, text)


def shorten_phone(jid: str) -> str:
    """A telephone number or jid as its last four digits, for logs: `5511999990002@s.whatsapp.net` -> `…0002`."""
    user, at, server = jid.partition("@")
    digits = user.partition(":")[0].lstrip("+")
    if len(digits) <= _LAST_DIGITS or not (digits.isdigit() or any(character.isdigit() for character in digits)):
        return jid
    return f"…{digits[-_LAST_DIGITS:]}" + ("" if server in {"", "s.whatsapp.net", "c.us"} else at + server)


class _Copier:
    """Copies parsed JSON, with a known set of values to take out."""

    def __init__(self, exact: frozenset[str], known: tuple[str, ...]) -> None:
        self._exact = exact
        self._known = known

    def copy(self, value: Json, *, in_qr: bool = False, depth: int = 0) -> Json:
        if isinstance(value, str):
            return self._text(value)
        if not isinstance(value, list | dict):
            return value
        if depth == _DEEPEST:
            return TOO_DEEP
        if isinstance(value, list):
            return [self.copy(item, in_qr=in_qr, depth=depth + 1) for item in value]
        in_qr = in_qr or _is_qr(value)
        return {self._text(name): self._entry(name, below, in_qr, depth + 1) for name, below in value.items()}

    def _entry(self, name: str, value: Json, in_qr: bool, depth: int) -> Json:  # noqa: FBT001 - private, and called once
        if is_secret_name(name) or (in_qr and name.lower() in _QR_NAMES):
            return _blank(value)
        if isinstance(value, str) and _SEPARATORS.sub("", name).lower() in _URL_NAMES:
            return self._text(redact_url(value))
        return self.copy(value, in_qr=in_qr or name.lower() == "qrcode", depth=depth)

    def _text(self, text: str) -> str:
        """A text without what is known, and without keys of JSON within it; else left alone, as people wrote it."""
        if text in self._exact:
            return PLACEHOLDER
        text = _without(text, self._known)
        return _blank_named(text) if '"' in text and _has_hint(text) else text


class _CodeCopier(_Copier):
    """Takes out the QR and pairing codes alone."""

    def _entry(self, name: str, value: Json, in_qr: bool, depth: int) -> Json:  # noqa: FBT001 - as above
        if (in_qr and name.lower() in _QR_NAMES) or _SEPARATORS.sub("", name).lower() == _PAIRING_NAME:
            return _blank(value)
        return self.copy(value, in_qr=in_qr or name.lower() == "qrcode", depth=depth)

    def _text(self, text: str) -> str:
        return text


def _is_qr(value: Mapping[str, Json]) -> bool:
    """Whether an object is a QR code without being called one, as `instance/connect` answers it."""
    return "pairingCode" in value and "code" in value


def _blank(value: Json) -> Json:
    """The placeholder; nothing, true, false and the texts that say there is no key stay readable."""
    is_harmless = value is None or isinstance(value, bool) or value in ("", *_PHRASES)
    return value if is_harmless else PLACEHOLDER


def _find_secrets(value: Json) -> Iterator[str]:
    """Every text that stands, however deep, under a secret's name."""
    waiting = [(value, False)]
    while waiting:
        current, is_secret = waiting.pop()
        if isinstance(current, str) and is_secret:
            yield current
        elif isinstance(current, list):
            waiting += [(item, is_secret) for item in current]
        elif isinstance(current, dict):
            waiting += [(below, is_secret or is_secret_name(name)) for name, below in current.items()]


def _forms(secrets: Iterable[str]) -> tuple[str, ...]:
    """The secrets, longest first, each also as JSON, URLs and Python's repr write it."""
    forms: set[str] = set()
    for secret in secrets:
        forms |= {secret, json.dumps(secret)[1:-1], quote(secret, safe=""), quote(secret), repr(secret)[1:-1]}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _without(text: str, known: Iterable[str]) -> str:
    for secret in known:
        if secret in text:
            text = text.replace(secret, PLACEHOLDER)
    return text


def _without_patterns(text: str) -> str:
    if text.isdigit() or not _has_hint(text):
        return text
    text = _blank_named(text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _USER_IN_URL.sub(PLACEHOLDER, text)


def _has_hint(text: str) -> bool:
    """Whether it is worth the patterns' time: looked for one by one, for that is ten times as fast as by a pattern."""
    folded = text.casefold()
    return any(hint in folded for hint in _HINTS)


def _blank_named(text: str) -> str:
    return _NAMED.sub(rf"\1{PLACEHOLDER}", text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\u{code:04x}" if code > _ONE_BYTE else f"\\x{code:02x}")
