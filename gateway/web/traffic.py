"""Count what the receiver answers, for the metrics and the log."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway import names

_ADDRESSES: Final = 10_000  # addresses whose refusals are counted apart; beyond that the counts begin anew
_LOST: Final = {400: "no JSON object (see below).", 401: "no valid credential."}
_SHOWN: Final = 5  # addresses named on the page
_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Traffic:
    """The receiver's counters. Label values come from our own lists, so no sender can make new series."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "gateway_events", "Events answered 2xx, by outcome.", ["event", "outcome"], registry=registry
        )
        self._count_of = cache(self._events.labels)
        self._refused = Counter("gateway_refused", "Requests not answered 2xx.", ["status"], registry=registry)
        self._seconds = Seconds("gateway_accept_seconds", "From request to answer.")
        registry.register(self._seconds)
        self._by_sender: Tally[tuple[int, str | None]] = Tally()

    def stored(self, posts: Iterable[tuple[str, bool]]) -> None:
        """Events were stored, or found stored: the name of each, and whether it was a repeat.

        All of one commit at once, for each step here takes a lock; the same goes for `took`.
        """
        for (event, repeat), count in Tally(posts).items():
            label = event if event in names.EVENTS else "unknown"
            self._count_of(label, "duplicate" if repeat else "accepted").inc(count)

    def took(self, seconds: Sequence[float]) -> None:
        """So long it was from their requests to their answers."""
        self._seconds.observe(seconds)

    def refused(self, status: int, sender: str | None) -> int:
        """A request was refused; gives how often this sender was refused so."""
        self._refused.labels(str(status)).inc()
        if len(self._by_sender) > _ADDRESSES:
            self._by_sender.clear()
        self._by_sender[status, sender] += 1
        return self._by_sender[status, sender]

    def problems(self) -> list[str]:
        """What a person should know of refused posts: Evolution gives them up at once. One sentence an address."""
        found = [(count, status, sender) for (status, sender), count in self._by_sender.items() if status in _LOST]
        return [
            f"{count} post{'' if count == 1 else 's'} from {sender or 'an unknown address'} answered {status}: "
            f"{_LOST[status]} Evolution does not try again."
            for count, status, sender in sorted(found, key=lambda each: -each[0])[:_SHOWN]
        ]


class Seconds(Collector):
    """A histogram that takes many values at once."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._counts = [0] * (len(_BUCKETS) + 1)
        self._sum = 0.0

    def observe(self, values: Sequence[float]) -> None:
        """Count them."""
        for value in values:
            self._counts[bisect_left(_BUCKETS, value)] += 1
        self._sum += sum(values)

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        bounds = [*map(floatToGoString, _BUCKETS), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self._counts)), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets=buckets, sum_value=self._sum)
