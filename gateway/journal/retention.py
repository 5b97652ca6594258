"""Let events go that are too old or take too much room, but never one that a loaded plugin still waits for.

In the background and in bites: each is one short transaction of the journal's writer, bounded in rows and in bytes, and
planned afresh from both files as they are by then. An event that waits when the bite is planned may have been handled
since and stays for one more round; the other way round can't be, for positions and deliveries only move on.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from gateway import config
from gateway.journal.journal import Journal
from gateway.journal.reader import Age, JournalReader
from gateway.journal.rows import Bite
from gateway.log import log
from gateway.sqlite import opened
from gateway.sweep import Sweep
from gateway.work.reader import Waits, WorkReader

ROWS: Final = 256
"""Events or keys in one bite at most."""
BYTES: Final = 4 * 2**20
"""Bytes of bodies in one bite, unless a single one is larger."""
KEYS_EVERY: Final = 6 * 3600.0
"""Seconds between two looks through all keys: they stand by what they are, and not by their age."""
DAY: Final = 86_400.0  # seconds
_ALL: Final = 2**63 - 1


class Retention:
    """Decides what of a journal may go. `sweep` does it, for as long as it is entered."""

    def __init__(
        self,
        journal: Journal,
        settings: config.Retention,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._folder: Path = journal.folder
        self._settings = settings
        self._clock = clock
        self._trouble = ""
        self._keys_looked_through = 0.0
        self.sweep = Sweep(self.bites, journal.remove, name="journal", sleep=sleep)

    def problems(self) -> list[str]:
        """What a person should know, in full sentences."""
        return [self._trouble] if self._trouble else []

    def bites(self) -> Generator[Bite, None, None]:
        """One round, each bite planned when it is asked for."""
        with ExitStack() as stack:
            journal = stack.enter_context(closing(JournalReader(self._folder)))
            work = opened(WorkReader, self._folder)
            if work:
                stack.enter_context(closing(work))
            now = self._clock()
            yield from self._too_old(journal, work, now - self._settings.days * DAY)
            yield from self._old_keys(journal, now, now - (self._settings.days + 1) * DAY)
            yield from self._too_much(journal, work, now - self._settings.days * DAY)
            for _ in range(journal.spare()):
                if not journal.spare():
                    return
                yield Bite(shrinks=True)

    def _too_old(self, journal: JournalReader, work: WorkReader | None, cutoff: float) -> Generator[Bite, None, None]:
        if (journal.first_refused() or cutoff) < cutoff:
            yield Bite(refused_before=cutoff)
        after = 0
        while ages := journal.ages(after, ROWS):
            after = ages[-1].seq
            old = [age for age in ages if age.accepted_at < cutoff]
            waits = work.waits() if work else Waits()
            floor = min((waits.positions.get(name, 0) for name in waits.loaded), default=_ALL)
            # Not at the first that is young: the clock may have stood ahead for an hour.
            if not old or ages[0].seq > floor:
                return
            kept = work.unfinished([age.seq for age in old], waits.loaded) if work else set()
            free = [age for age in old if age.seq <= floor and age.seq not in kept and age.seq < journal.last()]
            yield Bite()
            while free:
                bite = _fill(free, BYTES)
                free = free[len(bite) :]
                yield Bite(events=bite)

    def _old_keys(self, journal: JournalReader, now: float, cutoff: float) -> Generator[Bite, None, None]:
        if (journal.first_fresh() or cutoff) < cutoff:
            yield Bite(fresh_before=cutoff)
        if abs(now - self._keys_looked_through) < KEYS_EVERY:
            return
        self._keys_looked_through = now
        for run in journal.runs():
            last = b""
            while keys := journal.old_keys(run, last, cutoff, ROWS):
                last = keys[-1]
                yield Bite(run=run, keys=keys, keys_before=cutoff)

    def _too_much(self, journal: JournalReader, work: WorkReader | None, cutoff: float) -> Generator[Bite, None, None]:
        after = 0
        held: dict[str, int] = {}
        while (excess := journal.used() - self._settings.size) > 0:
            held = _held(journal, work.waits() if work else Waits(), cutoff)
            ages = [age for age in journal.ages(after, ROWS) if age.seq <= min(held.values(), default=_ALL)]
            if not ages:
                break
            kept = work.unfinished([age.seq for age in ages]) if work else set()
            free = [age for age in ages if age.seq not in kept and age.seq < journal.last()]
            bite = _fill(free, min(excess, BYTES))
            after = bite[-1] if bite else ages[-1].seq
            yield Bite(events=bite)
        self._tell(excess, sorted(name for name, position in held.items() if position < journal.last()))

    def _tell(self, excess: int, behind: Sequence[str]) -> None:
        """Warn once when what may not go takes more room than it should, and again only after that has changed."""
        if excess <= 0:
            self._trouble = ""
        elif not self._trouble:
            names = f": {', '.join(behind)}" if behind else ""
            self._trouble = f"The journal is {excess:,} bytes over retention.size, and what is left still waits{names}."
            log.warning("retention_size_exceeded", bytes=excess, size=self._settings.size, behind=", ".join(behind))


def _held(journal: JournalReader, waits: Waits, cutoff: float) -> dict[str, int]:
    """By plugin: up to which number it lets events go for the room they take."""
    if not waits.has_run:
        return {"no plugin has run yet": 0}
    gone = {name: position for name, position in waits.positions.items() if name not in waits.loaded}
    awaited = {name: position for name, position in gone.items() if _is_awaited(journal, position, cutoff)}
    return awaited | {name: waits.positions.get(name, 0) for name in waits.loaded}


def _is_awaited(journal: JournalReader, position: int, cutoff: float) -> bool:
    """A plugin that is gone is still waited for: the first event it has not taken up is there, and not too old yet."""
    following = journal.ages(position, 1)
    return not following or (following[0].seq == position + 1 and following[0].accepted_at >= cutoff)


def _fill(ages: Sequence[Age], most: int) -> list[int]:
    """As many of the first events as fit in `most` bytes, and at least one if there is any."""
    found: list[int] = []
    size = 0
    for age in ages:
        if found and size + age.size > most:
            break
        found.append(age.seq)
        size += age.size
    return found
