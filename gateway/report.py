"""What became of what the worker was asked, and what it says of itself: read from its files, by whoever wants to know.

Of its own, for the commands that show it need no web server.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import orjson

from gateway.journal import JournalReader
from gateway.journal.controls import Control
from gateway.sqlite import is_missing, opened
from gateway.work import WorkReader
from gateway.work.controls import ControlReader, Progress
from gateway.work.store import PAUSED, WORK


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How far a request is."""

    id: str
    kind: str
    status: str
    """waiting (no worker has read it yet), running, done or failed."""
    found: int = 0
    """Deliveries made so far, dead letters changed, or plugins paused or resumed."""
    outcomes: dict[str, int] = {}
    """Of a replay or a retry: how many deliveries are in which state."""
    error: str | None = None
    part: float = 0.0
    """How much of the events it has gone through, 0 to 1."""
    result: Any = None
    """The answer to a question."""


def read_report(folder: Path, number: int) -> Report | None:
    """How far a request is; None for one that was never made."""
    if (journal := opened(JournalReader, folder)) is None:
        return None
    with closing(journal):
        asked = next((each for each in journal.controls(number - 1, 1) if each.id == number), None)
    return _report(folder, asked) if asked else None


def _report(folder: Path, asked: Control) -> Report:
    progress: Progress | None = None
    outcomes: dict[str, int] = {}
    try:
        with closing(ControlReader(folder / WORK)) as work:
            progress = work.progress(asked.id)
            outcomes = work.outcomes(asked.id) if asked.kind in ("replay", "retry") else {}
    except sqlite3.Error as error:
        if not is_missing(error):
            raise
    if progress is None:
        return Report(id=str(asked.id), kind=asked.kind, status="waiting")
    return Report(
        id=str(asked.id),
        kind=asked.kind,
        status=progress.status,
        found=progress.found,
        outcomes=outcomes,
        part=min(progress.cursors.values(), default=progress.upto) / (progress.upto or 1),
        error=progress.error,
        result=orjson.loads(progress.result) if progress.result else None,
    )


def read_paused(folder: Path) -> dict[str, float]:
    """By plugin, since when it is paused; `*` stands for all of them. Nothing where that can't be read."""
    try:
        return dict(read_facts(folder).get(PAUSED) or {})
    except sqlite3.Error:
        return {}


def read_facts(folder: Path) -> dict[str, Any]:
    """What the worker says of itself; nothing before the first one."""
    if (work := opened(WorkReader, folder)) is None:
        return {}
    with closing(work):
        return work.facts()
