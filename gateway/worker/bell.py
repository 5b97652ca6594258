"""Wakes the one task that waits for it, also at a time.

Where an `asyncio.Event` asks for the running loop each time, which is a system call, and knows no time.
"""

import asyncio
import math


class Bell:
    """Of one loop, and one task that waits. Make it while that loop runs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_rung = False
        self._waiting: asyncio.Future[None] | None = None
        self._timer: asyncio.Handle | None = None
        self._at = math.inf
        """When the timer rings, by the loop's clock. Not every loop's handles know it."""

    def ring(self) -> None:
        """Wake who waits, or whoever waits next."""
        self._is_rung = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def ring_within(self, seconds: float) -> None:
        """Ring that much later at the latest: an earlier moment that was named holds, whatever came since.

        For whoever wakes for it without need loses less than a timer for each time it is woken would cost.
        """
        at = self._loop.time() + seconds
        if at < self._at:
            if self._timer is not None:
                self._timer.cancel()
            self._at = at
            self._timer = self._loop.call_at(at, self._ring_in_time)

    def reset(self) -> None:
        """What was rung for is seen to."""
        self._is_rung = False

    async def wait(self) -> None:
        """Return as soon as it is rung, or has been since it was reset."""
        if not self._is_rung:
            self._waiting = self._loop.create_future()
            await self._waiting

    def _ring_in_time(self) -> None:
        self._timer, self._at = None, math.inf
        self.ring()
