"""Find events by what they are and by what became of them, in short reads.

Both files are walked from the newest event down, a few hundred numbers at a time: a single long read would keep the
journal's log from being cut back, however fast it is. What waits or is dead is found by its index instead.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.journal.reader import JournalReader
from gateway.journal.wanted import Wanted
from gateway.sqlite import opened
from gateway.work.reader import DeliveryRow, OutboxRow, WorkReader

STATES: Final = ("waiting", "running", "retrying", "done", "skipped", "dropped", "dead")
"""What a delivery can be."""
WINDOW: Final = 500
"""Numbers in one read."""
_SLACK: Final = 3600.0  # seconds a clock may have jumped, so that the numbers of an hour are not in order of time
_OPEN: Final = frozenset({"waiting", "running", "retrying"})
_NEWEST: Final = 2**63 - 1


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; all that is given must fit, and of one plugin where it is about deliveries."""

    event: str | None = None
    """Evolution's name: messages.upsert."""
    instance: str | None = None
    chat: str | None = None
    """A jid, or a telephone number as people write it; the same person's LID is found as well."""
    plugin: str | None = None
    states: frozenset[str] = frozenset()
    """Any of `STATES`, of the last run; empty for all."""
    error: str | None = None
    """Part of a delivery's or a message's error, in any case."""
    since: float | None = None
    """Unix seconds."""
    until: float | None = None
    """Unix seconds, not included."""
    text: str | None = None
    """Found anywhere in the event's JSON as it came, in any case; where a photo comes with it, in its beginning."""

    @property
    def asks_for_deliveries(self) -> bool:
        """An event without any delivery does not fit."""
        return bool(self.plugin or self.states or self.error)

    def wanted(self, journal: JournalReader) -> Wanted:
        """What it asks of the event itself."""
        return Wanted(
            event=self.event,
            instance=self.instance,
            chats=journal.addresses(self.chat) if self.chat is not None else None,
            since=self.since,
            until=self.until,
            text=self.text or None,
        )

    def fits(self, deliveries: Sequence[DeliveryRow], messages: Sequence[OutboxRow]) -> bool:
        """Whether what became of an event is what is looked for."""
        if not self.asks_for_deliveries:
            return True
        last = {each.plugin: each.state for each in sorted(deliveries, key=lambda each: each.run)}
        return any(
            self.plugin in (None, plugin)
            and (not self.states or state in self.states)
            and (self.error is None or self._names_error(plugin, (*deliveries, *messages)))
            for plugin, state in last.items()
        )

    def _names_error(self, plugin: str, rows: Sequence[DeliveryRow | OutboxRow]) -> bool:
        text = (self.error or "").casefold()
        return any(text in row.error.casefold() for row in rows if row.plugin == plugin and row.error)


class Files:
    """Both files, opened for as long as a question takes."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.journal = opened(JournalReader, folder)
        self.work = opened(WorkReader, folder)
        for reader in (self.journal, self.work):
            if reader:
                stack.enter_context(closing(reader))


class Bite(NamedTuple):
    """What one read found."""

    low: int
    """Everything from here on has been looked at."""
    found: Sequence[int]
    """Numbers of events that fit, newest first."""


def search(folder: Path, query: Query) -> Iterator[int]:
    """Numbers of the events that fit, newest first; reads on as they are asked for.

    Raises:
        sqlite3.Error: a file is there and can't be read.
    """
    return (seq for bite in bites(folder, query) for seq in bite.found)


def bites(folder: Path, query: Query, *, before: int | None = None, after: int = 0) -> Iterator[Bite]:
    """The same, read by read: those below `before`, if given, and above `after`.

    Raises:
        sqlite3.Error: a file is there and can't be read.
    """
    with ExitStack() as stack:
        files = Files(folder, stack)
        if files.journal is None or (files.work is None and query.asks_for_deliveries):
            return
        wanted = query.wanted(files.journal)
        for low, high, among in _windows(files.journal, files.work, query, before or _NEWEST, after):
            found = files.journal.fitting(low, high, wanted)
            yield Bite(low, fitting(files.work, query, [seq for seq in found if among is None or seq in among]))


def matching(journal: JournalReader, work: WorkReader | None, query: Query, seqs: Sequence[int]) -> list[int]:
    """Those of some events that fit, newest first."""
    return fitting(work, query, journal.fitting_among(seqs, query.wanted(journal)))


def fitting(work: WorkReader | None, query: Query, seqs: Sequence[int]) -> list[int]:
    """Those of some events whose deliveries fit."""
    if work is None or not query.asks_for_deliveries or not seqs:
        return [] if query.asks_for_deliveries else list(seqs)
    deliveries = work.deliveries(seqs)
    messages = work.outbox(seqs) if query.error is not None else {}
    return [seq for seq in seqs if query.fits(deliveries.get(seq, ()), messages.get(seq, ()))]


def unfinished(work: WorkReader) -> set[int]:
    """Events with a delivery that waits or runs, by their index."""
    return {seq for plugin in work.waits().positions for seq in _walk(_of_plugin(work, plugin))}


Window = tuple[int, int, set[int] | None]


def _windows(
    journal: JournalReader, work: WorkReader | None, query: Query, before: int, after: int
) -> Iterator[Window]:
    """Lowest and highest number of each read, newest first, and those between that may fit; None for all of them."""
    lowest = max(after + 1, journal.first_since(query.since - _SLACK) if query.since is not None else 0)
    if query.until is not None:
        before = min(before, journal.first_since(query.until + _SLACK))
    if work and query.states and (query.states <= _OPEN or query.states == {"dead"}):
        yield from _indexed(work, query.states, lowest, before)
        return
    is_by_work = work is not None and query.asks_for_deliveries
    source = work if work and is_by_work else journal
    while (high := source.highest_below(before)) >= max(lowest, 1):
        before = low = max(high - WINDOW + 1, lowest)
        yield low, high, _told(work, query, low, high) if work and is_by_work else None


def _told(work: WorkReader, query: Query, low: int, high: int) -> set[int]:
    found = work.failed(low, high) if query.error is not None else work.delivered(low, high, query.plugin)
    return set(found)


def _indexed(work: WorkReader, states: frozenset[str], lowest: int, before: int) -> Iterator[Window]:
    found = unfinished(work) if states <= _OPEN else set(_walk(work.dead_after))
    seqs = sorted((seq for seq in found if lowest <= seq < before), reverse=True)
    while seqs:
        run = [seq for seq in seqs[:WINDOW] if seqs[0] - seq < WINDOW]
        seqs = seqs[len(run) :]
        yield run[-1], run[0], set(run)


def _walk(after: Callable[[int, int], list[tuple[int, int]]]) -> Iterator[int]:
    """The events of an index, in bites."""
    last = 0
    while rows := after(last, WINDOW):
        last = rows[-1][0]
        yield from (seq for _, seq in rows)


def _of_plugin(work: WorkReader, plugin: str) -> Callable[[int, int], list[tuple[int, int]]]:
    return lambda after, limit: work.open_after(plugin, after, limit)
