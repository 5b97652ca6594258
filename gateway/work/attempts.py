"""The history of a delivery: attempts that came to nothing. What succeeds at once has none, and costs none."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

KEPT: Final = 50
"""Attempts kept of one delivery: a handler may ask for another one every second for days."""


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that came to nothing."""

    delivery: int
    result: Literal["failed", "stuck", "retry", "died"]
    """`retry`: the handler asked for another. `died`: the worker did."""
    started: float | None = None
    """Unix seconds; None: as the delivery's row says, for whoever notes it was not there."""
    millis: float | None = None
    """It took; None: unknown."""
    handler: str | None = None
    error: str | None = None
    """Redacted."""


def write_failed(connection: sqlite3.Connection, attempts: Iterable[Failed]) -> None:
    """Add to the history, inside a transaction and before the deliveries' own rows change."""
    for each in attempts:
        connection.execute(
            "INSERT INTO attempt (delivery, started, millis, result, handler, error) "
            "VALUES (?1, coalesce(?2, (SELECT started FROM delivery WHERE id = ?1)), ?3, ?4, ?5, ?6)",
            (each.delivery, each.started, each.millis, each.result, each.handler, each.error),
        )
        connection.execute(
            "DELETE FROM attempt WHERE delivery = ?1 AND id <= "
            "(SELECT id FROM attempt WHERE delivery = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (each.delivery, KEPT),
        )


def read_failed(connection: sqlite3.Connection, deliveries: Sequence[int]) -> dict[int, list[Failed]]:
    """The history of some deliveries, oldest attempt first."""
    rows = connection.execute(
        "SELECT delivery, started, millis, result, handler, error FROM attempt "
        f"WHERE delivery IN ({', '.join('?' * len(deliveries))}) ORDER BY id",
        list(deliveries),
    )
    found: dict[int, list[Failed]] = {}
    for delivery, started, millis, result, handler, error in rows:
        one = Failed(delivery=delivery, started=started, millis=millis, result=result, handler=handler, error=error)
        found.setdefault(delivery, []).append(one)
    return found
