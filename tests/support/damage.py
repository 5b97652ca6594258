"""Faults for a gateway's files, and for what was found of a run: each makes something wrong that must be noticed."""

import resource
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from gateway.journal import StoredEvent
from tests.support.evidence import Evidence
from tests.support.gateway import Gateway, read_events
from tests.support.records import Record

ROOM: Final = 40_000  # bytes that may still be written to the log of a database


@contextmanager
def no_room(pid: int, file: Path, *, left: int = ROOM) -> Iterator[None]:
    """Let a process's files grow `left` bytes beyond the present size of `file`, which is its largest, no further.

    A limit on the size of a process's files stands in for a full disk: Python ignores SIGXFSZ, so writes fail the
    same way.
    """
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (file.stat().st_size + left, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def without_row(gateway: Gateway, seq: int) -> dict[int, StoredEvent]:
    """What a journal would hold that had lost one row: a copy is robbed of it."""
    copy = Path(shutil.copytree(gateway.data, gateway.folder / "robbed"))
    with closing(sqlite3.connect(copy / "journal.db")) as journal, journal:
        assert journal.execute("DELETE FROM event WHERE seq = ?", (seq,)).rowcount == 1
    return read_events(copy)


def first_pair_in_a_lane(evidence: Evidence) -> tuple[int, int]:
    """Two lines that one plugin wrote one after the other about one lane."""
    lanes = [(record.plugin, evidence.journal[record.seq].lane) for record in evidence.records]
    places = [at for at, lane in enumerate(lanes) if lane == lanes[0]]
    return next(pairwise(places))


def swapped(records: Sequence[Record], one: int, other: int) -> list[Record]:
    """The same lines, two of which have changed places."""
    changed = list(records)
    changed[one], changed[other] = changed[other], changed[one]
    return changed
