"""Which delivery of one plugin may start now: strictly in order within a lane, in parallel across lanes.

No I/O and no clock: the engine hands in what came and what ended, and asks.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Collection
from typing import Literal

from gateway.work import Delivery

Order = Literal["lane", "none"]


class Lanes:
    """One plugin's deliveries that have not ended, by lane. A lane is open, running, or closed until a time."""

    def __init__(self, order: Order = "lane") -> None:
        self._order = order
        self._lanes: dict[str, deque[Delivery]] = {}
        self._open: OrderedDict[str, None] = OrderedDict()
        self._running: dict[int, Delivery] = {}
        self._closed: list[tuple[float, str]] = []
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Deliveries that have not started, those of closed lanes included."""
        return self._waiting

    @property
    def open(self) -> int:
        """Lanes whose first delivery may start now."""
        return len(self._open)

    @property
    def running(self) -> int:
        """Deliveries whose attempt is under way."""
        return len(self._running)

    def in_flight(self) -> list[Delivery]:
        """The deliveries whose attempt is under way."""
        return list(self._running.values())

    def add(self, delivery: Delivery) -> None:
        """Put a delivery at the end of its lane. Deliveries come in the order of their events."""
        name = self._name(delivery)
        lane = self._lanes.setdefault(name, deque())
        lane.append(delivery)
        self._waiting += 1
        if len(lane) == 1:
            self._reopen(name, delivery.due)

    def start(self, limit: int, now: float) -> list[Delivery]:
        """Up to `limit` deliveries that may start now, each the first of its lane; they count as running."""
        self._open_due(now)
        return [self._begin(self._open.popitem(last=False)[0]) for _ in range(min(limit, len(self._open)))]

    def start_one(self, delivery: Delivery, now: float) -> bool:
        """Start this very delivery, if it is the first of an open lane."""
        self._open_due(now)
        name = self._name(delivery)
        if name not in self._open or self._lanes[name][0] is not delivery:
            return False
        del self._open[name]
        self._begin(name)
        return True

    def oldest(self, now: float, besides: Collection[int] = ()) -> Delivery | None:
        """Of the deliveries that may start now the one that came first, `besides` some."""
        self._open_due(now)
        heads = (self._lanes[name][0] for name in self._open)
        return min((each for each in heads if each.id not in besides), key=lambda each: each.id, default=None)

    def take_out(self, delivery: Delivery) -> None:
        """A delivery that waits is settled without a start, wherever in its lane it stands."""
        name = self._name(delivery)
        lane = self._lanes[name]
        is_first = lane[0] is delivery
        lane.remove(delivery)
        self._waiting -= 1
        if is_first:
            self._open.pop(name, None)
            self._closed = [each for each in self._closed if each[1] != name]
            heapq.heapify(self._closed)
            self._go_on(name)

    def end(self, delivery: Delivery) -> None:
        """The delivery is settled for good: its lane goes on."""
        name = self._name(delivery)
        self._running.pop(delivery.id)
        self._lanes[name].popleft()
        self._go_on(name)

    def retry(self, delivery: Delivery) -> None:
        """The attempt failed: the delivery stays first, and its lane is closed until `delivery.due`."""
        self._running.pop(delivery.id)
        self._waiting += 1
        self._reopen(self._name(delivery), delivery.due)

    def next_due(self) -> float | None:
        """Unix seconds at which the next closed lane opens; None when none is closed."""
        return self._closed[0][0] if self._closed else None

    def _name(self, delivery: Delivery) -> str:
        return delivery.lane if self._order == "lane" else str(delivery.id)

    def _go_on(self, name: str) -> None:
        lane = self._lanes[name]
        if lane:
            self._reopen(name, lane[0].due)
        else:
            del self._lanes[name]

    def _reopen(self, name: str, due: float) -> None:
        if due:
            heapq.heappush(self._closed, (due, name))
        else:
            self._open[name] = None

    def _open_due(self, now: float) -> None:
        while self._closed and self._closed[0][0] <= now:
            self._open[heapq.heappop(self._closed)[1]] = None

    def _begin(self, name: str) -> Delivery:
        delivery = self._lanes[name][0]
        self._running[delivery.id] = delivery
        self._waiting -= 1
        return delivery
