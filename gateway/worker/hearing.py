"""When the engine hears of what has ended.

At once where something may follow from it, and always of what has effects. All else stays in its plugin's thread for a
moment: nobody is woken for it, and what ends until then shares a flush of the disk.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from gateway.worker.bell import Bell
from gateway.worker.running import Running

PATIENCE: Final = 0.025  # seconds


class Hearing:
    """The engine's, who rings its own bell here where it must not rest. Make it while its loop runs."""

    def __init__(self, running: Mapping[str, Running], bell: Bell) -> None:
        self._running = running
        self._bell = bell
        self._loop = asyncio.get_running_loop()
        self._until: float | None = None
        """By the loop's clock, while there is such a moment."""
        self._hurried = 0
        """How many wait until all is settled."""

    @property
    def left(self) -> float | None:
        """Seconds until the moment is over; None while there is none."""
        return None if self._until is None else max(0.0, self._until - self._loop.time())

    def begin(self) -> None:
        """Let a moment begin, if there is none."""
        if self._until is None:
            self._until = self._loop.time() + PATIENCE

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """While somebody waits until all is settled there is no such moment."""
        self._hurried += 1
        self._bell.ring()
        try:
            yield
        finally:
            self._hurried -= 1

    def end(self) -> bool:
        """Whether the moment is over; then all that has ended may be collected."""
        if self.left != 0.0 and not self._hurried:
            return False
        self._until = None
        for each in self._running.values():
            each.host.results.is_awaited = True
        return True

    def tell_hosts(self, *, is_pressed: bool) -> None:
        """Have each host say what it is to say; all of them everything, if the engine waits for that."""
        is_awaited = is_pressed or self._hurried > 0 or self._until is None
        for each in self._running.values():
            results = each.host.results
            results.is_awaited = is_awaited or each.lanes.waiting > 0
            if results and results.is_awaited:  # what has ended did before its thread could know
                self._bell.ring()
