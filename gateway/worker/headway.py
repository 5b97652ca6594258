"""How many deliveries a plugin gets through in a moment: so many more may be handed to its thread than run at once.

Of its own, because it says how large commits become: handlers that take no time would else wait for the disk after
every few, and those that take long must not have others queue up where a stop or a death takes them for begun.
"""

from typing import Final

MOMENT: Final = 0.05
"""Seconds that deliveries handed over beyond what runs at once are to wait for their turn at most, roughly."""
MOST: Final = 256
"""Deliveries; each is a suspect should the worker die."""


class Headway:
    """Counts what ended well. Times are those of a clock that passes evenly, in seconds."""

    def __init__(self) -> None:
        self._count = 0
        self._since = 0.0
        self._ahead = 0

    def note(self) -> None:
        """One more has ended well."""
        self._count += 1

    def ahead(self, now: float) -> int:
        """How many it gets through in a moment, by what it did in the last one."""
        passed = now - self._since
        if passed >= MOMENT:
            self._ahead = min(MOST, round(self._count * MOMENT / passed))
            self._count, self._since = 0, now
        return self._ahead
