"""Keep receiver and worker on different cores while the receiver is busy.

Two busy processes on two cores take each other's all the time, a receiver's in the middle of a batch for which many
senders wait: apart it accepts a fifth more. At rest both run wherever the system puts them, for a core that somebody
else needs would be no good place to stay. Linux alone can do this.
"""

import asyncio
import contextlib
import os
import random
import time
from io import FileIO
from pathlib import Path
from typing import Final

LOOK_EVERY: Final = 0.2  # seconds
BUSY: Final = 0.5
"""Share of a core that the receiver's loop takes or waits for, from which on the two are kept apart."""
QUIET: Final = 0.25
"""The same, below which they no longer are."""
_SCHEDULED: Final = Path("/proc/self/schedstat")
"""Of the main thread: nanoseconds that it ran, and that it waited for a core."""
PATIENCE: Final = 10
"""Looks in a row at which it must be quiet for that: bursts follow each other."""


class Cores:
    """Of the receiver's process, and of those it starts and adds."""

    def __init__(self) -> None:
        self._all = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset[int]()
        self._own: frozenset[int] = frozenset()
        """The receiver's while they are apart; else none."""
        self._others: set[int] = set()
        """Processes."""
        self._is_settled = True
        """All are where they belong, as far as anybody can say."""
        self._quiet = 0
        """Looks in a row at which the receiver was quiet."""

    def add(self, process: int) -> None:
        """Another process. It was started by this one, so it is where this one was then."""
        self._others.add(process)
        self._put(process)

    def discard(self, process: int) -> None:
        """It has ended."""
        self._others.discard(process)

    async def watch(self) -> None:
        """Look at how busy this process's main thread is, until cancelled; then all may run anywhere again."""
        if len(self._all) < 2 or not (file := _open()):  # noqa: PLR2004 -- one for each
            return
        with file:
            try:
                while True:
                    began, wanted = time.monotonic(), _wanted(file)
                    await asyncio.sleep(LOOK_EVERY)
                    self.judge((_wanted(file) - wanted) / (time.monotonic() - began))
            finally:
                self._be(frozenset())

    def judge(self, busy: float) -> None:
        """Put all processes where they belong while the receiver wants such a share of a core."""
        self._quiet = self._quiet + 1 if busy < QUIET else 0
        if busy >= BUSY and not self._own:
            self._be(frozenset({random.choice(sorted(self._all))}))  # noqa: S311 -- nothing secret
        elif self._own or not self._is_settled:  # what was started meanwhile may not be where it belongs
            self._be(self._own if self._quiet < PATIENCE else frozenset())

    def _be(self, own: frozenset[int]) -> None:
        self._own, self._is_settled = own, True
        for process in (os.getpid(), *self._others):
            self._put(process)

    def _put(self, process: int) -> None:
        """All threads of a process; those it starts later go where the one is that starts them."""
        cores = self._all if not self._own else self._own if process == os.getpid() else self._all - self._own
        try:
            threads = list(Path(f"/proc/{process}/task").iterdir())
        except FileNotFoundError:  # it has ended
            return
        except OSError:  # no descriptor is left
            self._is_settled = False
            return
        for thread in threads:
            with contextlib.suppress(OSError):  # that has ended, or a sandbox lets nobody choose
                os.sched_setaffinity(int(thread.name), cores)


def _open() -> FileIO | None:
    """Kept open, for later no descriptor may be left; None where the kernel does not count."""
    try:
        return _SCHEDULED.open("rb", buffering=0)
    except OSError:
        return None


def _wanted(file: FileIO) -> float:
    """Seconds that the main thread has run or waited for a core."""
    file.seek(0)
    ran, waited, _ = map(int, file.read().split())
    return (ran + waited) / 1e9
