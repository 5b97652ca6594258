"""How far the worker is behind what was accepted, and what the receiver does about that.

Under full load the two want the same cores, and what a receiver accepts faster than its worker handles it only waits.
So while that is for long, events gather for a moment before each commit: whoever sends more only after an answer sends
a little less, commits are larger, and the worker gets what that leaves.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from gateway.journal import Journal

LATE: Final = 0.6
"""Seconds behind from which on events gather."""
FAR: Final = 2.0
"""Seconds behind from which on they no longer do: it wants for something else than the receiver's time."""
GATHER: Final = 0.002  # seconds
HEARD: Final = 0.25
"""Seconds for which that goes on without another word from the worker: it may be dead, or have nothing left to do."""
KEPT: Final = 200
"""Moments kept: ten seconds of a busy worker's, who says twenty times a second how far it is."""


class Lag:
    """Of one journal and its worker. `clock` gives seconds that pass evenly. Make it while the loop runs."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._now = clock
        self._loop = asyncio.get_running_loop()
        self._newest = 0
        """The highest number of an event that some plugin is done with."""
        self._moments: deque[tuple[float, int]] = deque(maxlen=KEPT)
        """When, and the last event that was accepted by then."""
        self._timer: asyncio.TimerHandle | None = None

    def note(self, seqs: Iterable[int]) -> None:
        """The worker is done with these events, one at least, as far as it is at present."""
        self._newest = max(self._newest, *seqs)
        self._moments.append((self._now(), self._journal.last))
        while self._moments and self._moments[0][1] < self._newest:
            self._moments.popleft()
        if LATE <= self.seconds < FAR:
            self._gather()

    @property
    def seconds(self) -> float:
        """How long ago the last event was accepted that it is done with, if others came after it."""
        if not self._moments or self._newest >= self._journal.last:
            return 0.0
        return self._now() - self._moments[0][0]

    def _gather(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._journal.pause(GATHER)
        self._timer = self._loop.call_later(HEARD, self._journal.pause, 0.0)
