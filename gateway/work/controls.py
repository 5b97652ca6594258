"""How far controls have come (see the journal for what was asked), and what they choose from in `work.db`."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
import orjson

from gateway.sqlite import open_reader
from gateway.work.outbox import Message, dead_messages

ControlStatus = Literal["running", "done", "failed"]

ANSWERS_KEPT: Final = 3600.0
"""Seconds an answer to a question is kept: it holds what people wrote, and is of the moment."""

_COLUMNS: Final = "id, kind, payload, upto, status, cursors, found, began, ended, error, result"


class Progress(msgspec.Struct, kw_only=True):
    """How far one control has come. Committed with the deliveries it makes, so a killed worker's next one goes on."""

    id: int
    """As in the journal."""
    kind: str
    payload: str
    """JSON."""
    upto: int
    """The highest event number it reaches."""
    status: ControlStatus = "running"
    cursors: dict[str, int] = msgspec.field(default_factory=dict)
    """By plugin: the event a replay has come to, or the id among dead letters; under "" for all plugins at once."""
    found: int = 0
    """Deliveries it has made, dead letters it has changed, or plugins it has paused or resumed."""
    began: float = 0.0
    ended: float | None = None
    """Unix seconds."""
    error: str | None = None
    result: str | None = None
    """The answer to a question, JSON, for a while."""


class Letter(NamedTuple):
    """A dead letter, as far as trying it again or dropping it needs."""

    id: int
    seq: int
    plugin: str
    run: int
    lane: str
    started: float | None
    millis: float | None
    handler: str | None
    error: str | None
    failures: int
    retries: int
    deaths: int
    control: int


def write_progress(connection: sqlite3.Connection, controls: Sequence[Progress]) -> None:
    """Keep how far controls are, inside a transaction."""
    if not controls:  # as nearly always
        return
    rows = [msgspec.structs.asdict(each) for each in controls]
    connection.executemany(
        f"INSERT OR REPLACE INTO control ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [tuple(({**row, "cursors": orjson.dumps(row["cursors"]).decode()}).values()) for row in rows],
    )
    if latest := max((row["ended"] or 0.0 for row in rows), default=0.0):
        connection.execute(
            "UPDATE control SET result = NULL WHERE result IS NOT NULL AND ended < ?", (latest - ANSWERS_KEPT,)
        )


def read_progress(connection: sqlite3.Connection, where: str, *values: int) -> list[Progress]:
    """The controls that the worker has read, in order."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM control WHERE {where} ORDER BY id", values)
    names = _COLUMNS.split(", ")
    return [Progress(**{**dict(zip(names, row, strict=True)), "cursors": orjson.loads(row[5])}) for row in rows]


class ControlReader:
    """Reads `work.db` for controls, from one thread at a time.

    Raises:
        sqlite3.OperationalError: from the constructor or a question, while there is no work store yet.
    """

    def __init__(self, path: Path) -> None:
        self._connection = open_reader(path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def progress(self, number: int) -> Progress | None:
        """How far a control is; None while the worker has not read it."""
        found = read_progress(self._connection, "id = ?", number)
        return found[0] if found else None

    def outcomes(self, number: int) -> dict[str, int]:
        """How many of a control's deliveries are in which state; `retrying`: failed, and tried again later."""
        rows = self._connection.execute(
            "SELECT CASE WHEN status = 'waiting' AND failures + retries + deaths > 0 THEN 'retrying' ELSE status END, "
            "count(*) FROM delivery WHERE control = ? AND control > 0 GROUP BY 1",
            (number,),
        )
        return dict(rows.fetchall())

    def last_runs(self, plugin: str, seqs: Sequence[int]) -> dict[int, int]:
        """The highest run of some events in a plugin; those it never took up are missing."""
        rows = self._connection.execute(
            f"SELECT seq, max(run) FROM delivery WHERE seq IN ({', '.join('?' * len(seqs))}) AND plugin = ? "
            "GROUP BY seq",
            (*seqs, plugin),
        )
        return dict(rows.fetchall())

    def dead_seqs(self, plugin: str, after: int, upto: int, limit: int) -> list[int]:
        """The next events above `after` whose delivery in a plugin is a dead letter, in order."""
        rows = self._connection.execute(
            "SELECT DISTINCT seq FROM delivery WHERE status = 'dead' AND plugin = ? AND seq > ? AND seq <= ? "
            "ORDER BY seq LIMIT ?",
            (plugin, after, upto, limit),
        )
        return [row[0] for row in rows]

    def letters(self, after: int, upto: int, limit: int, *, plugin: str, ids: Sequence[int] = ()) -> list[Letter]:
        """The next dead letters with an id above `after`, of events up to `upto`; of all plugins, if that is ""."""
        chosen = f"AND id IN ({', '.join('?' * len(ids))})" if ids else ""
        rows = self._connection.execute(
            "SELECT id, seq, plugin, run, lane, started, millis, handler, error, failures, retries, deaths, control "
            f"FROM delivery WHERE status = 'dead' AND id > ? AND seq <= ? AND ? IN ('', plugin) {chosen} "
            "ORDER BY id LIMIT ?",
            (after, upto, plugin, *ids, limit),
        )
        return [Letter(*row) for row in rows]

    def messages(self, after: int, upto: int, limit: int, *, plugin: str, ids: Sequence[int] = ()) -> list[Message]:
        """The same of messages that could not be sent."""
        return dead_messages(self._connection, after, upto, limit, plugin=plugin, ids=ids)


def highest_control(path: Path) -> int:
    """The highest id of a control that the worker has read; 0 without one. The journal never numbers below it."""
    try:
        with closing(open_reader(path)) as connection:
            return int(connection.execute("SELECT coalesce(max(id), 0) FROM control").fetchone()[0])
    except sqlite3.Error:
        return 0
