"""What one worker leaves to the next: read once at the start, and noted at a stop that was asked for."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from gateway.work import Batch, Delivery, Settled, WorkStore
from gateway.work.begun import Begun
from gateway.work.store import HAS_RUN, OUTAGES
from gateway.worker.running import Outage, Running


class Left(msgspec.Struct, frozen=True):
    """What an earlier worker left in the store."""

    has_run: bool
    """There was one."""
    positions: Mapping[str, int]
    waiting: Sequence[Delivery]
    cut_off: Sequence[Delivery]
    """They were running when it ended without a word."""
    outages: Mapping[str, Outage]
    """By plugin, where its breaker was open."""
    noted: Mapping[str, Collection[int]]
    """By plugin, events that had begun when it ended, and no commit says so; those below its position are done with."""

    @classmethod
    def by(cls, store: WorkStore, folder: Path) -> "Left":
        """Read it, before the store is first written."""
        outages = msgspec.convert(store.fact(OUTAGES) or {}, dict[str, Outage])
        positions = store.positions()
        waiting, cut_off = store.unfinished()
        begun: set[int] = set()
        noted: dict[str, set[int]] = {}
        known = {(each.id, each.seq, each.plugin) for each in waiting if each.is_new}
        for each in Begun.read(folder):
            if (each.delivery, each.seq, each.plugin) in known:
                begun.add(each.delivery)
            else:
                noted.setdefault(each.plugin, set()).add(each.seq)
        cut_off += [each for each in waiting if each.id in begun]
        waiting = [each for each in waiting if each.id not in begun]
        return cls(store.has_run(), positions, waiting, cut_off, outages, noted)

    def hand_on(self, running: Mapping[str, Running], newest: int, generation: str) -> Batch:
        """Give it to the plugins that are loaded, and make the commit that says so. `newest`: the last event's number.

        A plugin new to this gateway starts at now; on a gateway's very first start that is the beginning.
        """
        batch = Batch(facts={HAS_RUN: True})
        for name, one in running.items():
            one.position = self.positions.get(name, newest)
            batch.positions[name] = (generation, one.position)
            if name in self.outages:
                one.hold(self.outages[name])
        for delivery in self.cut_off:
            delivery.due = 0.0  # it had begun, so it was due, whatever the clock says now
        for delivery in sorted((*self.waiting, *self.cut_off), key=lambda each: each.id):
            if delivery.plugin in running:
                running[delivery.plugin].lanes.add(delivery)
        return batch


def steady_clock() -> Callable[[], float]:
    """Unix seconds that pass evenly: a clock set back an hour must not hold retries up for an hour."""
    began = time.time() - time.monotonic()
    return lambda: began + time.monotonic()


def put_back(delivery: Delivery) -> Settled:
    """A delivery that was stopped on purpose waits again, and the attempt counts as nothing."""
    delivery.alone = False
    return Settled(delivery=delivery, status="waiting", started=time.time(), millis=0.0)
