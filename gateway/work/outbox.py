"""The rows of queued messages: what they hold, how they are written, and what is asked of them meanwhile."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
import orjson

from gateway.statements import run_on_rows
from gateway.work.late import LateReader

OutboxStatus = Literal["queued", "sending", "sent", "shown", "dead", "dropped"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message a handler queued."""

    id: int
    seq: int
    plugin: str
    run: int
    n: int
    instance: str
    target: str
    """Jid or digits it goes to."""
    kind: str
    payload: dict[str, Any]
    created: float
    """Unix seconds."""
    attempts: int = 0
    due: float = 0.0
    status: OutboxStatus = "queued"
    server: str | None = None
    """Evolution it goes through; None: the configured one."""
    file: str | None = None
    """Its file's name among those to be sent (`gateway.work.files`)."""
    began: float | None = None
    """Unix seconds at which the last request left."""

    @property
    def chat(self) -> str:
        """The jid of its chat."""
        return chat_of(self.target)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one message in the outbox."""

    id: int
    status: OutboxStatus
    attempts: int
    due: float = 0.0
    began: float | None = None
    finished: float | None = None
    message_id: str | None = None
    error: str | None = None
    unsure: bool = False
    """Dead, and nobody knows whether it left."""


class Placed(msgspec.Struct, frozen=True):
    """What became of a message that another one is about."""

    status: OutboxStatus
    message_id: str | None
    chat: str
    payload: dict[str, Any]


class OutboxReader(LateReader):
    """Looks rows up while others are being sent."""

    def placed(self, queued_id: str) -> Placed | None:
        """The message that a handler knows by this id; None where there is none any more."""
        seq, plugin, run, n = queued_id.split(".")  # no plugin's name holds a dot
        rows = self._read(
            "SELECT status, message_id, target, payload FROM outbox WHERE seq = ? AND plugin = ? AND run = ? AND n = ?",
            (int(seq), plugin, int(run), int(n)),
        )
        if not rows:
            return None
        status, message_id, target, payload = rows[0]
        return Placed(status, message_id, chat_of(target), orjson.loads(payload))

    def claimed(self, message_ids: Collection[str]) -> set[str]:
        """Those of some of WhatsApp's ids that a message of this gateway was given."""
        marks = ", ".join("?" * len(message_ids))
        rows = self._read(f"SELECT message_id FROM outbox WHERE message_id IN ({marks})", tuple(message_ids))
        return {row[0] for row in rows}

    def under_way(self, instance: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Kind, chat and payload of the messages whose request has left and is not answered."""
        rows = self._read(
            "SELECT kind, target, payload FROM outbox WHERE status = 'sending' AND instance = ?", (instance,)
        )
        return [(kind, chat_of(target), orjson.loads(payload)) for kind, target, payload in rows]

    def dead(self) -> list[tuple[int, str, str, str]]:
        """Id, plugin, kind and error of the messages that were given up."""
        return self._read("SELECT id, plugin, kind, error FROM outbox WHERE status = 'dead'")


def chat_of(target: str) -> str:
    """The jid that a message goes to: bare digits and the jid made of them are one chat."""
    return target if "@" in target else f"{target}@s.whatsapp.net"


def dead_messages(
    connection: sqlite3.Connection, after: int, upto: int, limit: int, *, plugin: str, ids: Sequence[int] = ()
) -> list[Message]:
    """The next dead ones with an id above `after`, of events up to `upto`; of all plugins, if that is "".

    Those that may have left are among them only if their ids are given.
    """
    chosen = f"AND id IN ({', '.join('?' * len(ids))})" if ids else "AND NOT unsure"
    where = f"status = 'dead' AND id > ? AND seq <= ? AND ? IN ('', plugin) {chosen} ORDER BY id LIMIT ?"
    return _select(connection, where, (after, upto, plugin, *ids, limit))


def open_messages(connection: sqlite3.Connection) -> list[Message]:
    """Messages that have not left, or whose leaving was cut off, in order."""
    return _select(connection, "status IN ('queued', 'sending') ORDER BY id", ())


def _select(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[Message]:
    names = Message.__struct_fields__
    rows = connection.execute(f"SELECT {', '.join(names)} FROM outbox WHERE {where}", values)
    found = (dict(zip(names, row, strict=True)) for row in rows)
    return [Message(**(values | {"payload": orjson.loads(values["payload"])})) for values in found]


def answers(connection: sqlite3.Connection, since: float) -> list[tuple[str, str, float]]:
    """Plugin, lane and time of each delivery that has queued something for its own chat since then, in order.

    Looked for among the last messages alone, for the outbox may be long.
    """
    return connection.execute(
        "SELECT plugin, delivery.lane, min(created) FROM outbox JOIN delivery USING (seq, plugin, run) "
        "WHERE outbox.id > (SELECT max(id) FROM outbox) - 10000 AND created > ? AND run = 0 "
        "AND instr(delivery.lane, target) > 0 GROUP BY seq, plugin ORDER BY min(outbox.id)",
        (since,),
    ).fetchall()


def insert(connection: sqlite3.Connection, messages: Sequence[Message]) -> None:
    """Queue messages, with the delivery they belong to."""
    run_on_rows(
        connection,
        "INSERT INTO outbox (id, seq, plugin, run, n, instance, target, kind, payload, status, created, server, "
        "file, finished) VALUES {rows}",
        [
            (
                m.id, m.seq, m.plugin, m.run, m.n, m.instance, m.target, m.kind, orjson.dumps(m.payload).decode(),
                m.status, m.created, m.server, m.file, m.created if m.status == "shown" else None,
            )
            for m in messages
        ],
    )  # fmt: skip


def requeue(connection: sqlite3.Connection, messages: Sequence[Message]) -> None:
    """Have dead messages wait again, as if they had just been queued."""
    for message in messages:
        connection.execute(
            "UPDATE outbox SET status = 'queued', attempts = 0, due = 0, created = ?, began = NULL, finished = NULL, "
            "error = NULL, unsure = 0 WHERE id = ?",
            (message.created, message.id),
        )


def update(connection: sqlite3.Connection, changes: Sequence[Sent]) -> None:
    """Write how messages moved on; of several changes of one message, the last."""
    run_on_rows(
        connection,
        "UPDATE outbox SET status = column2, attempts = column3, due = column4, began = coalesce(column5, began), "
        "finished = column6, message_id = column7, error = column8, unsure = column9 FROM (VALUES {rows}) "
        "WHERE id = column1",
        [
            (c.id, c.status, c.attempts, c.due, c.began, c.finished, c.message_id, c.error, c.unsure)
            for c in {each.id: each for each in changes}.values()
        ],
    )  # fmt: skip
