"""Take events up: give each plugin its deliveries of what it has not seen, as far as it has room for them.

Of its own, because it decides when the journal is asked. Most commits follow the end of a handler, and then there is
nothing to ask for.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gateway.journal import StoredEvent
from gateway.journal.stored import Heading
from gateway.work import Batch, Delivery
from gateway.worker.intake import Found, Intake
from gateway.worker.running import Running

AHEAD: Final = 64
"""Open lanes of one plugin below which events are taken up for it however many wait: those of long lanes must pass."""
QUEUED: Final = 4
"""Deliveries of one plugin that may wait for each that may start: so many that most lanes have one, and no more, for
each is written once more than one that starts at once, and its body held."""
WAITING: Final = 50_000
"""Deliveries of one plugin held in memory at most, those of closed lanes included."""
_NOTHING: Final = Found({}, (), more=False)


class Uptake:
    """The engine asks it before each commit. `next_delivery`: the first id that no delivery has."""

    def __init__(self, intake: Intake, running: Mapping[str, Running], next_delivery: int) -> None:
        self._intake = intake
        self._running = running
        self._next_delivery = next_delivery
        self._hungry: Sequence[Running] = ()
        self._is_worth_a_look = True
        self._looked = 0.0

    def wake(self) -> None:
        """There may be something new."""
        self._is_worth_a_look = True

    async def look(self, now: float, *, takes_up: bool, control: int) -> Found:
        """What is new, by the positions of the plugins that have room, and the controls with an id above `control`."""
        moment = time.monotonic()
        if not self._is_worth_a_look and moment - self._looked < self._intake.poll:
            return _NOTHING
        wanted: dict[int, int] = {}
        rooms = [(each, _room(each, now) if takes_up else 0) for each in self._running.values()]
        for running, room in rooms:
            if room:
                wanted[running.position] = max(room, wanted.get(running.position, 0))
        self._hungry = [running for running, room in rooms if room]
        self._is_worth_a_look, self._looked = len(self._hungry) < len(rooms), moment
        return await self._intake.look(wanted, control)

    def take(self, found: Found, batch: Batch) -> bool:
        """Put the deliveries of what was found into a commit. True if there may be more at once."""
        for running in self._hungry:
            if rows := found.events.get(running.position):
                self._take(running, rows, batch)
                running.position = rows[-1].seq
                batch.positions[running.plugin.name] = (self._intake.generation, running.position)
        self._is_worth_a_look = self._is_worth_a_look or found.more
        return found.more

    def _take(self, running: Running, rows: Sequence[Heading | StoredEvent], batch: Batch) -> None:
        names = {row.event for row in rows}
        wanted = {name for name in names if running.plugin.wants(name)}
        for row in rows:
            if row.event in wanted:
                delivery = self.add(running, row, batch)
                if isinstance(row, StoredEvent):
                    self._intake.keep(delivery, row)

    async def again(self, noted: Mapping[str, Collection[int]], batch: Batch) -> list[Delivery]:
        """Take up anew what an earlier worker did not say that it had, up to the last of some events by plugin.

        Returns the deliveries of those events.
        """
        found: list[Delivery] = []
        for name, seqs in noted.items():
            if (running := self._running.get(name)) is None:
                continue
            while running.position < max(seqs) and (rows := await self._intake.headings(running.position, max(seqs))):
                for row in rows:
                    if running.plugin.wants(row.event):
                        delivery = self.add(running, row, batch)
                        found += [delivery] if row.seq in seqs else []
                running.position = rows[-1].seq
            batch.positions[name] = (self._intake.generation, running.position)
        return found

    def add(
        self, running: Running, row: Heading | StoredEvent, batch: Batch, *, run: int = 0, control: int = 0
    ) -> Delivery:
        """Give a plugin a delivery of an event."""
        number = self._next_delivery
        self._next_delivery += 1
        delivery = Delivery(id=number, seq=row.seq, plugin=running.plugin.name, lane=row.lane, run=run, control=control)
        running.lanes.add(delivery)
        batch.taken.append(delivery)
        return delivery


def _room(running: Running, now: float) -> int:
    """How many more events it may be given."""
    waiting = running.lanes.waiting
    if waiting >= WAITING:
        return 0
    return max(0, QUEUED * max(AHEAD, running.most(now)) - waiting, AHEAD - running.lanes.open)
