"""Read `work.db`: in short queries, on a connection that can't write, from one thread at a time."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import orjson

from gateway.sqlite import open_reader
from gateway.work.store import WORK


class DeliveryRow(msgspec.Struct, frozen=True):
    """What became of one event in one plugin."""

    id: int
    seq: int
    plugin: str
    run: int
    """0: as it came. Each replay is a new run."""
    status: str
    """waiting, running, done, skipped, dropped or dead."""
    failures: int
    deaths: int
    due: float
    """Unix seconds of the next attempt, where it waits after a failure."""
    started: float | None
    """Unix seconds of the last attempt."""
    millis: float | None
    """The last attempt took."""
    handler: str | None
    error: str | None
    """Traceback of the last failure, redacted."""


class OutboxRow(msgspec.Struct, frozen=True):
    """One message a handler queued."""

    id: int
    seq: int
    plugin: str
    run: int
    n: int
    instance: str
    target: str
    kind: str
    status: str
    """queued, sending, sent, shown (no key: only said) or dead."""
    attempts: int
    due: float
    created: float
    finished: float | None
    message_id: str | None
    error: str | None
    payload: dict[str, Any]


_DELIVERY: Final = ", ".join(DeliveryRow.__struct_fields__)
_OUTBOX: Final = ", ".join(OutboxRow.__struct_fields__)
_Row = TypeVar("_Row", DeliveryRow, OutboxRow)


class WorkReader:
    """Reads `work.db`.

    Raises:
        sqlite3.OperationalError: from the constructor, while there is no work store yet.
    """

    def __init__(self, folder: Path) -> None:
        self._connection = open_reader(folder / WORK)
        self._connection.execute("SELECT 1 FROM position")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def deliveries(self, seqs: Sequence[int]) -> dict[int, list[DeliveryRow]]:
        """Deliveries of some events, by the event's number."""
        rows = self._connection.execute(
            f"SELECT {_DELIVERY} FROM delivery WHERE seq IN ({_marks(seqs)}) ORDER BY id",
            list(seqs),
        )
        return _by_seq([DeliveryRow(*row) for row in rows])

    def outbox(self, seqs: Sequence[int]) -> dict[int, list[OutboxRow]]:
        """Messages queued for some events, by the event's number."""
        rows = self._connection.execute(
            f"SELECT {_OUTBOX} FROM outbox WHERE seq IN ({_marks(seqs)}) ORDER BY id",
            list(seqs),
        )
        return _by_seq([OutboxRow(*[*row[:-1], orjson.loads(row[-1])]) for row in rows])

    def dead(self, limit: int, before: int | None = None) -> list[DeliveryRow]:
        """Dead letters, newest first; those with an id below `before`, if given."""
        rows = self._connection.execute(
            f"SELECT {_DELIVERY} FROM delivery WHERE status = 'dead' AND id < ? ORDER BY id DESC LIMIT ?",
            (before if before is not None else 2**63 - 1, limit),
        )
        return [DeliveryRow(*row) for row in rows]

    def open_counts(self) -> tuple[int, int]:
        """How many deliveries wait or run, and how many are dead letters."""
        waiting, dead = self._connection.execute(
            "SELECT (SELECT count(*) FROM delivery WHERE status IN ('waiting', 'running')), "
            "(SELECT count(*) FROM delivery WHERE status = 'dead')"
        ).fetchone()
        return waiting, dead

    def facts(self) -> dict[str, Any]:
        """What the worker says of itself: `plugins` and `load_errors`."""
        return {key: orjson.loads(value) for key, value in self._connection.execute("SELECT key, value FROM fact")}


def highest_seq(folder: Path) -> int:
    """The highest event number that the work store knows; 0 without one. The journal never numbers below it."""
    try:
        with closing(open_reader(folder / WORK)) as connection:
            row = connection.execute(
                "SELECT max((SELECT coalesce(max(seq), 0) FROM delivery), (SELECT coalesce(max(seq), 0) FROM position))"
            ).fetchone()
    except sqlite3.Error:
        return 0
    return int(row[0])


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values))


def _by_seq(rows: Sequence[_Row]) -> dict[int, list[_Row]]:
    found: dict[int, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.seq, []).append(row)
    return found
