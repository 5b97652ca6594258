"""Wakes the one task that waits for it, also at a time.

Where an `asyncio.Event` asks for the running loop each time, which is a system call, and knows no time.
"""

import asyncio


class Bell:
    """Of one loop, and one task that waits. Make it while that loop runs."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_rung = False
        self._waiting: asyncio.Future[None] | None = None
        self._timer: asyncio.Handle | None = None
        self._at = 0.0
        """When the timer rings, by the loop's clock. Not every loop's handles know it."""

    def ring(self) -> None:
        """Wake who waits, or whoever waits next."""
        self._is_rung = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def ring_within(self, seconds: float) -> None:
        """Ring that much later at the latest: an earlier moment that was named holds."""
        at = self._loop.time() + seconds
        if self._timer is None or at < self._at:
            self._forget()
            self._at = at
            self._timer = self._loop.call_at(at, self.ring)

    def reset(self) -> None:
        """What was rung, and what it was to ring for, is seen to."""
        self._is_rung = False
        self._forget()

    async def wait(self) -> None:
        """Return as soon as it is rung, or has been since it was reset."""
        if not self._is_rung:
            self._waiting = self._loop.create_future()
            await self._waiting

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
