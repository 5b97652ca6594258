"""Count how attempts end, for the page: by plugin and, of failures, by minute.

Kept as a fact, so that it goes on over restarts. Written with the commits that happen anyway, once a second at most;
what a killed worker has counted since is forgotten.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from gateway.worker.effects import last_line
from gateway.worker.verdict import Ended

WRITE_EVERY: Final = 1.0
"""Seconds."""
RECENT: Final = 1000
"""Attempts of one plugin that its latency is told from."""
MINUTES: Final = 60
"""Minutes of failures kept."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The last attempt of a plugin that failed."""

    at: float
    """Unix seconds."""
    event_id: str
    handler: str | None
    error: str
    """Its last line."""


class Tally(msgspec.Struct, kw_only=True):
    """How one plugin's attempts have ended."""

    since: float
    """Unix seconds from which on they were counted."""
    done: int = 0
    skipped: int = 0
    dropped: int = 0
    failed: int = 0
    """Attempts; those that asked for another are not among them."""
    p50: float | None = None
    p95: float | None = None
    """Milliseconds that a handler took, in half of its last attempts and in 95 of 100."""
    attempts: int = 0
    """So many attempts tell that."""
    last_failure: Failure | None = None


class Kept(msgspec.Struct, kw_only=True):
    """What is on disk."""

    plugins: dict[str, Tally] = {}
    failed: dict[int, int] = {}
    """By minute since 1970: attempts that failed."""


class Stats:
    """The engine notes every attempt's end."""

    def __init__(self, kept: object, clock: Callable[[], float] = time.time) -> None:
        """`kept`: the fact that an earlier worker wrote; None without one."""
        self._kept = msgspec.convert(kept or {}, Kept, strict=False)
        self._clock = clock
        self._recent: defaultdict[str, deque[float]] = defaultdict(partial(deque, maxlen=RECENT))
        self.has_news = False
        """Something is counted that is not written yet."""
        self._written = 0.0

    def note(self, ended: Ended) -> None:
        """An attempt has ended."""
        name = ended.delivery.plugin
        tally = self._kept.plugins.get(name) or self._kept.plugins.setdefault(name, Tally(since=self._clock()))
        self.has_news = True
        match ended.result:
            case "done":
                tally.done += 1
            case "skipped" | "dropped":
                setattr(tally, ended.result, getattr(tally, ended.result) + 1)
            case "failed" | "stuck":
                self._note_failure(tally, ended)
        if ended.handler:
            self._recent[name].append(ended.millis)

    def fact(self, *, now: bool = False) -> Mapping[str, Any] | None:
        """What is to be written; None while there is nothing new, or it was written just `now`."""
        moment = time.monotonic()
        if not self.has_news or (moment - self._written < WRITE_EVERY and not now):
            return None
        self.has_news, self._written = False, moment
        for name, millis in self._recent.items():
            ordered, tally = sorted(millis), self._kept.plugins[name]
            tally.attempts = len(ordered)
            tally.p50, tally.p95 = (round(ordered[int(part * (len(ordered) - 1))], 3) for part in (0.5, 0.95))
        oldest = int(self._clock() // 60) - MINUTES
        self._kept.failed = {minute: count for minute, count in self._kept.failed.items() if minute > oldest}
        found: Mapping[str, Any] = msgspec.to_builtins(self._kept, str_keys=True)
        return found

    def _note_failure(self, tally: Tally, ended: Ended) -> None:
        tally.failed += 1
        minute = int(self._clock() // 60)
        self._kept.failed[minute] = self._kept.failed.get(minute, 0) + 1
        tally.last_failure = Failure(
            at=ended.started,
            event_id=str(ended.delivery.seq),
            handler=ended.handler,
            error=last_line(ended.error or ""),
        )
