"""Attempts on their way into their plugins' threads.

Handed over at the last moment before the engine's own thread waits: whoever is woken wants the interpreter at once.
"""

import time
from collections.abc import Mapping, Sequence

from gateway.journal import StoredEvent
from gateway.work import Delivery
from gateway.worker.attempt import Job
from gateway.worker.running import Running


class Handover:
    """The engine's. What is added may begin; it begins after `go`."""

    def __init__(self, running: Mapping[str, Running]) -> None:
        self._running = running
        self._jobs: dict[str, list[Job]] = {}
        """By plugin."""

    def add(self, started: Sequence[Delivery], events: Mapping[int, StoredEvent]) -> None:
        """Deliveries that begin, with their events, by number, as far as the journal holds them."""
        for each in started:
            self._jobs.setdefault(each.plugin, []).append(Job(each, events.get(each.seq)))

    def go(self) -> None:
        """From here on they count as handed over: a commit may have waited minutes for room on the disk."""
        if not self._jobs:
            return
        jobs, self._jobs = self._jobs, {}
        now = time.monotonic()
        for name, own in jobs.items():
            running = self._running[name]
            running.since |= {job.delivery.id: now for job in own}
            running.host.start(own)
