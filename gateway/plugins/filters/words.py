"""Filters that read a value out of what a person wrote or picked: a command with its arguments, an answer to a menu."""

import re
from collections.abc import Mapping
from typing import Any, Final, overload

from gateway.events import MessageEvent
from gateway.plugins.filters.arguments import written
from gateway.plugins.filters.base import Capture, Look, V
from gateway.plugins.filters.shape import Shape
from gateway.plugins.filters.texts import fold
from gateway.plugins.misuse import Misuse

_WORD: Final = re.compile(r'["\u201c\u201d]([^"\u201c\u201d]*)["\u201c\u201d]|(\S+)')
"""A word, or several in quotes; phones turn straight quotes into curly ones."""


@overload
def command(*names: str) -> Capture[tuple[str, ...]]: ...
@overload
def command(*names: str, args: type[V]) -> Capture[V]: ...
def command(*names: str, args: type[Any] | None = None) -> Capture[Any]:
    """The text's first word is one of these (`"/price"`); what follows it is in `ctx.match["args"]`.

    `ctx.captured` gives the words that follow, `"in quotes"` as one; with `args`, a msgspec struct of them in the order
    of its fields, numbers as numbers, of which a last field that is a text or a list takes all that is left. Where they
    are too many or too few, or don't fit their types, the message is not let through: let a handler without `args`
    come after it and say how it is done.
    """
    shown = written("command", names)
    if args:
        shown = f"{shown[:-1]}, args={args.__name__})"
    wanted = frozenset(fold(name) for name in names)
    if any(not name or " " in name for name in wanted):
        raise Misuse.here(f"{shown}: a command is one word")
    shape = Shape.of_words(shown, args) if args else None

    def read(event: MessageEvent, look: Look) -> object:
        first, *rest = event.text.split(maxsplit=1) or [""]
        if fold(first) not in wanted:
            return None
        look.groups["args"] = "".join(rest).strip()
        words = tuple(quoted or plain for quoted, plain in _WORD.findall(look.groups["args"]))
        return shape.fill_words(words) if shape else words

    return Capture(shown, read)


def choice(options: Mapping[str, str], /) -> Capture[str]:
    """An answer to `ctx.menu(text, options)`, whose key is in `ctx.captured`.

    It may be a button's or row's id, its label (case and accents don't count), or the number before it.
    """
    given: object = options
    if not isinstance(given, Mapping) or not given:
        raise Misuse.here(f"choice() takes the options of a menu, labels by key; got {given!r}")
    shown, answers = f"choice({dict(options)!r})", _answers(options)

    def read(event: MessageEvent, _look: Look) -> str | None:
        picked = event.message.choice
        if picked and picked.id in options:
            return picked.id
        said = fold((picked.label if picked else None) or event.text)
        return answers.get(said) or answers.get(said.rstrip(".)"))

    return Capture(shown, read)


def _answers(options: Mapping[str, str]) -> Mapping[str, str]:
    """Keys by what people write for them; a label that is a number itself means itself."""
    numbered = list(enumerate(options.items(), start=1))
    lines = {fold(f"{number}. {label}"): key for number, (key, label) in numbered}
    numbers = {str(number): key for number, (key, _) in numbered}
    return lines | numbers | {fold(label): key for key, label in options.items()}
