"""Filters on what a person wrote."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, overload

from gateway.events import MessageEvent
from gateway.plugins.filters.arguments import written
from gateway.plugins.filters.base import Capture, Filter, Look, V
from gateway.plugins.filters.shape import Shape
from gateway.plugins.misuse import Misuse

_DROPPED: Final = re.compile("[\u0300-\u036f\u200b\u200e\u200f\u2060\ufe0e\ufe0f\ufeff]")
"""Accents of Latin, Greek and Cyrillic letters, and marks nobody sees. Vowel signs of other scripts are letters."""

_LINK: Final = re.compile(
    r"\b(?:https?://|www\.)[^\s.]"
    r"|(?<![@\w.-])(?:[a-z0-9-]+\.)+[a-z]{2,}/\S"
    r"|(?<![@\w.-])(?:[a-z0-9-]+\.)+(?:com|net|org|info|biz|app|dev|io|gg|xyz|br|pt|mx)\b"
    r"(?![.\w@-])",
    re.IGNORECASE,
)
"""What phones make a link of: `https://...`, `www...`, a name with a path (`wa.me/1`), a name in a common domain."""


@lru_cache(maxsize=64)
def fold(text: str) -> str:
    """The text without differences of case, accent, width and outer blanks: `" ÓLÁ "` -> `"ola"`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _DROPPED.sub("", plain)).strip()


def text(*texts: str) -> Filter[MessageEvent]:
    """The whole text is one of these; case, accents and outer blanks don't count."""
    wanted = frozenset(_folded("text", texts))
    return _on_text(written("text", texts), lambda said: fold(said) in wanted)


def prefix(*prefixes: str) -> Filter[MessageEvent]:
    """The text begins with one of these; case, accents and leading blanks don't count."""
    wanted = _folded("prefix", prefixes)
    return _on_text(written("prefix", prefixes), lambda said: fold(said).startswith(wanted))


@overload
def regex(pattern: str | re.Pattern[str], /) -> Filter[MessageEvent]: ...
@overload
def regex(pattern: str | re.Pattern[str], /, into: type[V]) -> Capture[V]: ...
def regex(pattern: str | re.Pattern[str], /, into: type[Any] | None = None) -> Filter[MessageEvent]:
    """The pattern occurs in the text; its named groups are in `ctx.match`, those that took part.

    A pattern given as text ignores case, as `text` does; `re.compile` gives a pattern flags of its own. `into` is a
    msgspec struct with a field for each named group, and `ctx.captured` gives the groups as one, numbers as numbers; a
    text whose groups don't fit its types is not let through.
    """
    compiled = _compiled(pattern)
    shown = f"regex({compiled.pattern!r}{f', into={into.__name__}' if into else ''})"
    if not compiled.pattern:
        raise Misuse.here(f"{shown} compares with nothing: give it what is not empty")

    def search(event: MessageEvent, look: Look) -> dict[str, str] | None:
        hit = compiled.search(event.text)
        if hit is None:
            return None
        groups = {name: value for name, value in hit.groupdict().items() if value is not None}
        look.groups.update(groups)
        return groups

    if into is None:
        return Filter(shown, lambda event, look: search(event, look) is not None, needs=(MessageEvent,))
    shape = Shape.of_groups(shown, into, compiled.groupindex)
    return Capture(shown, lambda event, look: shape.fill(search(event, look)))


def _on_text(written: str, test: Callable[[str], bool]) -> Filter[MessageEvent]:
    return Filter(written, lambda event, _: test(event.text), needs=(MessageEvent,))


has_link: Final = _on_text("has_link", lambda said: _LINK.search(said) is not None)
"""The text has a link in it, with or without `https://` before it."""


def _folded(name: str, texts: tuple[object, ...]) -> tuple[str, ...]:
    folded = tuple(fold(each) if isinstance(each, str) else "" for each in texts)
    if "" in folded:
        raise Misuse.here(f"{written(name, texts)} compares with nothing: give it texts that are not blank")
    return folded


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.IGNORECASE) if isinstance(pattern, str) else pattern
    except re.error as error:
        raise Misuse.here(f"regex({pattern!r}) is no regular expression: {error}") from None
