"""Messages that have not left, and those that never will: what is told of the outbox as a queue."""

import sqlite3
from collections.abc import Collection
from typing import Final, NamedTuple

CHATS: Final = 20
"""Chats told of at most."""

_OPEN: Final = "status IN ('queued', 'sending')"
_DEAD: Final = "status = 'dead'"


class WaitingChat(NamedTuple):
    """A chat with messages that have not left."""

    instance: str
    target: str
    waiting: int
    oldest: float
    """Unix seconds at which the first of them was queued."""


def count_unsent(connection: sqlite3.Connection) -> dict[str, int]:
    """How many messages are queued, sending and dead."""
    rows = connection.execute(
        f"SELECT status, count(*) FROM outbox WHERE {_OPEN} GROUP BY status "
        f"UNION ALL SELECT 'dead', count(*) FROM outbox WHERE {_DEAD}"
    )
    return {"queued": 0, "sending": 0, **dict(rows.fetchall())}


def waiting_chats(connection: sqlite3.Connection) -> list[WaitingChat]:
    """The chats with the most messages that have not left."""
    rows = connection.execute(
        f"SELECT instance, target, count(*), min(created) FROM outbox WHERE {_OPEN} "
        "GROUP BY instance, target ORDER BY count(*) DESC, min(created) LIMIT ?",
        (CHATS,),
    )
    return [WaitingChat(*row) for row in rows]


def unsent_ids(connection: sqlite3.Connection, statuses: Collection[str], before: int, limit: int) -> list[int]:
    """The newest messages of some of these statuses with an id below `before`, each found by an index of its own."""
    found: list[int] = []
    marks = ", ".join("?" * len(statuses))
    for among in (_OPEN, _DEAD):
        rows = connection.execute(
            f"SELECT id FROM outbox WHERE {among} AND status IN ({marks}) AND id < ? ORDER BY id DESC LIMIT ?",
            (*statuses, before, limit),
        )
        found += [row[0] for row in rows]
    return sorted(found, reverse=True)[:limit]
