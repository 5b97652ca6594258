"""What an ended attempt means for its delivery: done with, tried again later, or a dead letter.

A decision is a value, so that the rules are tested without running anything.
"""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from gateway.plugins import Send
from gateway.plugins.state import StateChange
from gateway.work import Delivery, Failed
from gateway.work.batch import WELL, Status

MAX_DEATHS: Final = 3
"""Times the worker may die while a delivery runs alone, until it is a dead letter."""

Result = Literal["done", "skipped", "dropped", "failed", "stuck", "retry", "dead"]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, as it ended in the plugin's thread."""

    delivery: Delivery
    result: Result
    """`stuck`: nothing could stop it. `retry`: the handler asked for it. `dead`: no attempt could help."""
    started: float
    """Unix seconds."""
    millis: float
    handler: str | None = None
    """Name of the handler that matched."""
    error: str | None = None
    """What went wrong, for a person; redacted."""
    after: float | None = None
    """Seconds the handler asked to wait."""
    sends: tuple[Send, ...] = ()
    answered: float | None = None
    """Unix seconds at which its event was accepted, if anything of `sends` goes to that event's own chat."""
    changes: tuple[StateChange, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Nothing comes of it that anybody waits for."""
        return self.result in WELL and not (self.sends or self.changes)


def failed_attempt(ended: Ended) -> list[Failed]:
    """What the delivery's history keeps of an attempt: nothing, where it was the last one needed."""
    if ended.result not in ("failed", "stuck", "retry"):
        return []
    return [
        Failed(
            delivery=ended.delivery.id,
            result=ended.result,
            started=ended.started,
            millis=ended.millis,
            handler=ended.handler,
            error=ended.error,
        )
    ]


def backoff(failures: int, delays: Sequence[float]) -> float | None:
    """Seconds to wait after so many failures; None when the delivery becomes a dead letter."""
    return delays[failures - 1] if failures <= len(delays) else None


def judge(ended: Ended, delays: Sequence[float], now: float) -> Status:
    """Decide, and note on the delivery what it counts as and when it is due. `waiting` means it is tried again then."""
    delivery = ended.delivery
    delivery.alone = False
    wait: float | None
    match ended.result:
        case "retry":
            delivery.retries += 1
            wait = _asked(ended.after, delivery.retries, delays)
        case "failed" | "stuck":
            delivery.failures += 1
            wait = backoff(delivery.failures, delays)
        case _:
            return ended.result
    if wait is None:
        return "dead"
    delivery.due = now + wait
    return "waiting"


def _asked(after: float | None, retries: int, delays: Sequence[float]) -> float:
    """Seconds to wait where the handler asked for another attempt: there is always one."""
    if after is not None:
        return after
    return delays[min(retries, len(delays)) - 1] if delays else 0.0


def survived(delivery: Delivery) -> bool:
    """The worker died during this attempt. May it be tried again? It counts only if nothing else was running."""
    delivery.deaths += delivery.alone
    return delivery.deaths < MAX_DEATHS
