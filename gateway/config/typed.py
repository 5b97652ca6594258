"""Give a plugin's own settings the types of its struct, once it is loaded and its struct is known.

The struct is a stranger's, so msgspec converts it; here its errors are given the place in the file that they are about.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

import msgspec

from gateway.config.document import Leaf, Listing, Node, Place, Section
from gateway.config.own import OwnSettings
from gateway.config.reader import suggest
from gateway.config.secret import Secret
from gateway.errors import ConfigError

T = TypeVar("T")

_ERROR: Final = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_WORDS: Final = {
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "text",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "keys and values",
    "`null`": "nothing",
}


def read_own(plugin: str, values: OwnSettings, kind: type[T]) -> T:
    """A plugin's settings as its struct; absent ones have their defaults.

    Raises:
        ConfigError: one has no place in the struct, is missing, or doesn't fit its type. The text names key and line.
    """
    place = values.place(plugin)
    if values.section:
        _refuse_strangers(values.section, kind)
    try:
        return msgspec.convert(dict(values), kind, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        found = _ERROR.fullmatch(str(error))
        assert found  # noqa: S101 -- it matches any text
        raise _explain(found["what"], found["path"] or "", values.section, place) from None


def _decode(kind: type[Any], value: object) -> object:
    """The types of a setting that JSON has not."""
    if kind not in (Secret, Path):
        raise TypeError(f"a setting can't be a {kind.__name__}")
    if isinstance(value, str):
        return kind(value)
    raise TypeError(f"Expected `str`, got `{type(value).__name__}`")


def _refuse_strangers(section: Section, kind: object) -> None:
    """A key that the struct has no field for is a mistake, whatever msgspec does about it."""
    for struct in _structs(kind):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
        for name, below in section.entries.items():
            if name not in fields:
                raise below.place.error(f"no such setting{suggest(name, tuple(fields))}")
            for inner in _sections(below):
                _refuse_strangers(inner, fields[name])


def _structs(hint: object) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    elif len(found := [struct for part in get_args(hint) for struct in _structs(part)]) == 1:
        yield found[0]


def _sections(node: Node) -> Iterator[Section]:
    if isinstance(node, Section):
        yield node
    elif isinstance(node, Listing):
        for item in node.items:
            yield from _sections(item)


def _explain(what: str, path: str, node: Node | None, place: Place) -> ConfigError:
    """The error of msgspec at the place it is about, as far as that is written."""
    key = place.key + path
    for name, number in _STEP.findall(path):
        if isinstance(node, Section) and name in node.entries:
            node = node.entries[name]
        elif isinstance(node, Listing) and number:
            node = node.items[int(number)]
        else:
            break
    missing = re.fullmatch(r"Object missing required field `(\w+)`", what)
    if missing:
        what, key = "it is missing, and has no default", f"{key}.{missing[1]}"
    for word, plain in _WORDS.items():
        what = what.replace(word, plain)
    line = node.place.line if node else place.line
    hint = _quotes(what, node)
    return Place(place.file, line, key).error(what[:1].lower() + what[1:] + hint)


def _quotes(what: str, node: Node | None) -> str:
    """YAML takes `0123` and `off` for something else than text."""
    if isinstance(node, Leaf) and what.startswith("Expected text, got") and not (node.quoted or node.filled):
        return f'; write "{node.written}" in quotes'
    return ""
