"""Run one statement on many rows: a few calls into SQLite for a whole batch, of its own because both stores need it.

Each call gives up the interpreter's lock and has to win it back, perhaps from a handler that computes. Row by row, a
batch waited for that longer than for the disk.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Final, TypeVar

T = TypeVar("T")

_SMALL: Final = 16
"""Rows up to which one statement takes them all, whatever their number: most batches of a quiet gateway."""
_SIZES: Final = (64, 48, 32, _SMALL)
"""Rows in one statement, where there are more: so few sizes that each is prepared once and kept, so many that two make
up what is usual."""


def run_on_rows(
    connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[object]], *shared: object
) -> None:
    """Run a statement in which `{rows}` stands for rows of values: `(?, ?), (?, ?)` after VALUES.

    `shared` are the values of the question marks before them.
    """
    if not rows:
        return
    for chunk in chunks(rows) if len(rows) > _SMALL else (rows,):
        connection.execute(_filled(statement, len(chunk), len(chunk[0])), [*shared, *chain.from_iterable(chunk)])


def chunks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows in order, so many at a time that few statements are needed, and few different ones."""
    start = 0
    for size in _SIZES if len(rows) > _SMALL else ():
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
    if start < len(rows):
        yield rows[start:]


@cache
def marks(count: int) -> str:
    """So many question marks, for a list of values."""
    return ", ".join("?" * count)


@cache
def _filled(statement: str, rows: int, columns: int) -> str:
    return statement.replace("{rows}", ", ".join([f"({marks(columns)})"] * rows))
