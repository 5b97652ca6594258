"""Filters on what a person wrote."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from gateway.events import MessageEvent
from gateway.plugins.filters.arguments import written
from gateway.plugins.filters.base import Filter, Found
from gateway.plugins.misuse import Misuse

_DROPPED: Final = re.compile("[\u0300-\u036f\u200b\u200e\u200f\u2060\ufe0e\ufe0f\ufeff]")
"""Accents of Latin, Greek and Cyrillic letters, and marks nobody sees. Vowel signs of other scripts are letters."""


@lru_cache(maxsize=64)
def fold(text: str) -> str:
    """The text without differences of case, accent, width and outer blanks: `" ÓLÁ "` -> `"ola"`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _DROPPED.sub("", plain)).strip()


def text(*texts: str) -> Filter[MessageEvent]:
    """The whole text is one of these; case, accents and outer blanks don't count."""
    wanted = frozenset(_folded("text", texts))
    return _on_text(written("text", texts), lambda said, _: fold(said) in wanted)


def prefix(*prefixes: str) -> Filter[MessageEvent]:
    """The text begins with one of these; case, accents and leading blanks don't count."""
    wanted = _folded("prefix", prefixes)
    return _on_text(written("prefix", prefixes), lambda said, _: fold(said).startswith(wanted))


def regex(pattern: str | re.Pattern[str], /) -> Filter[MessageEvent]:
    """The pattern occurs in the text; its named groups are in `ctx.match`, those that took part.

    A pattern given as text ignores case, as `text` does; `re.compile` gives a pattern flags of its own.
    """
    compiled = _compiled(pattern)

    def search(said: str, found: Found) -> bool:
        hit = compiled.search(said)
        if hit:
            found.groups.update((name, value) for name, value in hit.groupdict().items() if value is not None)
        return hit is not None

    return _on_text(written("regex", (compiled.pattern,)), search)


def _on_text(written: str, test: Callable[[str, Found], bool]) -> Filter[MessageEvent]:
    def ask(event: MessageEvent, found: Found) -> bool:
        return test(event.text, found)

    return Filter(written, ask, needs=(MessageEvent,))


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
