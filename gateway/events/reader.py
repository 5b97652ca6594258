"""Read fields of one JSON object, and note those whose shape is not known.

A field that is absent, null or `""` reads as None. A field of a shape nobody knows also reads as None, and its dotted
path goes to `problems`, so that a surprise of tomorrow's Evolution costs one attribute and not the event. The notes
name types and never values: they end up in logs.
"""

from typing import Any, Final

import msgspec

from gateway import jid
from gateway.events.numbers import integer, real

JsonObject = dict[str, Any]

_USUAL: Final = 2**53
"""Whole numbers up to here are what they seem to be, in whatever form they come."""

_TYPES: Final = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


class Reader(msgspec.Struct, eq=False):
    """One JSON object, where it stands in the envelope, and the list its problems go to."""

    data: JsonObject
    path: str
    problems: list[str]

    def text(self, key: str) -> str | None:
        """Text; None for the empty one, which Evolution writes where there is none."""
        value = self.data.get(key)
        if type(value) is str:
            return value or None
        if value is not None:
            self.reject(key, "text", value)
        return None

    def first_text(self, *keys: str) -> str | None:
        """The first of several fields that holds text: versions and channels name the same thing differently."""
        for key in keys:
            if (value := self.text(key)) is not None:
                return value
        return None

    def label(self, key: str) -> str | None:
        """An identifier that some versions write as a number."""
        value = self.data.get(key)
        return str(value) if type(value) is int else self.text(key)

    def jid(self, key: str) -> str | None:
        """A WhatsApp address without its device."""
        value = self.data.get(key)
        if type(value) is str:
            return jid.bare(value) or None
        if value is not None:
            self.reject(key, "a jid", value)
        return None

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self.data.get(key)
        if value is None or type(value) is bool:
            return value
        self.reject(key, "true or false", value)
        return None

    def whole(self, key: str) -> int | None:
        """A whole number in any of the forms of `numbers.integer`."""
        value = self.data.get(key)
        if type(value) is int and 0 <= value < _USUAL:
            return value
        if value is None or value == "":
            return None
        found = integer(value)
        if found is None:
            self.reject(key, "a whole number", value)
        return found

    def real(self, key: str) -> float | None:
        """A number with a fraction."""
        value = self.data.get(key)
        if value is None or value == "":
            return None
        found = real(value)
        if found is None:
            self.reject(key, "a number", value)
        return found

    def inner(self, key: str) -> "Reader | None":
        """The object under a key."""
        value = self.data.get(key)
        if type(value) is dict:
            return Reader(value, f"{self.path}.{key}", self.problems)
        if value is not None and value != "":
            self.reject(key, "an object", value)
        return None

    def entries(self, key: str) -> "tuple[Reader, ...]":
        """The objects in the list under a key; a single object counts as a list of one."""
        value = self.data.get(key)
        return () if value is None else objects(value, f"{self.path}.{key}", self.problems)

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts in the list under a key."""
        value = self.data.get(key)
        if type(value) is not list:
            if value is not None and value != "":
                self.reject(key, "a list", value)
            return ()
        found = tuple(item for item in value if type(item) is str and item)
        if len(found) != len(value):
            self.reject(key, "a list of text", value)
        return found

    def reject(self, key: str, wanted: str, value: object) -> None:
        """Note that the value under a key has a shape nobody knows."""
        place = f"{self.path}.{key}" if self.path else key
        self.problems.append(f"{place}: expected {wanted}, found {describe(value)}")


def describe(value: object) -> str:
    """The JSON type of a value, in words."""
    return _TYPES.get(type(value), "a number")


def objects(value: object, path: str, problems: list[str]) -> tuple[Reader, ...]:
    """The objects in a list, or the one object that stands where a list would; others become problems."""
    if type(value) is dict:
        return (Reader(value, path, problems),)
    if type(value) is not list:
        problems.append(f"{path}: expected a list, found {describe(value)}")
        return ()
    found = []
    for at, item in enumerate(value):
        if type(item) is dict:
            found.append(Reader(item, f"{path}[{at}]", problems))
        else:
            problems.append(f"{path}[{at}]: expected an object, found {describe(item)}")
    return tuple(found)
