"""What one worker leaves to the next: read once at the start, and noted at a stop that was asked for."""

import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateway.work import Delivery, Settled, WorkStore
from gateway.work.store import OUTAGES
from gateway.worker.running import Outage


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

    @classmethod
    def by(cls, store: WorkStore) -> "Left":
        """Read it, before the store is first written."""
        outages = msgspec.convert(store.fact(OUTAGES) or {}, dict[str, Outage])
        return cls(store.has_run(), store.positions(), *store.unfinished(), outages)


def steady_clock() -> Callable[[], float]:
    """Unix seconds that pass evenly: a clock set back an hour must not hold retries up for an hour."""
    began = time.time() - time.monotonic()
    return lambda: began + time.monotonic()


def put_back(delivery: Delivery) -> Settled:
    """A delivery that was stopped on purpose waits again, and the attempt counts as nothing."""
    delivery.alone = False
    return Settled(delivery=delivery, status="waiting", started=time.time(), millis=0.0)
