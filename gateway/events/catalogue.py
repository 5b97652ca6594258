"""Write the catalogue of events for the documentation, from the types themselves.

What the catalogue says of a field is the field's own docstring, so neither can age without the other. Run
`python -m gateway.events.catalogue docs/events.md` after changing a type; a test compares the two.
"""

import ast
import inspect
import re
import sys
import textwrap
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import orjson

from gateway import events, names, samples
from gateway.events import Event
from gateway.names import EventName

_MODULE: Final = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])")
_COMMON: Final = (
    events.Event,
    events.ChatEvent,
    events.MessageEvent,
    events.ContactsEvent,
    events.ChatsEvent,
    events.InstanceEvent,
    events.UnknownEvent,
    events.MalformedEvent,
)
"""What has no name of its own among Evolution's events."""

_NAME: Final = re.compile(r"[A-Z]\w+")
_LONG_BYTES: Final = 6
"""Entries of an index dictionary from which on a sample shows only its beginning."""

_HEAD: Final = """# Events

Generated from the types by `python -m gateway.events.catalogue docs/events.md`; edit the docstrings instead.

A handler gets one of these classes. All of them have what `Event` has; those in a chat also have `chat`. A field of a
shape nobody knows is None and listed in `problems`; `raw` is always the untouched envelope. Times are what Evolution
sent, in seconds unless said otherwise, and each has an aware UTC `datetime` beside it.
"""


class Field(NamedTuple):
    """One attribute or property, as the catalogue shows it."""

    name: str
    type: str
    meaning: str


def catalogue() -> str:
    """The whole document."""
    parts = [_HEAD, *_contents(), *_common(), *(_event(kind) for kind in event_types()), *_types()]
    return "\n".join(parts).rstrip() + "\n"


def event_types() -> tuple[type[Event], ...]:
    """One class for each known event, in the order of `gateway.names`."""
    by_name = {kind.name: kind for kind in _subclasses(Event) if kind.name}
    return tuple(by_name[name] for name in names.EVENTS)


def value_types() -> tuple[type[msgspec.Struct], ...]:
    """The types that events are made of, by name."""
    exported = (getattr(events, name) for name in events.__all__)
    found = (kind for kind in exported if isinstance(kind, type) and issubclass(kind, msgspec.Struct))
    return tuple(kind for kind in found if not issubclass(kind, Event))


def fields(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The attributes and properties that a class itself adds, with their docstrings."""
    return tuple(_fields(_definition(kind), kind))


def _fields(definition: ast.ClassDef, kind: type[msgspec.Struct]) -> Iterator[Field]:
    shapes = typing.get_type_hints(kind)
    following = [*definition.body[1:], None]
    for node, after in zip(definition.body, following, strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in shapes:
            if not ast.unparse(node.annotation).startswith("ClassVar"):
                yield Field(node.target.id, _shape(node.annotation), _said(after))
        elif isinstance(node, ast.FunctionDef) and any(_is_property(mark) for mark in node.decorator_list):
            yield Field(node.name, _shape(node.returns), _clean(ast.get_docstring(node) or ""))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            call = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
            yield Field(f"{call}{node.name}()", _shape(node.returns), _clean(ast.get_docstring(node) or ""))


def _is_property(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Name) and mark.id == "property"


def _said(node: ast.stmt | None) -> str:
    """The docstring that follows an attribute."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return _clean(node.value.value)
    return ""


def _clean(text: str) -> str:
    return " ".join(inspect.cleandoc(text).partition("\n\nRaises:")[0].split())


def _shape(annotation: ast.expr | None) -> str:
    return _MODULE.sub("", ast.unparse(annotation)) if annotation else ""


@cache
def _definition(kind: type[msgspec.Struct]) -> ast.ClassDef:
    module = ast.parse(inspect.getsource(inspect.getmodule(kind)))  # type: ignore[arg-type]  # classes have modules
    return next(node for node in module.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__)


def _subclasses(kind: type[Event]) -> Iterator[type[Event]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _contents() -> Iterator[str]:
    yield "| event | class | since | URL ends in |"
    yield "|---|---|---|---|"
    for kind in event_types():
        name = names.EVENTS[kind.name]
        yield f"| `{name.name}` | [{kind.__name__}](#{kind.__name__.lower()}) | {name.since} | {_suffixes(name)} |"
    yield ""


def _suffixes(name: EventName) -> str:
    return ", ".join(f"`{suffix}`" for suffix in name.suffixes)


def _common() -> Iterator[str]:
    yield "## What every event has"
    yield ""
    yield from _bases()


def _bases() -> Iterator[str]:
    for kind in _COMMON:
        yield f"### {kind.__name__}"
        yield ""
        yield _clean(inspect.getdoc(kind) or "")
        yield ""
        yield from _table(kind)


def _event(kind: type[Event]) -> str:
    """One event's chapter."""
    name = names.EVENTS[kind.name]
    never = name.since == "never"
    lines = [
        f"## {kind.__name__}",
        "",
        _clean(inspect.getdoc(kind) or ""),
        "",
        f"Event `{name.name}` · {'never sent' if never else f'since {name.since}'} · {_bases_of(kind)}  ",
        f"URL ends in {_suffixes(name)}",
        "",
        *_table(kind),
        *_sample(name.name),
    ]
    return "\n".join(lines)


def _bases_of(kind: type[Event]) -> str:
    bases = [base.__name__ for base in kind.__mro__[1:] if issubclass(base, Event)]
    return "is a " + ", ".join(f"[{base}](#{base.lower()})" for base in bases if hasattr(events, base))


def _types() -> Iterator[str]:
    yield "## What events are made of"
    yield ""
    for kind in value_types():
        yield f"### {kind.__name__}"
        yield ""
        yield _clean(inspect.getdoc(kind) or "")
        yield ""
        yield from _table(kind)
    yield "### Kind"
    yield ""
    yield "What a message is; `unknown` is content without a kind of its own."
    yield ""
    yield ", ".join(f"`{kind}`" for kind in typing.get_args(events.Kind)) + "."


def _table(kind: type[msgspec.Struct]) -> list[str]:
    own = [field for base in _with_bases(kind) for field in fields(base)]
    if not own:
        return []
    rows = (f"| `{field.name}` | {_linked(_cell(field.type))} | {_cell(field.meaning)} |" for field in own)
    return ["| field | type | meaning |", "|---|---|---|", *rows, ""]


def _with_bases(kind: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """The class, and what an event inherits below `Event`, whose fields all events have."""
    if not issubclass(kind, Event) or kind is Event:
        return [kind]
    return [base for base in reversed(kind.__mro__) if issubclass(base, Event) and base is not Event]


def _linked(shape: str) -> str:
    """A type's text, with a link to each type that has a chapter."""
    return _NAME.sub(lambda name: f"[{name[0]}](#{name[0].lower()})" if name[0] in events.__all__ else name[0], shape)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _sample(event: str) -> list[str]:
    """One sample, its byte arrays shortened."""
    found = [name for name in samples.for_event(event) if not name.startswith("envelope__")]
    if not found:
        return []
    chosen = min(found, key=lambda name: (_rank(name), name))
    envelope = orjson.dumps(_short(samples.load(chosen)), option=orjson.OPT_INDENT_2).decode()
    return [f"Sample `{chosen}`:", "", "```json", envelope, "```", ""]


def _rank(name: str) -> int:
    """Samples of newer versions, and among them the plain ones, show most."""
    return ("text-private-lid-v235" not in name) + ("v236" not in name and "v235" not in name)


def _short(value: object) -> object:
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, str):
        return textwrap.shorten(value, 100, placeholder="...") if len(value) > 100 and " " in value else value[:100]  # noqa: PLR2004
    if not isinstance(value, dict):
        return value
    if len(value) > _LONG_BYTES and all(key.isdigit() for key in value):
        return {**dict(list(value.items())[:2]), "...": f"{len(value)} in all"}
    return {key: _short(inner) for key, inner in value.items()}


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(catalogue(), encoding="utf-8")
