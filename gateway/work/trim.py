"""Remove from `work.db` what is told of events that are gone."""

import sqlite3
from collections.abc import Sequence

import msgspec

from gateway.sqlite import shrink


class Trim(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction removes."""

    gone: Sequence[int] = ()
    """Events that are no longer in the journal: what is settled of them goes too."""
    shrinks: bool = False
    """The file gives free pages back to the disk."""

    def __bool__(self) -> bool:
        """There is something to do."""
        return bool(self.gone or self.shrinks)


def trim(connection: sqlite3.Connection, job: Trim) -> None:
    """Remove it. The newest row of each table stays: its id carries the numbering on."""
    marks = ", ".join("?" * len(job.gone))
    connection.execute(
        f"DELETE FROM outbox WHERE seq IN ({marks}) AND status NOT IN ('queued', 'sending') "
        "AND id < (SELECT max(id) FROM outbox)",
        job.gone,
    )
    connection.execute(
        f"DELETE FROM attempt WHERE delivery IN (SELECT id FROM delivery WHERE seq IN ({marks}) "
        "AND status NOT IN ('waiting', 'running'))",
        job.gone,
    )
    connection.execute(
        f"DELETE FROM delivery WHERE seq IN ({marks}) AND status NOT IN ('waiting', 'running') "
        "AND id < (SELECT max(id) FROM delivery)",
        job.gone,
    )
    if job.shrinks:
        shrink(connection)
