"""Say what is wrong with a JSON value, in the words of Evolution's own validator (the npm package jsonschema).

Evolution ignores a key it does not know. Whoever sends one most likely misspelt something, so that is said here too, as
a problem that makes no refusal.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

_ROOT: Final = "instance"  # what jsonschema calls the value as a whole


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be."""

    where: str
    """`instance.key.id`; the whole value is `instance`."""
    words: str
    says: str = ""
    """What Evolution's schema says instead."""
    ignored: bool = False
    """Evolution does not mind."""

    @property
    def text(self) -> str:
        """As Evolution's answer has it: the schema's own words, or place and fault without the beginning."""
        return self.says or f"{self.where} {self.words}".replace(f"{_ROOT}.", "", 1)


Check = Callable[[object, str], Iterator[Problem]]
"""Gives the problems of a value at a place."""


def problems(check: Check, value: object) -> list[Problem]:
    """All that is wrong with a whole value."""
    return list(check(value, _ROOT))


def text(*, least: int = 0, pattern: str = "", choices: tuple[str, ...] = (), says: str = "") -> Check:
    """A string; `least` counts characters."""

    def check(value: object, where: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(where=where, words="is not of a type(s) string", says=says)
            return
        if len(value) < least:
            yield Problem(where=where, words=f"does not meet minimum length of {least}", says=says)
        if pattern and not re.search(pattern, value):
            yield Problem(where=where, words=f'does not match pattern "{pattern}"', says=says)
        if choices and value not in choices:
            yield Problem(where=where, words=f"is not one of enum values: {','.join(choices)}", says=says)

    return check


def boolean() -> Check:
    """True or false."""

    def check(value: object, where: str) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield Problem(where=where, words="is not of a type(s) boolean")

    return check


def number(*, least: float | None = None, most: float | None = None, whole: bool = False, says: str = "") -> Check:
    """A number; `whole`: an integer."""
    kind = "integer" if whole else "number"

    def check(value: object, where: str) -> Iterator[Problem]:
        if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
            yield Problem(where=where, words=f"is not of a type(s) {kind}", says=says)
            return
        if least is not None and value < least:
            yield Problem(where=where, words=f"must be greater than or equal to {least}", says=says)
        if most is not None and value > most:
            yield Problem(where=where, words=f"must be less than or equal to {most}", says=says)

    return check


def listing(item: Check, *, least: int = 0, most: int | None = None) -> Check:
    """A list without repeated items."""

    def check(value: object, where: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(where=where, words="is not of a type(s) array")
            return
        for at, each in enumerate(value):
            yield from item(each, f"{where}[{at}]")
        if len(value) < least:
            yield Problem(where=where, words=f"does not meet minimum length of {least}")
        if most is not None and len(value) > most:
            yield Problem(where=where, words=f"does not meet maximum length of {most}")
        if any(each in value[:at] for at, each in enumerate(value)):
            yield Problem(where=where, words="contains duplicate item")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these keys; any other is a problem that Evolution ignores."""
    known = {**required, **(optional or {})}

    def check(value: object, where: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(where=where, words="is not of a type(s) object")
            return
        for name in required:
            if name not in value:
                yield Problem(where=where, words=f'requires property "{name}"')
        for name, below in value.items():
            if name in known:
                yield from known[name](below, f"{where}.{name}")
            else:
                yield Problem(where=f"{where}.{name}", words="is no key that Evolution knows here", ignored=True)

    return check


def anything(_value: object, _where: str) -> Iterator[Problem]:
    """What Evolution does not look at."""
    yield from ()


def strings() -> Check:
    """An object whose values are strings, under any key."""
    one = text()

    def check(value: object, where: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(where=where, words="is not of a type(s) object")
            return
        items: dict[str, Any] = value
        for name, below in items.items():
            yield from one(below, f"{where}.{name}")

    return check
