"""The deliveries that ran when an earlier worker died: one of them may have killed it.

They run one at a time with nothing beside them, so that the next death names the culprit.
"""

import time
from collections.abc import Mapping, Sequence

from gateway.work import Batch, Delivery, Failed, Settled
from gateway.worker.running import Running
from gateway.worker.verdict import survived


class Suspects:
    """Those that have not run alone yet, in order."""

    def __init__(self, running: Mapping[str, Running]) -> None:
        self._running = running
        self._waiting: list[Delivery] = []

    def add(self, delivery: Delivery, batch: Batch) -> None:
        """Count a death; it is tried again, or a dead letter after too many."""
        batch.failed.append(Failed(delivery=delivery.id, result="died"))
        if survived(delivery):
            self._waiting.append(delivery)
            delivery.alone = False  # this death is counted; it must not be again, should the worker die before its turn
            batch.started.append((delivery, time.time()))
            return
        self._running[delivery.plugin].lanes.take_out(delivery)
        text = f"The worker died {delivery.deaths} times while this delivery ran alone."
        batch.settle(Settled(delivery=delivery, status="dead", started=time.time(), millis=0.0, error=text))

    def pressing(self) -> Sequence[Delivery]:
        """Those that may run, so that all others have to wait for them."""
        if not self._waiting:
            return ()
        return [each for each in self._waiting if not self._running[each.plugin].is_held]

    def start(self, now: float) -> list[Delivery]:
        """The next one, once nothing else runs."""
        if any(each.lanes.running for each in self._running.values()):
            return []
        for suspect in self.pressing():
            if self._running[suspect.plugin].lanes.start_one(suspect, now):
                suspect.alone = True
                return [suspect]
            # Another stands before it in its lane, for `order` was changed: it takes its turn like any other.
            self._waiting.remove(suspect)
        return []

    def clear(self, delivery: Delivery) -> None:
        """It has run and ended, so it is none any more."""
        if self._waiting:
            self._waiting = [each for each in self._waiting if each is not delivery]
