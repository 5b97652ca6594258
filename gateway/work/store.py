"""Write `work.db`: one commit settles what has ended and starts what comes next.

A settled delivery, the messages its handler queued and the start of the following attempts are on disk together or not
at all. That is what makes a retry safe: nothing of a failed attempt is ever there.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.commits import GroupCommit
from gateway.log import log
from gateway.migrations import migrate
from gateway.plugins.state import StateChange
from gateway.sqlite import open_writer
from gateway.statements import chunks, marks, run_on_rows
from gateway.work import outbox
from gateway.work.attempts import write_failed
from gateway.work.batch import WELL, Batch, Delivery, Settled, Status
from gateway.work.controls import Progress, read_progress, write_progress
from gateway.work.outbox import Message
from gateway.work.trim import Trim, trim

WORK: Final = "work.db"
STEPS: Final = ("schema.sql", "attempts.sql", "outbox.sql")
"""Files with the SQL from one version to the next, the first from an empty file."""
HAS_RUN: Final = "has_run"
"""A fact: a worker has taken up events on this data folder. From then on a plugin new to it starts at now."""
OUTAGES: Final = "outages"
"""A fact: by plugin, why and since when its breaker is open."""
PAUSED: Final = "paused"
"""A fact: by plugin, since when it is paused, in unix seconds."""
EVERYBODY: Final = "*"
"""Stands for all plugins among the paused, those loaded later included."""
STATS: Final = "stats"
"""A fact: how attempts have ended, by plugin, and how many failed in each of the last minutes."""
SMALL: Final = 512
"""Deliveries in a batch up to which it is written on the loop: a few milliseconds."""
_WAITING: Final = ("waiting", None, None, None)  # of a delivery: status, started, millis, handler
PAUSE: Final = 0.5  # seconds between tries while the file can't be written


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: lone surrogates, which a handler may well come by, become U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def storable_json(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """The same for every text inside a JSON value."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: storable_json(each) for key, each in value.items()}
    return [storable_json(each) for each in value] if isinstance(value, list) else value


class WorkStore:
    """The writer of `work.db`. One per data folder; `Owner` sees to that."""

    def __init__(self, folder: Path, *, waited: Callable[[float], None] = lambda _seconds: None) -> None:
        """`waited` hears how many seconds the statements of each commit waited for the interpreter or a core."""
        self._connection = _open(folder / WORK)
        self._waited = waited
        self._writer: GroupCommit[Batch | Trim, None] = GroupCommit(
            self._connection,
            self._apply,
            name="work-writer",
            is_quick=_is_small,
            may_be_lost=_may_be_lost,
            gathers=False,
        )

    async def write(self, batch: Batch) -> None:
        """Commit a batch, and try again as long as it takes: what it tells has happened already.

        A handler has run, a message has left; neither may be done again because the disk was full.
        """
        failing = False
        while True:
            try:
                await self._writer.submit(batch)
            except sqlite3.OperationalError as error:
                if not failing:
                    log.error("work_store_unavailable", error=str(error))
                failing = True
                await asyncio.sleep(PAUSE)
            else:
                if failing:
                    log.info("work_store_available")
                return

    async def trim(self, job: Trim) -> None:
        """Take one of retention's bites, in a transaction of its own.

        Raises:
            sqlite3.Error: nothing was removed.
        """
        await self._writer.submit(job, alone=True)

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self._writer.close()

    def _apply(self, connection: sqlite3.Connection, batches: Sequence[Batch | Trim]) -> Sequence[None]:
        began, used = time.perf_counter(), time.thread_time()
        for batch in batches:
            _apply(connection, batch)
        self._waited(time.perf_counter() - began - (time.thread_time() - used))
        return [None] * len(batches)

    # What follows is read once, before the first write.

    def has_run(self) -> bool:
        """A worker has run on this data folder before, be it without a single plugin."""
        row = self._connection.execute("SELECT EXISTS (SELECT 1 FROM fact WHERE key = ?)", (HAS_RUN,)).fetchone()
        return bool(row[0])

    def fact(self, key: str) -> Any:  # noqa: ANN401 -- JSON
        """What was last noted under a key; None if nothing was."""
        row = self._connection.execute("SELECT value FROM fact WHERE key = ?", (key,)).fetchone()
        return orjson.loads(row[0]) if row else None

    def controls(self) -> tuple[int, list[Progress]]:
        """The id of the last control that a worker has read, and those that are not done yet."""
        last = self._connection.execute("SELECT coalesce(max(id), 0) FROM control").fetchone()[0]
        return last, read_progress(self._connection, "status = 'running'")

    def positions(self) -> dict[str, int]:
        """By plugin: the number up to which events were taken up."""
        return dict(self._connection.execute("SELECT plugin, seq FROM position").fetchall())

    def unfinished(self) -> tuple[list[Delivery], list[Delivery]]:
        """Deliveries that wait, and those that were running when the worker ended without a word; in order."""
        rows = self._connection.execute(
            "SELECT status, id, seq, plugin, lane, run, alone, failures, retries, deaths, due, control FROM delivery "
            "WHERE status IN ('waiting', 'running') ORDER BY id"
        )
        waiting: list[Delivery] = []
        running: list[Delivery] = []
        for status, id_, seq, plugin, lane, run, alone, failures, retries, deaths, due, control in rows:
            (waiting if status == "waiting" else running).append(
                Delivery(
                    id=id_, seq=seq, plugin=plugin, lane=lane, run=run, alone=bool(alone), failures=failures,
                    retries=retries, deaths=deaths, due=due, control=control,
                )
            )  # fmt: skip
        return waiting, running

    def open_messages(self) -> list[Message]:
        """Messages that have not left, or whose leaving was cut off, in order."""
        return outbox.open_messages(self._connection)

    def answers(self, since: float) -> list[tuple[str, str, float]]:
        """Plugin, lane and time of each delivery that has queued something for its own chat since then, in order."""
        return outbox.answers(self._connection, since)

    def last_ids(self) -> tuple[int, int]:
        """The highest ids given to a delivery and to a message."""
        row = self._connection.execute(
            "SELECT (SELECT coalesce(max(id), 0) FROM delivery), (SELECT coalesce(max(id), 0) FROM outbox)"
        ).fetchone()
        return row[0], row[1]


def _open(path: Path) -> sqlite3.Connection:
    connection = open_writer(path)
    migrate(connection, path, [files("gateway.work").joinpath(name).read_text() for name in STEPS])
    return connection


def _is_small(job: Batch | Trim) -> bool:
    """It is written in no time."""
    return isinstance(job, Batch) and len(job.taken) + len(job.settled) <= SMALL


def _may_be_lost(job: Batch | Trim) -> bool:
    return isinstance(job, Batch) and job.may_be_lost


def _apply(connection: sqlite3.Connection, batch: Batch | Trim) -> None:
    if isinstance(batch, Trim):
        trim(connection, batch)
        return
    _take(connection, batch)
    write_failed(connection, batch.failed)
    if batch.settled:
        _settle(connection, batch)
        outbox.insert(connection, [message for each in batch.settled for message in each.messages])
        _remember(connection, [change for each in batch.settled for change in each.changes])
    _start(connection, batch)
    outbox.update(connection, batch.outbox)
    outbox.requeue(connection, batch.requeued)
    write_progress(connection, batch.controls)
    for key, value in batch.facts.items():
        connection.execute(
            "INSERT OR REPLACE INTO fact (key, value) VALUES (?, ?)", (key, orjson.dumps(value).decode())
        )


def _take(connection: sqlite3.Connection, batch: Batch) -> None:
    """New deliveries, each as it stands with this very commit: as waiting, as running, or as done with already."""
    stands: dict[int, tuple[object, ...]] = {one.id: ("running", at, None, None) for one, at in _begun_by(batch)}
    stands |= {s.delivery.id: (s.status, s.started, s.millis, s.handler) for s in batch.settled if _is_well(s)}
    run_on_rows(
        connection,
        "INSERT INTO delivery (id, seq, plugin, run, lane, control, status, started, millis, handler) VALUES {rows}",
        [(d.id, d.seq, d.plugin, d.run, d.lane, d.control, *stands.get(d.id, _WAITING)) for d in batch.taken],
    )
    for plugin, (generation, seq) in batch.positions.items():
        connection.execute(
            "INSERT OR REPLACE INTO position (plugin, generation, seq) VALUES (?, ?, ?)", (plugin, generation, seq)
        )


def _settle(connection: sqlite3.Connection, batch: Batch) -> None:
    """By far the most end well; of those nothing is written that their start has left as it was."""
    new = {delivery.id for delivery in batch.taken}
    well: dict[tuple[Status, str | None], list[tuple[int, float, float]]] = {}
    others: list[Settled] = []
    for each in batch.settled:
        if not _is_well(each):
            others.append(each)
        elif each.delivery.id not in new:
            well.setdefault((each.status, each.handler), []).append((each.delivery.id, each.started, each.millis))
    for shared, rows in well.items():
        run_on_rows(
            connection,
            "UPDATE delivery SET status = ?, handler = ?, alone = 0, started = column2, millis = column3 "
            "FROM (VALUES {rows}) WHERE id = column1",
            rows,
            *shared,
        )
    run_on_rows(
        connection,
        "UPDATE delivery SET status = column2, alone = column3, failures = column4, retries = column5, "
        "deaths = column6, due = column7, started = column8, millis = column9, handler = column10, "
        "control = column11, error = coalesce(column12, error) FROM (VALUES {rows}) WHERE id = column1",
        [
            (
                s.delivery.id, s.status, s.delivery.alone, s.delivery.failures, s.delivery.retries, s.delivery.deaths,
                s.delivery.due, s.started, s.millis, s.handler, s.delivery.control, s.error,
            )
            for s in others
        ],
    )  # fmt: skip


def _is_well(settled: Settled) -> bool:
    return settled.status in WELL and settled.error is None


def _remember(connection: sqlite3.Connection, changes: Sequence[StateChange]) -> None:
    run_on_rows(
        connection,
        "INSERT OR REPLACE INTO state (plugin, instance, scope, value, revision) VALUES {rows}",
        [(c.key.plugin, c.key.instance, c.key.scope, c.value, c.revision + 1) for c in changes],
    )
    for old in [each.replaces for each in changes if each.replaces]:
        connection.execute(
            "DELETE FROM state WHERE plugin = ? AND instance = ? AND scope = ?", (old.plugin, old.instance, old.scope)
        )


def _start(connection: sqlite3.Connection, batch: Batch) -> None:
    """Those that were taken up with this very commit are written as running already; most others begin anew too."""
    new = {delivery.id for delivery in batch.taken}
    first: dict[float, list[int]] = {}
    others: list[tuple[int, bool, int, int, float]] = []
    for d, at in _begun_by(batch):
        if d.alone or d.failures or d.deaths:
            others.append((d.id, d.alone, d.failures, d.deaths, at))
        elif d.id not in new:
            first.setdefault(at, []).append(d.id)
    for at, ids in first.items():
        for chunk in chunks(ids):
            connection.execute(_begun(len(chunk)), (at, *chunk))
    run_on_rows(
        connection,
        "UPDATE delivery SET status = 'running', alone = column2, failures = column3, deaths = column4, "
        "started = column5 FROM (VALUES {rows}) WHERE id = column1",
        others,
    )


def _begun_by(batch: Batch) -> list[tuple[Delivery, float]]:
    """The deliveries that run once it is on disk, and since when."""
    return [*batch.begun.values(), *batch.started]


@cache
def _begun(count: int) -> str:
    return f"UPDATE delivery SET status = 'running', alone = 0, started = ? WHERE id IN ({marks(count)})"
