"""Wait for a moment of a clock, or for something to change: the one way in which the outbox waits.

Its clock passes evenly and can be handed in, so a test moves an hour on and calls `wake`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

NEVER: Final = float("inf")


class Tempo(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between tries; the last of each row counts again and again. A test makes them short."""

    down: Sequence[float] = (1.0, 5.0, 15.0, 30.0)
    """While an instance can't send."""
    too_much: Sequence[float] = (30.0, 60.0, 120.0, 300.0)
    """When WhatsApp or Evolution says that too much is sent."""
    fault: Sequence[float] = (1.0, 5.0, 15.0, 30.0)
    """Of one message that the server failed on."""
    looks: Sequence[float] = (0.3, 1.0, 2.0, 4.0)
    """For a message of unknown fate, until `outbox.settle` has passed."""


def nth(seconds: Sequence[float], n: int) -> float:
    """The n-th pause, from 0."""
    return seconds[min(n, len(seconds) - 1)]


class Waiting:
    """A clock, and a bell that everybody who waits hears."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        """Unix seconds, passing evenly."""
        self._bell = asyncio.Event()
        self._resting: dict[object, float] = {}
        self._rested = asyncio.Event()

    @property
    def next_due(self) -> float | None:
        """Unix seconds at which the first of those who wait goes on; None when nobody waits for a moment."""
        moment = min(self._resting.values(), default=NEVER)
        return moment if moment < NEVER else None

    async def until_resting(self, count: Callable[[], int]) -> None:
        """Return once so many wait, for a moment or for each other: then nothing happens before time passes."""
        while len(self._resting) < count():
            self._rested.clear()
            await self._rested.wait()

    @contextlib.contextmanager
    def resting(self, moment: float = NEVER) -> Iterator[None]:
        """Whoever is in here waits for a moment, or for others who do."""
        mark = object()
        self._resting[mark] = moment
        self._rested.set()
        try:
            yield
        finally:
            self._resting.pop(mark, None)

    def ended(self) -> None:
        """One of those who could wait is no more."""
        self._rested.set()

    def wake(self) -> None:
        """Something has changed: everybody who waits for a moment looks again, and rests no more until then."""
        self._resting = {mark: moment for mark, moment in self._resting.items() if moment == NEVER}
        self._bell.set()
        self._bell = asyncio.Event()

    async def until(self, moment: float) -> None:
        """Come back at that moment, or earlier when something changes."""
        with contextlib.suppress(TimeoutError), self.resting(moment):
            await asyncio.wait_for(self._bell.wait(), max(0.0, moment - self.now()))

    async def until_past(self, moment: float) -> None:
        """Come back at that moment, whatever changes meanwhile."""
        while self.now() < moment:
            await self.until(moment)
