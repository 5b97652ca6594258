"""Give the nodes of a document the types that `settings` declares.

What a place expects is known here, so each error can say what stands there, what should, and how to write it.
"""

import re
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from gateway.config.document import Leaf, Listing, Node, Section
from gateway.config.scalars import SWITCH, Scalar
from gateway.config.settings import Settings

S = TypeVar("S", bound=Settings)

_MISREAD: Final = (
    ("true or false", re.compile(r"(?i:true|false|yes|no|on|off)")),
    ("a number with another base, or without its zero", re.compile(r"[-+]?0[0-9_]+|0[xX][0-9a-fA-F_]+|0[ob][0-7_]+")),
    ("a number", re.compile(r"[-+]?(\d[\d_]*)?\.?\d[\d_]*([eE][-+]?\d+)?|[-+]?\d+\.|[-+]?\.(?i:inf|nan)")),
    ("a number in base 60", re.compile(r"[-+]?\d+(:[0-5]?\d)+(\.\d*)?")),
    ("a date", re.compile(r"\d{4}-\d\d?-\d\d?([Tt ].*)?")),
    ("nothing", re.compile(r"~|(?i:null)")),
)
"""What YAML readers take unquoted words for, against what people mean."""

_CLEAR: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?|(?i:true|false|null)|~?")
"""Unquoted words that every YAML reader and every person takes for the same value."""


def read_section(node: Section, kind: type[S]) -> S:
    """The section as its struct; absent and empty settings have their defaults.

    Raises:
        ConfigError: an unknown key, a missing one, or a value of the wrong type.
    """
    hints = get_type_hints(kind, include_extras=True)
    for name, below in node.entries.items():
        if name not in hints:
            raise below.place.error(f"no such setting{_suggest(name, list(hints))}")
    given = {name: below for name, below in node.entries.items() if not _is_empty(below)}
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in given:
            raise node.place.error(f"{field.name} is missing")
    return kind(**{name: read(below, hints[name]) for name, below in given.items()})


def read(node: Node, hint: Any) -> object:
    """One value as the type its place asks for."""
    origin = get_origin(hint)
    if hint is Any:
        return read_raw(node)
    if origin is Annotated:
        return _read_scalar(node, hint.__metadata__[0])
    if origin is Literal:
        return _read_choice(node, get_args(hint))
    if origin in {Union, UnionType}:
        return _read_union(node, get_args(hint))
    if origin is tuple:
        return _read_list(node, get_args(hint)[0])
    return _read_keys(node, hint)


def read_raw(node: Node) -> object:
    """A value nobody here knows the type of, as JSON; what came from the environment stays text."""
    if isinstance(node, Section):
        return {name: read_raw(below) for name, below in node.entries.items()}
    if isinstance(node, Listing):
        return [read_raw(item) for item in node.items]
    if node.quoted or node.filled:
        return node.text
    if _CLEAR.fullmatch(node.text):
        return msgspec.json.decode(node.text.lower()) if node.text not in {"", "~"} else None
    misread = _misread_as(node)
    if misread:
        raise node.place.error(
            f'{node.text} is {misread} to some and text to others; write "{node.text}" in quotes{_or_plain(misread)}'
        )
    return node.text


def _read_keys(node: Node, hint: Any) -> object:
    if not isinstance(node, Section):
        raise node.place.error(f"expected settings, such as  {{name: value}}, got {_describe(node, hide=True)}")
    if get_origin(hint) is dict:
        below = get_args(hint)[1]
        return {name: _read_entry(value, below) for name, value in node.entries.items()}
    return read_section(node, hint)


def _read_entry(node: Node, hint: Any) -> object:
    """An entry of a mapping; one with nothing below it has all defaults."""
    if _is_empty(node) and hint is not Any:
        return hint()
    return read(node, hint)


def _read_union(node: Node, members: tuple[object, ...]) -> object:
    """Settings where keys stand, else the word or value that may stand in their place."""
    members = tuple(member for member in members if member is not NoneType)
    if len(members) == 1:
        return read(node, members[0])
    section = next(member for member in members if get_origin(member) is None)
    if isinstance(node, Section):
        return read_section(node, section)
    word = next(member for member in members if get_origin(member) is Literal)
    if isinstance(node, Leaf) and node.text in get_args(word):
        return node.text
    names = ", ".join(section.__struct_fields__)
    raise node.place.error(
        f"expected any of {names}, or the word {get_args(word)[0]}, got {_describe(node, hide=True)}"
    )


def _read_list(node: Node, item: object) -> tuple[object, ...]:
    """A list; one single value stands for the list of it."""
    if isinstance(node, Listing):
        return tuple(read(below, item) for below in node.items)
    return (read(node, item),)


def _read_choice(node: Node, choices: tuple[str, ...]) -> str:
    if isinstance(node, Leaf) and node.text in choices:
        return node.text
    guess = _suggest(node.text, choices) if isinstance(node, Leaf) else ""
    raise node.place.error(f"expected {_either(choices)}, got {_describe(node)}{guess}")


def _read_scalar(node: Node, scalar: Scalar) -> object:
    if not isinstance(node, Leaf):
        raise node.place.error(f"expected {scalar.expected}, got {_describe(node, hide=True)}")
    misread = _misread_as(node)
    if misread and scalar.is_text:
        raise node.place.error(_quotes_needed(node, scalar, misread))
    try:
        return scalar.parse(_unquoted(node, scalar))
    except (ValueError, KeyError):
        seen = _describe(node, hide=scalar.is_secret)
        raise node.place.error(f"expected {scalar.expected}, got {seen}{_hint(node, scalar)}") from None


def _unquoted(node: Leaf, scalar: Scalar) -> str:
    return node.text.strip() if node.filled and not scalar.is_text else node.text


def _quotes_needed(node: Leaf, scalar: Scalar, misread: str) -> str:
    if scalar.is_secret:
        return f"expected {scalar.expected}; YAML takes what stands here for {misread}, so put it in quotes"
    return f'expected {scalar.expected}; YAML takes {node.text} for {misread}, so write "{node.text}" in quotes'


def _hint(node: Leaf, scalar: Scalar) -> str:
    """What to write instead, where it can be told."""
    word = node.text.lower()
    if scalar is SWITCH:
        return {"yes": "; write true", "on": "; write true", "no": "; write false", "off": "; write false"}.get(
            word, ""
        )
    if re.fullmatch(r"0\d+", node.text) and not node.filled:
        return f"; without the leading zero it is {node.text.lstrip('0') or '0'}"
    return ""


def _misread_as(node: Leaf) -> str | None:
    """What YAML takes an unquoted word for when text was meant."""
    if node.quoted or node.filled:
        return None
    return next((what for what, pattern in _MISREAD if pattern.fullmatch(node.text)), None)


def _or_plain(misread: str) -> str:
    return ", or true or false" if misread == "true or false" else ""


def _describe(node: Node, *, hide: bool = False) -> str:
    """What stands there, without what came from the environment and without keys."""
    if isinstance(node, Section):
        return "settings"
    if isinstance(node, Listing):
        return "a list"
    if node.empty:
        return "nothing"
    return "something else" if hide else repr(node.written)


def _is_empty(node: Node) -> bool:
    return isinstance(node, Leaf) and node.empty


def _either(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _suggest(name: str, known: "list[str] | tuple[str, ...]") -> str:
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
