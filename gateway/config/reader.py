"""Give the nodes of a document the types that `settings` declares.

What a place expects is known here, so each error can say what stands there, what should, and how to write it.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from gateway.config.document import Leaf, Listing, Node, Section
from gateway.config.own import OwnSettings
from gateway.config.scalars import SWITCH, SWITCHES, Scalar, parse_number
from gateway.config.settings import Settings
from gateway.redact import redact_url

S = TypeVar("S", bound=Settings)
Hint: TypeAlias = Any
"""What `get_type_hints` gives: a class, or one of typing's own forms, which have no type in common."""

_MISREAD: Final = (
    ("true or false", re.compile(r"(?i:true|false|yes|no|on|off)")),
    ("a number that loses its zero", re.compile(r"[-+]?0[0-9_]+")),
    ("a number with another base", re.compile(r"0[xX][0-9a-fA-F_]+|0[ob][0-7_]+")),
    (
        "a number",
        re.compile(r"[-+]?([0-9][0-9_]*)?\.?[0-9][0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9]+\.|[-+]?\.(?i:inf|nan)"),
    ),
    ("a number in base 60", re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")),
    ("a date", re.compile(r"[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?([Tt ].*)?")),
    ("nothing", re.compile(r"~|(?i:null)")),
)
"""What YAML readers take unquoted words for, against what people mean."""


def read_section(node: Section, kind: type[S]) -> S:
    """The section as its struct; absent settings and empty sections have their defaults.

    Raises:
        ConfigError: an unknown key, a missing one, or a value of the wrong type.
    """
    hints = get_type_hints(kind, include_extras=True)
    for name, below in node.entries.items():
        if name not in hints:
            raise below.place.error(f"no such setting{_suggest_key(name, hints)}")
    given = {name: below for name, below in node.entries.items() if not (_is_empty(below) and _is_section(hints[name]))}
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in given:
            raise node.place.error(f"{field.name} is missing")
    return kind(**{name: read(below, hints[name]) for name, below in given.items()})


def read(node: Node, hint: Hint) -> object:
    """One value as the type its place asks for."""
    origin = _form(hint)
    if hint is OwnSettings:
        return _read_own(node)
    if origin is Annotated:
        return _read_scalar(node, hint.__metadata__[0])
    if origin is Literal:
        return _read_choice(node, get_args(hint))
    if origin in {Union, UnionType}:
        return _read_union(node, get_args(hint))
    if origin is tuple:
        return _read_list(node, get_args(hint)[0])
    return _read_keys(node, hint)


def _read_own(node: Node) -> OwnSettings:
    if not isinstance(node, Section):
        raise node.place.error(f"expected settings, such as  {{name: value}}, got {_describe(node, hide=True)}")
    return OwnSettings({name: read_raw(below) for name, below in node.entries.items()}, node)


def read_raw(node: Node) -> object:
    """A value nobody here knows the type of, as JSON; what came from the environment stays text."""
    if isinstance(node, Section):
        return {name: read_raw(below) for name, below in node.entries.items()}
    if isinstance(node, Listing):
        return [read_raw(item) for item in node.items]
    return node.text if node.quoted or node.filled else _read_word(node)


def _read_word(node: Leaf) -> object:
    """An unquoted word as what every YAML reader and every person takes it for; refused where they differ."""
    if node.empty:
        return None
    if node.text.lower() in SWITCHES:
        return SWITCHES[node.text.lower()]
    with suppress(ValueError):
        return parse_number(node.text)
    misread = _misread_as(node)
    if misread:
        raise node.place.error(f'YAML takes {node.text} for {misread}; write "{node.text}" in quotes{_or_plain(node)}')
    return node.text


def _form(hint: Hint) -> object:
    """Which of typing's forms a hint is; None for a class."""
    return get_origin(hint)


def _read_keys(node: Node, hint: Hint) -> object:
    if not isinstance(node, Section):
        raise node.place.error(f"expected settings, such as  {{name: value}}, got {_describe(node, hide=True)}")
    if _form(hint) is dict:
        below = get_args(hint)[1]
        return {name: _read_entry(value, below) for name, value in node.entries.items()}
    return read_section(node, hint)


def _read_entry(node: Node, hint: Hint) -> object:
    """An entry of a mapping; one with nothing below it has all defaults."""
    if _is_empty(node):
        return hint()
    return read(node, hint)


def _is_section(hint: Hint) -> bool:
    """Whether settings stand below a key, so that a key with nothing below it changes nothing."""
    members = get_args(hint) if _form(hint) in {Union, UnionType} else (hint,)
    return NoneType not in members and any(_form(member) is dict or isinstance(member, type) for member in members)


def _read_union(node: Node, members: tuple[Hint, ...]) -> object:
    """Settings where keys stand, else the word or value that may stand in their place."""
    members = tuple(member for member in members if member is not NoneType)
    if len(members) == 1:
        return read(node, members[0])
    section = next(member for member in members if _form(member) is None)
    if isinstance(node, Section):
        return read_section(node, section)
    word = next(member for member in members if _form(member) is Literal)
    if isinstance(node, Leaf) and node.text in get_args(word):
        return node.text
    names = ", ".join(section.__struct_fields__)
    raise node.place.error(
        f"expected any of {names}, or the word {get_args(word)[0]}, got {_describe(node, hide=True)}"
    )


def _read_list(node: Node, item: Hint) -> tuple[object, ...]:
    """A list; one single value stands for the list of it."""
    if isinstance(node, Listing):
        return tuple(read(below, item) for below in node.items)
    if _is_empty(node):
        raise node.place.error("expected a list, got nothing; an empty one is written []")
    return (read(node, item),)


def _read_choice(node: Node, choices: tuple[str, ...]) -> str:
    if isinstance(node, Leaf) and node.text in choices:
        return node.text
    guess = _nearest(node.text, choices) if isinstance(node, Leaf) else ""
    raise node.place.error(f"expected {_either(choices)}, got {_describe(node)}{guess}")


def _read_scalar(node: Node, scalar: Scalar) -> object:
    if not isinstance(node, Leaf):
        raise node.place.error(f"expected {scalar.expected}, got {_describe(node, hide=True)}")
    misread = _misread_as(node)
    if node.empty:
        raise node.place.error(f"expected {scalar.expected}, got nothing")
    if misread and scalar.is_text:
        raise node.place.error(_quotes_needed(node, scalar, misread))
    try:
        return scalar.parse(_trimmed(node, scalar))
    except (ValueError, KeyError):
        seen = _describe(node, hide=scalar.is_secret)
        raise node.place.error(f"expected {scalar.expected}, got {seen}{_hint(node, scalar)}") from None


def _trimmed(node: Leaf, scalar: Scalar) -> str:
    """The text; without the spaces and newlines that a number from the environment may bring along."""
    return node.text.strip() if node.filled and not scalar.is_text else node.text


def _quotes_needed(node: Leaf, scalar: Scalar, misread: str) -> str:
    if scalar.is_secret:
        return f"expected {scalar.expected}; YAML takes what stands here for {misread}, so put it in quotes"
    return f'expected {scalar.expected}; YAML takes {node.text} for {misread}, so write "{node.text}" in quotes'


def _hint(node: Leaf, scalar: Scalar) -> str:
    """What to write instead, where it can be told."""
    plain = None if node.filled else _plain_form(node.text)
    if plain in {"true", "false"} and scalar is not SWITCH:
        return ""
    return f"; write {plain}" if plain else ""


def _or_plain(node: Leaf) -> str:
    plain = _plain_form(node.text)
    return f" if it is text, or {plain}" if plain else ""


def _plain_form(text: str) -> str | None:
    """The way of writing a switch or a number that nobody takes for anything else."""
    if re.fullmatch(r"0[0-9]+", text):
        return text.lstrip("0") or "0"
    return {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text.lower())


def _misread_as(node: Leaf) -> str | None:
    """What YAML takes an unquoted word for when text was meant."""
    if node.quoted or node.filled:
        return None
    return next((what for what, pattern in _MISREAD if pattern.fullmatch(node.text)), None)


def _describe(node: Node, *, hide: bool = False) -> str:
    """What stands there, without keys and without what came from the environment."""
    if isinstance(node, Section):
        return "settings"
    if isinstance(node, Listing):
        return "a list"
    if node.empty:
        return "nothing"
    if not node.text:
        return "an empty text"
    return "something else" if hide else repr(redact_url(node.written))


def _is_empty(node: Node) -> bool:
    return isinstance(node, Leaf) and node.empty


def _either(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _suggest_key(name: str, hints: Mapping[str, Hint]) -> str:
    """The setting that was meant: one of the same section, else one a level below."""
    below = [f"{section}.{name}" for section, hint in hints.items() if name in getattr(hint, "__struct_fields__", ())]
    return f"; did you mean {' or '.join(below)}?" if below else suggest(name, tuple(hints))


def suggest(name: str, known: tuple[str, ...]) -> str:
    """What was meant: the known name that is near, else all of them."""
    return _nearest(name, known) or f"; there are {', '.join(known)}"


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
