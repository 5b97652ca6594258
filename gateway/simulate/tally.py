"""Count what became of the posts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

_OK: Final = range(200, 300)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the sending of one event ended."""

    status: int | None
    """The last answer; None when there was none."""
    result: str = ""
    """What the gateway said: accepted or duplicate; empty where something else answered."""
    id: str | None = None
    """The event's number in the gateway."""
    detail: str = ""
    """Why it was refused, or why there was no answer."""
    attempts: int = 1
    seconds: float = 0.0
    """From the last attempt's beginning to its answer."""
    expected: int | None = None
    """The status that is right, where it is not 2xx."""
    is_lost: bool = False
    """A redirect was followed without the body: Evolution takes that for delivered."""

    @property
    def is_ok(self) -> bool:
        """The event has arrived."""
        if self.expected is not None:
            return self.status == self.expected
        return self.status in _OK and not self.is_lost


class Tally:
    """All outcomes of one run, in numbers."""

    def __init__(self) -> None:
        self.sent = 0
        self.accepted = 0
        self.duplicates = 0
        self.retried = 0
        self.unanswered = 0
        self.lost = 0
        self.spoilt = 0
        """Spoilt on purpose, and refused as they should be."""
        self.refused: Counter[int] = Counter()
        self.last: Outcome | None = None
        self.first_bad: Outcome | None = None
        self._seconds: list[float] = []

    @property
    def is_ok(self) -> bool:
        """Every event has arrived."""
        return self.first_bad is None

    def add(self, outcome: Outcome) -> None:
        """Count one event."""
        self.sent += 1
        self.retried += outcome.attempts - 1
        self.last = outcome
        if outcome.status is not None:
            self._seconds.append(outcome.seconds)
        if outcome.is_ok and outcome.expected is not None:
            self.spoilt += 1
            return
        if outcome.is_ok:
            self.duplicates += outcome.result == "duplicate"
            self.accepted += outcome.result != "duplicate"
            return
        self.first_bad = self.first_bad or outcome
        if outcome.status is None:
            self.unanswered += 1
        elif outcome.is_lost:
            self.lost += 1
        else:
            self.refused[outcome.status] += 1

    def latency(self) -> dict[str, float]:
        """Milliseconds that answers took: p50, p95, p99; nothing without an answer."""
        ordered = sorted(self._seconds)
        if not ordered:
            return {}
        return {f"p{part}": round(percentile(ordered, part) * 1000, 2) for part in (50, 95, 99)}

    def view(self, seconds: float) -> dict[str, Any]:
        """The whole count as JSON values; `seconds` is what the run took."""
        return {
            "ok": self.is_ok,
            "sent": self.sent,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "refused": self.refused.total(),
            "statuses": {str(status): number for status, number in sorted(self.refused.items())},
            "spoilt": self.spoilt,
            "lost": self.lost,
            "unanswered": self.unanswered,
            "retried": self.retried,
            "latency_ms": self.latency(),
            "seconds": round(seconds, 3),
            "detail": self.first_bad.detail if self.first_bad else None,
        }


def percentile(ordered: Sequence[float], part: int) -> float:
    """The smallest value that `part` per cent of all values do not exceed."""
    return ordered[max(0, -(-len(ordered) * part // 100) - 1)]
