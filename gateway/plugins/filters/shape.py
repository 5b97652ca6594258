"""A struct that an author wants texts read into.

Held against the pattern when its file is loaded, and filled when an event comes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Generic, get_origin

import msgspec

from gateway.plugins.filters.base import V
from gateway.plugins.misuse import Misuse


class Shape(Generic[V]):
    """How texts become a msgspec struct: numbers as numbers, a missing one as its field's default."""

    def __init__(self, kind: type[V], names: Sequence[str]) -> None:
        self._kind = kind
        self._names = names
        self._last: str = ""
        """`list`: the last field takes all words that are left; `text`: as one text; else just its own."""

    @classmethod
    def of_groups(cls, shown: str, kind: type[V], groups: Collection[str]) -> "Shape[V]":
        """For a pattern's named groups.

        Raises:
            Misuse: there is a group without a field, or a field without a group that has no default.
        """
        fields = {field.name: field.required for field in _fields(shown, kind)}
        if strange := [name for name in groups if name not in fields]:
            raise Misuse.here(f"{shown}: {kind.__name__} has no field for the group {', '.join(strange)}")
        if missing := [name for name, required in fields.items() if required and name not in groups]:
            raise Misuse.here(f"{shown}: the pattern has no group (?P<{missing[0]}>...) for {kind.__name__}")
        return cls(kind, tuple(groups))

    @classmethod
    def of_words(cls, shown: str, kind: type[V]) -> "Shape[V]":
        """For words in the order of the fields; a last field that is a list takes all that are left, a text likewise.

        Raises:
            Misuse: no struct.
        """
        fields = _fields(shown, kind)
        shape = cls(kind, tuple(field.name for field in fields))
        last = fields[-1].type if fields else None
        shape._last = "text" if last is str else "list" if (get_origin(last) or last) in {list, tuple} else ""
        return shape

    def fill(self, groups: Mapping[str, str | Sequence[str]] | None) -> V | None:
        """The struct; None where there is nothing, or it doesn't fit."""
        if groups is None:
            return None
        try:
            return msgspec.convert(groups, self._kind, strict=False)
        except msgspec.ValidationError:
            return None

    def fill_words(self, words: Sequence[str]) -> V | None:
        """The struct of words; None where they are too many or too few, or don't fit."""
        given: dict[str, str | Sequence[str]] = dict(zip(self._names, words, strict=False))
        rest = words[len(self._names) - 1 :] if self._names else words
        if self._last and rest:
            given[self._names[-1]] = " ".join(rest) if self._last == "text" else rest
        elif len(words) > len(self._names):
            return None
        return self.fill(given)


def _fields(shown: str, kind: object) -> Sequence[msgspec.structs.FieldInfo]:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise Misuse.here(f"{shown} reads into a msgspec.Struct, got {kind!r}")
    return msgspec.structs.fields(kind)
