"""How soon a handler that computes lets the worker's other threads have the interpreter.

Python takes it from whoever computes only after a while, and each statement of a commit gives it up and waits for it
anew, so beside such a handler a commit takes many of these whiles. A short while is no answer by itself: threads that
get on well then take the interpreter from each other thousands of times a second, at a tenth of the worker's rate. So
it is short for a minute from when commits have to wait.
"""

import sys
import time
from collections.abc import Callable
from typing import Final

USUAL: Final = 0.005
"""Seconds, Python's own."""
SOON: Final = 0.0005
HELD: Final = 2 * USUAL
"""Seconds that one commit's statements wait for the interpreter, or a core: among threads that get on well, rarely."""
ROW: Final = 3
"""Commits in a row that wait so long, from which on somebody computes."""
KEEP: Final = 60.0  # seconds


class Sharing:
    """The store tells it of every commit."""

    def __init__(
        self,
        *,
        switch_after: Callable[[float], None] = sys.setswitchinterval,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._switch_after = switch_after
        self._clock = clock
        self._row = 0
        self._until: float | None = None
        """While it is short."""
        switch_after(USUAL)

    def note(self, waited: float) -> None:
        """So many seconds the statements of a commit waited, and did not compute themselves."""
        self._row = self._row + 1 if waited >= HELD else 0
        now = self._clock()
        if self._until is not None and now >= self._until:
            self._until = None
            self._switch_after(USUAL)
        if self._until is None and self._row >= ROW:
            self._until = now + KEEP
            self._switch_after(SOON)
