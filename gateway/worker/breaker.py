"""Hold one plugin's attempts back while they all fail: what it needs is down, and that must use no retry up.

No I/O and no clock: the caller hands in how attempts ended, and when.
"""

from collections import deque
from collections.abc import Collection
from typing import Final

from gateway.work import Delivery
from gateway.worker.verdict import Result

FAILURES: Final = 10
"""Attempts that have to fail in a row until it opens."""
LANES: Final = 3
"""Lanes that these must come from: what is wrong in one or two chats may be the chats' own."""
PROBE_EVERY: Final = 30.0
"""Seconds between tries while it is open."""


class Breaker:
    """Closed: attempts start and failures count. Open: none counts, and one at a time probes.

    Only a handler's error is a failure and only its return a success. `Retry`, `Drop`, what no handler took and what
    nothing could stop say nothing about the world outside. The failures that open it are taken back from the deliveries
    that wait.
    """

    def __init__(self, *, failures: int = FAILURES, lanes: int = LANES) -> None:
        self._failures = failures
        self._lanes = lanes
        self._count = 0
        self._row_lanes: set[str] = set()
        self._row: deque[Delivery] = deque(maxlen=failures)
        self._tried: set[int] = set()
        self.is_open = False
        self.probe_at = 0.0
        """When the next probe may start, while it is open."""

    @property
    def tried(self) -> Collection[int]:
        """Deliveries that have probed in this round: one that fails by its own fault must not hold up all others."""
        return self._tried

    def open(self, probe_at: float) -> None:
        """Hold attempts back from now on."""
        self.is_open = True
        self.probe_at = probe_at

    def probing(self, delivery: int, now: float) -> None:
        """This delivery's attempt is the probe."""
        if delivery in self._tried:
            self._tried.clear()
        self._tried.add(delivery)
        self.probe_at = now + PROBE_EVERY

    def note(self, result: Result, delivery: Delivery, now: float) -> bool:
        """Take an attempt's end into account. Whether it counts; if not, its delivery waits as if it had not begun."""
        if result == "failed":
            if not self.is_open:
                self._note_failure(delivery, now)
            return not self.is_open
        if result == "done":
            if self._count or self.is_open:
                self._close()
        elif result != "retry" and self.is_open:
            self.probe_at = now  # it is done with and has shown nothing: the next one may
        return True

    def _note_failure(self, delivery: Delivery, now: float) -> None:
        self._count += 1
        if len(self._row_lanes) < self._lanes:
            self._row_lanes.add(delivery.lane)
        if self._count < self._failures or len(self._row_lanes) < self._lanes:
            self._row.append(delivery)
            return
        self.open(now + PROBE_EVERY)
        for each in self._row:
            each.failures -= 1  # they were the outage's own, and outages may come and go
        self._row.clear()

    def _close(self) -> None:
        self.is_open = False
        self._count = 0
        self._row_lanes.clear()
        self._row.clear()
        self._tried.clear()
