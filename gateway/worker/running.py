"""One loaded plugin at work: its thread, its lanes, its breaker, and how far it is in the journal."""

import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from gateway.log import log
from gateway.plugins import Plugin
from gateway.work import Delivery
from gateway.work.batch import WELL, Status
from gateway.worker.breaker import PROBE_EVERY, Breaker
from gateway.worker.effects import last_line
from gateway.worker.headway import Headway
from gateway.worker.host import Host
from gateway.worker.lanes import Lanes
from gateway.worker.verdict import Ended, judge

BETWEEN: Final = 1.0
"""Seconds that a delivery may be on its way into its plugin's thread, or home."""


class Outage(msgspec.Struct, frozen=True):
    """Why a plugin's deliveries wait."""

    since: float
    """Unix seconds."""
    error: str
    """What the last attempt failed with, in one line."""


class Running(msgspec.Struct):
    """The engine is its only owner."""

    plugin: Plugin[Any, Any]
    host: Host
    lanes: Lanes
    concurrency: int
    retry: Sequence[float]
    overdue: float
    """Seconds after which an attempt counts as stuck."""
    position: int = 0
    since: dict[int, float] = msgspec.field(default_factory=dict)
    """When each delivery was handed to the plugin's thread, by monotonic clock, and has not come back; oldest first."""
    between: dict[int, float] = msgspec.field(default_factory=dict)
    """Since when a delivery that has lasted too long was seen neither waiting in the thread nor begun there."""
    breaker: Breaker = msgspec.field(default_factory=Breaker)
    headway: Headway = msgspec.field(default_factory=Headway)
    paused: bool = False
    """Somebody asked that no attempts start."""
    outage: Outage | None = None
    """Set while the breaker is open."""

    @property
    def is_held(self) -> bool:
        """No attempt may start: somebody asked for that, or what the plugin needs is not open."""
        return self.paused or not self.host.is_ready

    @property
    def trouble(self) -> str | None:
        """What a person should know, in one sentence."""
        if self.outage is None:
            return None
        name, error = self.plugin.name, self.outage.error
        return f"{name} fails again and again ({error}); its deliveries wait, and one is tried every {PROBE_EVERY:g} s."

    def most(self, now: float) -> int:
        """Deliveries that may be in the thread's hands: those that run at once, and what is begun in a moment."""
        return self.concurrency + self.headway.ahead(now)

    def start(self, now: float) -> list[Delivery]:
        """The deliveries that may start now; they count as running."""
        if self.is_held:
            return []
        if not self.breaker.is_open:
            most = self.most(now)
            return self.lanes.start(most - self.lanes.running, now, again=max(1, most // 2))
        if self.breaker.probe_at > now or self.lanes.running:
            return []
        probe = self.lanes.oldest(now, besides=self.breaker.tried) or self.lanes.oldest(now)
        if probe is None:
            return []
        self.lanes.start_one(probe, now)
        self.breaker.probing(probe.id, now)
        return [probe]

    def next_due(self) -> float | None:
        """Unix seconds at which `start` may have something that it has not now; None: not by itself."""
        due = self.lanes.next_due() if not self.is_held else None
        if self.is_held or not self.breaker.is_open:
            return due
        if self.lanes.running:
            return None
        if self.lanes.ready:
            return self.breaker.probe_at
        return max(due, self.breaker.probe_at) if due is not None else None

    def judge(self, ended: Ended, now: float) -> Status:
        """What an attempt's end means for its delivery, and for the breaker."""
        counts = self.breaker.note(ended.result, ended.delivery, now)
        if ended.result in WELL:
            self.headway.note()
        if self.breaker.is_open and self.outage is None:
            self._log_open(Outage(time.time(), last_line(ended.error or "")))
        elif self.outage and not self.breaker.is_open:
            log.info("plugin_recovered", plugin=self.plugin.name, after_seconds=round(time.time() - self.outage.since))
            self.outage = None
        if counts:
            return judge(ended, self.retry, now)
        ended.delivery.alone = False
        ended.delivery.due = 0.0
        return "waiting"

    def stuck(self, now: float) -> list[Ended]:
        """The attempts that have gone on for too long at a monotonic time: where one holds the thread, that one alone.

        The others only wait for it, and those that have not begun for their turn; they are put back and run again.
        """
        if now - next(iter(self.since.values()), now) <= self.overdue:
            self.between.clear()
            return []
        holder, waiting, begun = self.host.holder, self.host.waiting, self.host.begun
        given = [each for each in self.lanes.in_flight() if each.id in self.since and each.id not in waiting]
        # One that has just ended, or is about to begin, is for a moment neither: only what stays so is at fault.
        between = {each.id for each in given} - begun.keys()
        self.between = {number: self.between.get(number, now) for number in between}
        given = [each for each in given if now - self.between.get(each.id, now - BETWEEN) >= BETWEEN]
        lasted = [(each, now - begun.get(each.id, self.since[each.id])) for each in given]
        overdue = [(each, seconds) for each, seconds in lasted if seconds > self.overdue]
        return [self._give_up(each, seconds) for each, seconds in overdue if holder in (None, each.id)]

    def _give_up(self, delivery: Delivery, seconds: float) -> Ended:
        log.error("handler_stuck", plugin=delivery.plugin, id=delivery.seq, seconds=self.overdue)
        text = f"Nothing could stop it for {self.overdue:g} s, so the worker was restarted."
        began = time.time() - seconds
        return Ended(delivery=delivery, result="stuck", started=began, millis=seconds * 1000, error=text)

    def hold(self, outage: Outage) -> None:
        """Go on with an outage that an earlier worker met: the first delivery probes at once."""
        self.breaker.open(0.0)
        self._log_open(outage)

    def _log_open(self, outage: Outage) -> None:
        self.outage = outage
        log.error("plugin_held", plugin=self.plugin.name, error=outage.error, probe_every=PROBE_EVERY)
