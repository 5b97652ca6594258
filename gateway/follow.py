"""Tell of events as they come, and again when something became of them.

It looks at the files now and then, so it works beside a running gateway, beside either half, and alone.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from gateway.journal.reader import JournalReader
from gateway.search import WINDOW, Files, Query, search, unfinished
from gateway.work.reader import DeliveryRow, OutboxRow, Waits, WorkReader

HOLD: Final = 1.0
"""Seconds that an event is held back for its plugins to finish, so that most are told of once."""
KEPT: Final = 10_000
"""Unfinished events watched at most; the oldest are forgotten."""

State = tuple[tuple[str, int, str], ...]
"""What became of an event: of each delivery and message, its plugin, run or place, and state."""


class Watched(msgspec.Struct):
    """An event that is not finished yet."""

    came: float
    told: State | None = None
    """Its state when it was last told of; None if it never was."""


class Follow:
    """Remembers what was told already. Each question opens the files and closes them, so it holds up nobody."""

    def __init__(self, folder: Path, query: Query, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._query = query
        self._clock = clock
        self._last = 0
        self._watched: dict[int, Watched] = {}

    def begin(self, limit: int) -> list[int]:
        """The newest events that fit, oldest first. From now on `poll` tells of what comes and what changes."""
        with ExitStack() as stack:
            files = Files(self._folder, stack)
            if files.journal:
                self._last = files.journal.last()
                self._watch_unfinished(files.journal, files.work)
        found = list(islice(search(self._folder, self._query), limit))[::-1]
        return [seq for seq in found if seq <= self._last]

    def poll(self) -> list[int]:
        """What there is to tell now, in order of number.

        Raises:
            sqlite3.Error: a file is there and can't be read now; ask again.
        """
        with ExitStack() as stack:
            files = Files(self._folder, stack)
            if files.journal is None:
                return []
            for seq in self._new(files.journal):
                self._watched[seq] = Watched(self._clock())
            self._forget()
            waits = files.work.waits() if files.work else Waits()
            seqs = sorted(self._watched)
            runs = [seqs[start : start + WINDOW] for start in range(0, len(seqs), WINDOW)]
            return [seq for run in runs for seq in self._changed(files.work, waits, run)]

    def _new(self, journal: JournalReader) -> Iterator[int]:
        wanted = self._query.wanted(journal)
        last = journal.last()
        while self._last < last:
            high = min(journal.ages(self._last, 1)[0].seq + WINDOW - 1, last)
            found = journal.fitting(self._last + 1, high, wanted)
            self._last = high
            yield from reversed(found)

    def _changed(self, work: WorkReader | None, waits: Waits, seqs: Sequence[int]) -> Iterator[int]:
        deliveries = work.deliveries(seqs) if work else {}
        messages = work.outbox(seqs) if work else {}
        for seq in seqs:
            rows = deliveries.get(seq, []), messages.get(seq, [])
            state, watched = _state(*rows), self._watched[seq]
            is_finished = _is_taken_up(waits, seq) and not _is_open(*rows)
            if is_finished:
                del self._watched[seq]
            is_due = is_finished or self._clock() - watched.came >= HOLD
            if state != watched.told and is_due and self._query.fits(*rows):
                watched.told = state
                yield seq

    def _watch_unfinished(self, journal: JournalReader, work: WorkReader | None) -> None:
        """What is there already is told of when it changes."""
        waits = work.waits() if work else Waits()
        taken_up = min((waits.positions.get(name, 0) for name in waits.loaded), default=self._last)
        seqs = {age.seq for age in journal.ages(max(taken_up, self._last - KEPT), KEPT)}
        seqs |= unfinished(work) if work else set()
        wanted = self._query.wanted(journal)
        for seq in sorted(seqs)[-KEPT:]:
            if journal.fitting(seq, seq, wanted):
                rows = _rows(work, seq)
                self._watched[seq] = Watched(self._clock(), _state(*rows))

    def _forget(self) -> None:
        for seq in sorted(self._watched)[: max(0, len(self._watched) - KEPT)]:
            del self._watched[seq]


def _rows(work: WorkReader | None, seq: int) -> tuple[list[DeliveryRow], list[OutboxRow]]:
    if work is None:
        return [], []
    return work.deliveries([seq]).get(seq, []), work.outbox([seq]).get(seq, [])


def _state(deliveries: Sequence[DeliveryRow], messages: Sequence[OutboxRow]) -> State:
    said = tuple((each.plugin, each.n, f"message {each.status}") for each in messages)
    return tuple((each.plugin, each.run, each.state) for each in deliveries) + said


def _is_open(deliveries: Sequence[DeliveryRow], messages: Sequence[OutboxRow]) -> bool:
    return any(each.status in {"waiting", "running"} for each in deliveries) or any(
        each.status in {"queued", "sending"} for each in messages
    )


def _is_taken_up(waits: Waits, seq: int) -> bool:
    """Every loaded plugin has had its look at the event."""
    return waits.has_run and all(waits.positions.get(name, 0) >= seq for name in waits.loaded)
