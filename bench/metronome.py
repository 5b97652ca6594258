"""Whether the machine computes as fast as it usually does: the same few microseconds of work, again and again.

A virtual machine's host may slow all cores down at once, to a tenth, for tens of milliseconds and with nothing to be
seen of it inside, not even as stolen time. Whatever is measured then is that machine's, and no server's.
"""

import select
import statistics
import sys
import time
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

EVERY: Final = 0.004  # seconds
WORK: Final = 1_000
"""Turns of an empty loop, some 20 µs."""
SLOW: Final = 2.5
"""Times the usual from which on a beat says that the machine is slow."""
AROUND: Final = (0.02, 0.1)
"""Seconds before and after a slow beat in which it may have been slow too, or whoever waits is not through yet."""


class Beat(msgspec.Struct, frozen=True):
    """One piece of the work."""

    at: float
    """When it began, by the machine's monotonic clock."""
    seconds: float
    """Of the processor: what it took for somebody else is no sign of a slow machine."""


class Pace:
    """What the beats say of each moment."""

    def __init__(self, beats: Sequence[Beat]) -> None:
        usual = statistics.median(each.seconds for each in beats)
        self._slow = sorted(each.at for each in beats if each.seconds > SLOW * usual)

    def was_usual(self, moment: float) -> bool:
        """Whether the machine was as fast as usual then, and had been for a while."""
        before, after = AROUND
        found = bisect_right(self._slow, moment + before)
        return not found or self._slow[found - 1] < moment - after


def _beat() -> None:
    """Until standard input ends, for about a hundredth of a core's time."""
    found: list[Beat] = []
    print(flush=True)
    while not select.select([sys.stdin], [], [], EVERY)[0]:
        began, used = time.monotonic(), time.thread_time()
        for _ in range(WORK):
            pass
        found.append(Beat(began, time.thread_time() - used))
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    _beat()
