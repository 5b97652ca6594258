"""Read `work.db`: in short queries, on a connection that can't write, from one thread at a time."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import orjson

from gateway.sqlite import open_reader, spare
from gateway.work.attempts import Failed, read_failed
from gateway.work.store import HAS_RUN, WORK
from gateway.work.unsent import WaitingChat, count_unsent, unsent_ids, waiting_chats


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
    retries: int
    """Attempts whose handler asked for another."""
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
    control: int
    """The replay or retry that last asked for it; 0: nobody did."""

    @property
    def tried(self) -> int:
        """Attempts that came to nothing."""
        return self.failures + self.retries + self.deaths

    @property
    def state(self) -> str:
        """`status` as people say it: what waits after an attempt is retrying."""
        return "retrying" if self.status == "waiting" and self.tried else self.status


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


class OpenCounts(NamedTuple):
    """How many deliveries of a plugin have not ended well."""

    waiting: int = 0
    """They wait or run."""
    dead: int = 0


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits for events above which number."""

    has_run: bool = False
    """A worker has taken up events; until then the first one will, from the beginning."""
    loaded: frozenset[str] = frozenset()
    """Plugins of the last worker, running or not."""
    positions: Mapping[str, int] = {}
    """By plugin, loaded or gone: the number up to which events were taken up."""


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

    def failed_attempts(self, deliveries: Sequence[int]) -> dict[int, list[Failed]]:
        """What led up to the last attempt of some deliveries, oldest first."""
        return read_failed(self._connection, deliveries)

    def outbox(self, seqs: Sequence[int]) -> dict[int, list[OutboxRow]]:
        """Messages queued for some events, by the event's number."""
        rows = self._connection.execute(
            f"SELECT {_OUTBOX} FROM outbox WHERE seq IN ({_marks(seqs)}) ORDER BY id",
            list(seqs),
        )
        return _by_seq([OutboxRow(*[*row[:-1], orjson.loads(row[-1])]) for row in rows])

    def queue(self, statuses: Collection[str], limit: int, before: int | None = None) -> list[OutboxRow]:
        """The newest messages that are queued, sending or dead, as far as `statuses` says; below `before`, if given."""
        ids = unsent_ids(self._connection, statuses, before if before is not None else 2**63 - 1, limit)
        rows = self._connection.execute(
            f"SELECT {_OUTBOX} FROM outbox WHERE id IN ({_marks(ids)}) ORDER BY id DESC", ids
        )
        return [OutboxRow(*[*row[:-1], orjson.loads(row[-1])]) for row in rows]

    def queue_counts(self) -> dict[str, int]:
        """How many messages are queued, sending and dead."""
        return count_unsent(self._connection)

    def waiting_chats(self) -> list[WaitingChat]:
        """The chats with the most messages that have not left."""
        return waiting_chats(self._connection)

    def oldest_open(self) -> int | None:
        """The oldest event, by the plugins loaded now, of which a delivery that came as it comes is not done with."""
        plugins = self.waits().loaded
        rows = [
            self._connection.execute(
                "SELECT seq FROM delivery WHERE status IN ('waiting', 'running') AND plugin = ? AND control = 0 "
                "ORDER BY id LIMIT 1",
                (plugin,),
            ).fetchone()
            for plugin in plugins
        ]
        return min((row[0] for row in rows if row), default=None)

    def brings(self, file: str) -> bool:
        """Whether a message brings this file."""
        return bool(
            self._connection.execute("SELECT EXISTS (SELECT 1 FROM outbox WHERE file = ?)", (file,)).fetchone()[0]
        )

    def dead(self, limit: int, before: int | None = None, plugin: str | None = None) -> list[DeliveryRow]:
        """Dead letters, newest first; those with an id below `before` and of `plugin`, if given."""
        rows = self._connection.execute(
            f"SELECT {_DELIVERY} FROM delivery WHERE status = 'dead' AND id < ? AND coalesce(plugin = ?, 1) "
            "ORDER BY id DESC LIMIT ?",
            (before if before is not None else 2**63 - 1, plugin, limit),
        )
        return [DeliveryRow(*row) for row in rows]

    def open_counts(self) -> tuple[int, int]:
        """How many deliveries wait or run, and how many are dead letters."""
        waiting, dead = self._connection.execute(
            "SELECT (SELECT count(*) FROM delivery WHERE status IN ('waiting', 'running')), "
            "(SELECT count(*) FROM delivery WHERE status = 'dead')"
        ).fetchone()
        return waiting, dead

    def open_by_plugin(self) -> dict[str, OpenCounts]:
        """The same by plugin; without those that have none."""
        rows = self._connection.execute(
            "SELECT plugin, sum(waiting), sum(dead) FROM ("
            "SELECT plugin, count(*) AS waiting, 0 AS dead FROM delivery WHERE status IN ('waiting', 'running') "
            "GROUP BY plugin UNION ALL "
            "SELECT plugin, 0, count(*) FROM delivery WHERE status = 'dead' GROUP BY plugin) GROUP BY plugin"
        )
        return {plugin: OpenCounts(waiting, dead) for plugin, waiting, dead in rows}

    def waits(self) -> Waits:
        """What plugins wait for, as far as positions tell."""
        facts = self.facts()
        loaded = frozenset(str(plugin.get("name")) for plugin in facts.get("plugins") or ())
        positions = dict(self._connection.execute("SELECT plugin, seq FROM position").fetchall())
        return Waits(has_run=bool(facts.get(HAS_RUN)), loaded=loaded, positions=positions)

    def unfinished(self, seqs: Sequence[int], plugins: Iterable[str] | None = None) -> set[int]:
        """Those of some events with a delivery that waits or runs; only of `plugins`, if given."""
        rows = self._connection.execute(
            f"SELECT seq, plugin FROM delivery WHERE seq IN ({_marks(seqs)}) AND status IN ('waiting', 'running')",
            list(seqs),
        )
        return {seq for seq, plugin in rows if plugins is None or plugin in plugins}

    def unsent(self, seqs: Sequence[int]) -> set[int]:
        """Those of some events with a message that has not left yet."""
        rows = self._connection.execute(
            f"SELECT seq FROM outbox WHERE seq IN ({_marks(seqs)}) AND status IN ('queued', 'sending')", list(seqs)
        )
        return {row[0] for row in rows}

    def seqs(self, after: int, limit: int) -> list[int]:
        """The next events above `after` that have rows here, in order; the newest row of each table aside."""
        rows = self._connection.execute(
            "SELECT seq FROM (SELECT DISTINCT seq FROM delivery "
            "WHERE seq > ?1 AND id < (SELECT max(id) FROM delivery) ORDER BY seq LIMIT ?2) "
            "UNION SELECT seq FROM (SELECT DISTINCT seq FROM outbox "
            "WHERE seq > ?1 AND id < (SELECT max(id) FROM outbox) ORDER BY seq LIMIT ?2) ORDER BY seq LIMIT ?2",
            (after, limit),
        )
        return [row[0] for row in rows]

    def highest_below(self, seq: int) -> int:
        """The number of the next older event with a delivery; 0 without one."""
        return int(self._connection.execute("SELECT max(seq) FROM delivery WHERE seq < ?", (seq,)).fetchone()[0] or 0)

    def delivered(self, low: int, high: int, plugin: str | None = None) -> list[int]:
        """The events from `low` to `high` that have a delivery, to `plugin` if given. Ask for few numbers at a time."""
        rows = self._connection.execute(
            "SELECT DISTINCT seq FROM delivery WHERE seq BETWEEN ? AND ? AND coalesce(plugin = ?, 1)",
            (low, high, plugin),
        )
        return [row[0] for row in rows]

    def failed(self, low: int, high: int) -> list[int]:
        """The events from `low` to `high` of which a delivery or a message has an error."""
        rows = self._connection.execute(
            "SELECT seq FROM delivery WHERE seq BETWEEN ?1 AND ?2 AND error IS NOT NULL "
            "UNION SELECT seq FROM outbox WHERE seq BETWEEN ?1 AND ?2 AND error IS NOT NULL",
            (low, high),
        )
        return [row[0] for row in rows]

    def dead_after(self, delivery: int, limit: int) -> list[tuple[int, int]]:
        """The next dead letters by id: id and event."""
        return self._connection.execute(
            "SELECT id, seq FROM delivery WHERE status = 'dead' AND id > ? ORDER BY id LIMIT ?", (delivery, limit)
        ).fetchall()

    def open_after(self, plugin: str, delivery: int, limit: int) -> list[tuple[int, int]]:
        """A plugin's next deliveries by id that wait or run: id and event."""
        return self._connection.execute(
            "SELECT id, seq FROM delivery WHERE status IN ('waiting', 'running') AND plugin = ? AND id > ? "
            "ORDER BY id LIMIT ?",
            (plugin, delivery, limit),
        ).fetchall()

    def spare(self) -> int:
        """Free pages worth giving back to the disk."""
        return spare(self._connection)

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
