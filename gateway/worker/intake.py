"""The worker's view of the journal: a connection that only reads, on a thread of its own where that may take long."""

import asyncio
import contextlib
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from gateway.errands import PROMPT, Errands
from gateway.journal import JournalReader, StoredEvent
from gateway.journal.controls import Control
from gateway.journal.files import JOURNAL
from gateway.journal.stored import AT_LID, Heading
from gateway.log import log
from gateway.work import Delivery

T = TypeVar("T")

CONTROLS: Final = 512
"""Controls read at once at most."""
HEADINGS: Final = 1000
"""Headings read at once at most."""
SMALL: Final = 64 * 2**10
"""Bytes of a body that is read with its heading, for its handler most likely begins at once."""
AT_HAND: Final = 8 * 2**20
"""Bytes of such bodies that are kept until then, by delivery; the oldest go first, and are read again."""
OFFERED: Final = 64
"""Events that are held until the next look at most."""
_RETRY: Final = 0.2  # seconds between looks for a journal that is not there yet


class Found(msgspec.Struct, frozen=True):
    """What one look at the journal brings."""

    events: Mapping[int, Sequence[Heading | StoredEvent]]
    """By position: those above it, in order."""
    controls: Sequence[Control]
    more: bool
    """There may be more."""


class Intake:
    """Reads the journal for the engine. Use `Intake.open`.

    A journal that can't be read for a while is waited for: the worker has nothing else to go by. One that was replaced
    (its receiver, run apart, had to set a broken file aside) is noticed as soon as the old one has nothing new.
    """

    def __init__(self, folder: Path, thread: Errands, poll: float) -> None:
        self._folder = folder
        self._thread = thread
        self.poll = poll
        """Seconds between looks when nobody wakes the worker."""
        self._at_hand: OrderedDict[int, StoredEvent] = OrderedDict()
        """By the id of the delivery."""
        self._held = 0
        self._looked = self._took = 0.0
        """When it was last looked, by monotonic clock, and how many seconds that took."""
        self._offered: list[StoredEvent] = []
        """Events that the receiver has passed on since, one after the other."""
        self._is_told_all = False
        """They are all that is new since."""
        self._open()

    @classmethod
    async def open(cls, folder: Path, poll: float) -> "Intake":
        """Wait until the receiver has made its journal, and open it."""
        thread = Errands("journal-reader")
        is_waiting = False
        while True:
            try:
                return await thread.run(lambda: cls(folder, thread, poll))
            except (sqlite3.Error, OSError) as error:
                if not is_waiting:
                    log.info("journal_awaited", folder=str(folder), reason=str(error))
                is_waiting = True
                await asyncio.sleep(_RETRY)

    async def ask(self, read: Callable[[JournalReader], T]) -> T:
        """Whatever `read` finds there, or beside it; it is called on the reader's thread."""
        return await self._call(lambda: read(self._reader))

    async def last(self) -> int:
        """The highest number in the journal."""
        return await self._call(lambda: self._reader.last())  # noqa: PLW0108 -- the reader may be another by then

    def offer(self, events: Sequence[StoredEvent]) -> None:
        """What the receiver says is new: these events alone, in order and on disk, or none for anything."""
        offered = self._offered
        is_next = bool(events) and (not offered or events[0].seq == offered[-1].seq + 1)
        if not is_next or len(offered) + len(events) > OFFERED:
            self._is_told_all = False
            offered.clear()
        elif self._is_told_all:
            offered += events

    async def look(self, wanted: Mapping[int, int], control: int) -> Found:
        """The next events above some positions, so many each, and the next controls above an id.

        What was offered need not be read. Most looks take less than handing them to a thread and hearing back, so while
        they do they run on the loop.
        """
        with contextlib.suppress(sqlite3.Error, OSError):  # the thread tries again, and says what it is
            if found := self._take_offered(wanted):
                return found
            if self._took <= PROMPT and self._thread.is_idle:
                return self._look(wanted, control)
        return await self._call(lambda: self._look(wanted, control))

    async def headings(self, above: int, upto: int) -> list[Heading]:
        """The next events above a number and up to another, in order."""
        return await self._call(lambda: self._reader.between(above, upto, HEADINGS))

    def keep(self, delivery: Delivery, event: StoredEvent) -> None:
        """A handler is about to begin: have its event at hand then."""
        self._at_hand[delivery.id] = event
        self._held += len(event.body)
        while self._held > AT_HAND:
            self._held -= len(self._at_hand.popitem(last=False)[1].body)

    async def events_of(self, deliveries: Sequence[Delivery]) -> dict[int, StoredEvent]:
        """The same as `events`, of deliveries that begin: what was kept for them is let go."""
        found: dict[int, StoredEvent] = {}
        for delivery in deliveries:
            if event := self._at_hand.pop(delivery.id, None):
                self._held -= len(event.body)
                found[delivery.seq] = event
        missing = {delivery.seq for delivery in deliveries} - found.keys()
        return found | await self.events(sorted(missing)) if missing else found

    async def events(self, numbers: Sequence[int]) -> dict[int, StoredEvent]:
        """Whole events by number; one that the journal no longer holds, or can't read, is missing."""
        return await self._call(lambda: self._events(numbers))

    async def close(self) -> None:
        """Close the file."""
        await self._thread.run(lambda: self._reader.close())  # noqa: PLW0108 -- the reader may be another by then
        await self._thread.close()

    async def _call(self, read: Callable[[], T]) -> T:
        is_failing = False
        while True:
            try:
                found = await self._thread.run(read)
            except (sqlite3.Error, OSError) as error:
                if not is_failing:
                    log.error("journal_unreadable", error=str(error))
                is_failing = True
                await asyncio.sleep(_RETRY)
                with contextlib.suppress(sqlite3.Error, OSError):
                    await self._thread.run(self._reopen)
            else:
                if is_failing:
                    log.info("journal_readable")
                return found

    def _take_offered(self, wanted: Mapping[int, int]) -> Found | None:
        """What was offered, if that is all there is, and what is wanted."""
        offered, is_all = self._offered, self._is_told_all
        self._offered, self._is_told_all = [], True
        is_all = is_all and time.monotonic() - self._looked < self.poll
        if not (offered and is_all and wanted.keys() == {offered[0].seq - 1} and len(offered) <= max(wanted.values())):
            return None
        if any(AT_LID in each.body for each in offered):
            if not self._thread.is_idle:
                return None
            offered = [msgspec.structs.replace(each, phones=self._reader.phones_in(each.body)) for each in offered]
        return Found({offered[0].seq - 1: offered}, (), more=False)

    # From here on: the reader's thread, or the loop while it does not wait for that.

    def _open(self) -> None:
        self._file = _identity(self._folder)
        self._reader = JournalReader(self._folder)
        self.generation = self._reader.generation()

    def _reopen(self) -> None:
        old = self._reader
        self._open()
        old.close()

    def _look(self, wanted: Mapping[int, int], control: int) -> Found:
        began = time.perf_counter()
        self._looked = time.monotonic()
        try:
            controls = self._reader.controls(control, CONTROLS)
            events = {position: self._after(position, limit) for position, limit in wanted.items()}
        finally:
            self._took = time.perf_counter() - began
        is_full = any(len(rows) == wanted[position] for position, rows in events.items())
        return Found(events, controls, more=is_full or len(controls) == CONTROLS)

    def _after(self, seq: int, limit: int) -> Sequence[Heading | StoredEvent]:
        rows = self._read(seq, limit)
        if rows or not self._is_replaced():
            return rows
        self._reopen()
        log.warning("journal_replaced", folder=str(self._folder))
        return self._read(seq, limit)

    def _read(self, seq: int, limit: int) -> Sequence[Heading | StoredEvent]:
        """Headings alone where a body can't be read: which one that is, `events` finds out."""
        try:
            return self._reader.after(seq, limit, SMALL)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            return self._reader.after(seq, limit)

    def _is_replaced(self) -> bool:
        with contextlib.suppress(OSError):  # between the two files there may be none
            return _identity(self._folder) != self._file
        return False

    def _events(self, numbers: Sequence[int]) -> dict[int, StoredEvent]:
        """One page that can't be read must not keep the events of all others from being handled."""
        try:
            return self._reader.events(numbers)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            if len(numbers) == 1:
                log.error("event_unreadable", id=str(numbers[0]), error=str(error))
                return {}
            return {seq: event for number in numbers for seq, event in self._events([number]).items()}


def _identity(folder: Path) -> tuple[int, int]:
    """Which file stands there now, whatever it is called."""
    found = (folder / JOURNAL).stat()
    return found.st_dev, found.st_ino
