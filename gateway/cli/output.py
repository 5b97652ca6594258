"""What commands print: aligned columns for people, JSON for programs.

Standard output carries the answer and nothing else, so that it can be piped; notes and errors go to standard error.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final

import click
import msgspec

_UNSAFE: Final = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_GAP: Final = "   "

COLOURS: Final = {
    "done": "green",
    "accepted": "green",
    "waiting": "blue",
    "running": "blue",
    "retrying": "yellow",
    "dead": "red",
    "skipped": "bright_black",
    "dropped": "bright_black",
}
"""One colour a state, the same everywhere."""


def columns(rows: Iterable[Sequence[str]], *, indent: int = 2) -> Iterator[str]:
    """Lines with aligned columns; cells may be coloured. The last column is left as long as it is."""
    kept = [list(row) for row in rows]
    widths = [max(_width(row[at]) for row in kept) for at in range(max(map(len, kept), default=0))]
    for row in kept:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        yield f"{' ' * indent}{_GAP.join(padded)}".rstrip()


def nothing_fits(ids: Iterable[int]) -> str:
    """What to say where what was asked for, perhaps by the ids of events, leaves nothing to do."""
    numbers = ", ".join(map(str, ids))
    if not numbers:
        return "Nothing fits."
    return f"Nothing fits: the journal holds no event {numbers} (see  gateway events), or no plugin takes it."


class Columns:
    """Lines that come one by one: as aligned as what came before allows."""

    def __init__(self, *, indent: int = 2) -> None:
        self._indent = indent
        self._widths: list[int] = []

    def line(self, row: Sequence[str]) -> str:
        """One line; a wider cell than any before moves the columns of what follows."""
        self._widths = [max(pair) for pair in zip_longest(self._widths, map(_width, row), fillvalue=0)]
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, self._widths, strict=False)]
        return f"{' ' * self._indent}{_GAP.join(padded)}".rstrip()


def json_text(value: object) -> str:
    """One line of JSON; characters that could steer a terminal are escaped, as JSON allows."""
    text = msgspec.json.encode(value).decode()
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def count(number: int, noun: str) -> str:
    """`1 plugin`, `3 plugins`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def heading(*titles: str) -> list[str]:
    """A row of column titles."""
    return [click.style(title, dim=True) for title in titles]


def _width(cell: str) -> int:
    return len(click.unstyle(cell))
