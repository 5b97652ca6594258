"""What ended becomes what is written: the fate of each delivery, its messages and state, and what that says of plugins.

Apart from the engine, which says when: here nothing waits and nothing is started.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from gateway.config import Config
from gateway.plugins import Send
from gateway.work import Batch, Delivery, Message, Settled, WorkStore
from gateway.work.batch import Status
from gateway.work.store import OUTAGES, STATS
from gateway.worker.effects import queue_messages
from gateway.worker.loops import SPAN, Loops
from gateway.worker.revisions import Revisions
from gateway.worker.running import Outage, Running
from gateway.worker.stats import Stats
from gateway.worker.suspects import Suspects
from gateway.worker.verdict import Ended, failed_attempt

Trouble = Callable[[str, str | None], None]


class Settling:
    """Judges what plugins' threads report. `now` gives unix seconds that pass evenly, `wall` those of the clock."""

    def __init__(
        self,
        config: Config,
        store: WorkStore,
        running: Mapping[str, Running],
        suspects: Suspects,
        *,
        trouble: Trouble,
        now: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._evolution = config.evolution
        self._running = running
        self._suspects = suspects
        self._say = trouble
        self._now = now
        self._next_message = store.last_ids()[1] + 1
        self._revisions = Revisions()
        limits = {name: config.delivery_of(name).replies_per_minute for name in running}
        self._loops = Loops(limits, trouble, store.answers(time.time() - SPAN))
        self._stats = Stats(store.fact(STATS), wall)
        self._outages: dict[str, Outage] = {}
        self.is_stuck = False
        """Something could be stopped by nothing: the process has to be replaced."""

    @property
    def has_news(self) -> bool:
        """Something is counted that is not written yet, and nothing else may bring a commit."""
        return self._stats.has_news

    def give_up(self) -> None:
        """Something could be stopped by nothing."""
        self.is_stuck = True

    def take(self, batch: Batch, *, at_the_end: bool) -> None:
        """Put into a commit what ended since it was last asked, and what that says of the plugins."""
        now = self._now()
        for ended in self._take_ended():
            self._stats.note(ended)
            batch.failed += failed_attempt(ended)
            batch.settle(self._judge(ended, now))
        self._loops.release(time.time())
        if (stats := self._stats.fact(now=at_the_end)) is not None:
            batch.facts[STATS] = stats
        batch.facts |= self._changed_outages()

    def _changed_outages(self) -> dict[str, Any]:
        outages = {name: each.outage for name, each in self._running.items() if each.outage}
        if outages == self._outages:
            return {}
        for name in outages.keys() ^ self._outages.keys():
            self._say(name, self._running[name].trouble)
        self._outages = outages
        return {OUTAGES: {name: msgspec.structs.asdict(each) for name, each in outages.items()}}

    def _take_ended(self) -> Iterator[Ended]:
        """One by one, each judged before the next is looked at; last those that do not end by themselves."""
        for running in self._running.values():
            for each in running.host.results.collect():
                if each.delivery.id in running.since:  # else it was given up as stuck before
                    yield each
        yield from self._stuck()

    def _stuck(self) -> list[Ended]:
        """Attempts that nothing could stop. They count as failed, and the process is replaced to be rid of them."""
        found = [ended for running in self._running.values() for ended in running.stuck(time.monotonic())]
        self.is_stuck = self.is_stuck or bool(found)
        return found

    def _judge(self, ended: Ended, now: float) -> Settled:
        delivery = ended.delivery
        running = self._running[delivery.plugin]
        del running.since[delivery.id]
        self._suspects.clear(delivery)
        was_alone = delivery.alone
        status, error = running.judge(ended, now), ended.error
        if status == "done" and (ended.sends or ended.changes):
            status, error = self._check(ended)
        if status == "waiting":
            running.lanes.retry(delivery)
        else:
            running.lanes.end(delivery)
        return Settled(
            delivery=delivery,
            status=status,
            started=ended.started,
            millis=ended.millis,
            handler=ended.handler,
            error=error,
            messages=self._queue(delivery, ended.sends, now) if status == "done" and ended.sends else (),
            changes=ended.changes if status == "done" else (),
            alone=was_alone,
        )

    def _check(self, ended: Ended) -> tuple[Status, str | None]:
        """Whether what a handler did may take effect."""
        if not self._revisions.are_current(ended.changes):
            return "waiting", ended.error  # somebody else wrote what it read: it runs again, on what is there now
        if loop := self._loops.stops(ended.delivery, ended.answered):
            return "dead", loop
        self._revisions.claim(ended.changes)
        return "done", ended.error

    def _queue(self, delivery: Delivery, sends: Sequence[Send], now: float) -> tuple[Message, ...]:
        first, self._next_message = self._next_message, self._next_message + len(sends)
        return queue_messages(delivery, sends, first, now, self._evolution)
