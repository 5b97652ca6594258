"""Make texts and JSON safe and small enough to show: redacted first and cut after, so that no half of a key is left."""

from typing import Final

from gateway.redact import Json, Redactor, printable

LONGEST_TEXT: Final = 4096
"""Characters shown of one string in an event's JSON: enough for any text, far less than a photo."""
LONGEST_LIST: Final = 200
"""Items shown of one list: a history batch has thousands."""
DEEPEST: Final = 64
"""Levels shown of nested JSON; real events have about ten."""


def long_text(text: str | None, redactor: Redactor) -> str | None:
    """A text of any length and several lines."""
    return None if text is None else cut(redactor.text(text))


def short_text(text: str, redactor: Redactor) -> str:
    """A name or a value, on one line."""
    return printable(redactor.text(text))


def trim(value: Json, depth: int = 0) -> Json:
    """JSON with long strings, long lists and deep nesting cut, each saying so."""
    if isinstance(value, str):
        return cut(value)
    if depth > DEEPEST and isinstance(value, list | dict):
        return "… nested deeper than is shown"
    if isinstance(value, list):
        kept: list[Json] = [trim(item, depth + 1) for item in value[:LONGEST_LIST]]
        return [*kept, f"… {len(value) - LONGEST_LIST:,} more"] if len(value) > LONGEST_LIST else kept
    if isinstance(value, dict):
        return {cut(name): trim(below, depth + 1) for name, below in value.items()}
    return value


def cut(text: str) -> str:
    """The beginning of a long text, with its length."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text):,} characters, cut)"
