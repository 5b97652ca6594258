"""Read what Evolution says when it refuses: one class of error, one readable text.

`message` may be a text, a list, a list of lists or of objects, inside `response` or not; Meta's errors come with a 201,
a failed `connect` with a 200. Pure, so that every shape is tested as it was seen.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.evolution.errors import (
    Disconnected,
    EvolutionError,
    EvolutionUnsure,
    InvalidCall,
    LicenseRequired,
    NameTaken,
    NoSuchInstance,
    NotOnWhatsApp,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnsupportedCall,
)

LONGEST: Final = 500  # characters of the server's words
NO_REASON: Final = "no reason given"

_PROXY_GAVE_UP: Final = frozenset({502, 504, 520, 524})
"""A proxy's words for an Evolution that took the request and did not answer it (520 and 524: Cloudflare's)."""
_STATUS: Final[Mapping[int, type[EvolutionError]]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: UnsupportedCall,
    405: UnsupportedCall,
    408: ServerFault,
    429: RateLimited,
}
_META: Final[Mapping[int, type[EvolutionError]]] = {
    4: RateLimited,
    80007: RateLimited,
    130429: RateLimited,
    131048: RateLimited,
    131056: RateLimited,
    131026: NotOnWhatsApp,
    10: Unauthorized,
    190: Unauthorized,
    131005: Unauthorized,
    1: ServerFault,
    2: ServerFault,
    131000: ServerFault,
    131016: ServerFault,
}
"""Meta's codes (Cloud API, "Error codes"); every other one is about what was sent."""
_SAYS: Final[Mapping[type[EvolutionError], re.Pattern[str]]] = {
    LicenseRequired: re.compile(r"license[_ ]required", re.IGNORECASE),
    RateLimited: re.compile(r"rate-overlimit|too many requests|rate limit", re.IGNORECASE),
    Disconnected: re.compile(
        r"connection (was )?(closed|terminated|lost|failure)|not connected|stream errored|intentional logout"
        r"|websocket (is not open|was closed)|restart required"
        r"|cannot read propert.*(sendMessage|sendPresenceUpdate|presenceSubscribe|onWhatsApp)",
        re.IGNORECASE,
    ),
    EvolutionUnsure: re.compile(r"timed out|prisma\w*\.\w+\.(create|update|upsert)", re.IGNORECASE),
    ServerFault: re.compile(r"prisma|can't reach database", re.IGNORECASE),
    NoSuchInstance: re.compile(r'instance does not exist|instance ".*" not found', re.IGNORECASE),
    NameTaken: re.compile(r"already in use", re.IGNORECASE),
    UnsupportedCall: re.compile(r"method not available|cannot (get|post|put|delete) /", re.IGNORECASE),
}
"""What words say, whatever the status beside them.

Baileys waits for WhatsApp's answer with a limit (`Timed Out`), and Evolution stores a message once it is sent
(`prisma.message.create`): in both cases it may have left. What its database refuses besides is a fault that passes.
"""


def is_refusal(answer: object) -> bool:
    """Whether an answer that came with a 2xx is an error all the same."""
    if not isinstance(answer, dict) or "key" in answer:
        return False
    return answer.get("error") is True or _meta(answer) is not None


def refused(status: int, answer: object, *, is_question: bool = False, location: str | None = None) -> EvolutionError:
    """The error that an answer is; `location` is where a redirect leads."""
    if status // 100 == 3:  # noqa: PLR2004 -- HTTP's own numbers
        return UnsupportedCall(f"it redirects to {location}: set evolution.url to where it leads", status=status)
    words = complaint(answer)
    if status in _PROXY_GAVE_UP:
        words = f"a proxy before Evolution gave up waiting: {words}"
        return (ServerFault if is_question else EvolutionUnsure)(words, status=status)
    found = _classify(status, answer, words)
    return (ServerFault if is_question and found is EvolutionUnsure else found)(words, status=status)


def complaint(answer: object) -> str:
    """The server's own words, out of the shapes it puts them in."""
    if isinstance(answer, str):
        return _cut(_without_tags(answer)) or NO_REASON
    if not isinstance(answer, dict):
        return _cut(_flat(answer)) or NO_REASON
    inner = answer.get("response")
    words = inner.get("message") if isinstance(inner, dict) else inner
    for found in (words, _meta(answer), answer.get("message"), answer.get("error")):
        if text := _flat(found):
            return _cut(text)
    return NO_REASON


def _classify(status: int, answer: object, words: str) -> type[EvolutionError]:
    if _names_absent(answer):
        return NotOnWhatsApp
    meta = _meta(answer)
    if meta is not None and meta["code"] in _META:
        return _META[meta["code"]]
    if found := next((found for found, pattern in _SAYS.items() if pattern.search(words)), None):
        return found
    is_at_fault = status >= 500 or (status < 300 and meta is None)  # noqa: PLR2004 -- HTTP's own numbers
    return _STATUS.get(status, ServerFault if is_at_fault else InvalidCall)


def _meta(answer: object) -> dict[str, Any] | None:
    """Meta's error object, whole or under `error`: `{message, type, code, error_data, fbtrace_id}`."""
    if not isinstance(answer, dict):
        return None
    if isinstance(answer.get("error"), dict):
        return _meta(answer["error"])
    is_meta = type(answer.get("code")) is int and isinstance(answer.get("message"), str)
    return answer if is_meta else None


def _names_absent(answer: object) -> bool:
    """Whether a number is named that does not exist on WhatsApp, at any depth."""
    if isinstance(answer, dict):
        return answer.get("exists") is False or any(map(_names_absent, answer.values()))
    return isinstance(answer, list) and any(map(_names_absent, answer))


def _flat(words: object) -> str:
    """One text of any shape; "" for what says nothing."""
    if isinstance(words, str):
        return "" if words.strip() == "[object Object]" else words.strip().rstrip(".")
    if isinstance(words, list):
        return "; ".join(dict.fromkeys(filter(None, map(_flat, words))))
    if isinstance(words, dict):
        return _flat_object(words)
    return ""


def _flat_object(words: dict[str, Any]) -> str:
    if words.get("exists") is False:
        return "this number is not on WhatsApp"
    if "property" in words and "message" in words:  # of a group's validator, whose words name the property themselves
        return _flat(words["message"])
    details = words.get("error_data")
    more = details.get("details") if isinstance(details, dict) else details
    return _flat([words.get("message"), more, words.get("error")])


def _without_tags(page: str) -> str:
    """The text of an HTML page: what a proxy, or Express for an unknown path, answers."""
    return " ".join(
        re.sub(r"<(script|style|head)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL | re.IGNORECASE).split()
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
