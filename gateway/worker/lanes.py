"""Which delivery of one plugin may start now: strictly in order within a lane, in parallel across lanes.

What came as it comes goes first, everywhere: a delivery that was asked for again is behind it, at the end of its lane.
No I/O and no clock: the engine hands in what came and what ended, and asks.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Collection

from gateway.config.settings import Order
from gateway.work import Delivery


class _Lane:
    """What waits in one lane, in two queues: as it came, and asked for again."""

    __slots__ = ("again", "came", "name", "running", "shown")

    def __init__(self, name: str) -> None:
        self.name = name
        self.came: deque[Delivery] = deque()
        self.again: deque[Delivery] = deque()
        self.running: Delivery | None = None
        self.shown: Delivery | None = None
        """The one that the lane is open for, or closed until it is due."""

    def of(self, delivery: Delivery) -> deque[Delivery]:
        return self.again if delivery.is_again else self.came


class Lanes:
    """One plugin's deliveries that have not ended, by lane. A lane is open, running, or closed until a time."""

    def __init__(self, order: Order = "lane") -> None:
        self._order = order
        self._lanes: dict[str, _Lane] = {}
        self._open: tuple[OrderedDict[str, _Lane], OrderedDict[str, _Lane]] = OrderedDict(), OrderedDict()
        """By whether their first delivery was asked for again."""
        self._running: dict[int, _Lane] = {}
        """By the delivery whose attempt is under way."""
        self._closed: list[tuple[float, str, int]] = []
        """When, which lane, and for which delivery; what no longer holds is passed over."""
        self._waiting = [0, 0]

    @property
    def waiting(self) -> int:
        """Deliveries that have not started, those of closed lanes included."""
        return sum(self._waiting)

    @property
    def again(self) -> int:
        """How many of those that wait were asked for again."""
        return self._waiting[True]

    @property
    def open(self) -> int:
        """Lanes whose first delivery came as it comes, and may start now."""
        return len(self._open[False])

    @property
    def ready(self) -> int:
        """Lanes whose first delivery may start now."""
        return len(self._open[False]) + len(self._open[True])

    @property
    def running(self) -> int:
        """Deliveries whose attempt is under way."""
        return len(self._running)

    def in_flight(self) -> list[Delivery]:
        """The deliveries whose attempt is under way."""
        return [lane.running for lane in self._running.values() if lane.running]

    def add(self, delivery: Delivery) -> None:
        """Put a delivery at the end of its lane. Deliveries come in the order of their events."""
        name = self._name(delivery)
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = _Lane(name)
        lane.of(delivery).append(delivery)
        self._waiting[delivery.is_again] += 1
        if not lane.running and (lane.shown is None or lane.shown.is_again):
            self._show(lane)

    def start(self, limit: int, now: float, again: int | None = None) -> list[Delivery]:
        """Up to `limit` deliveries that may start now, each the first of its lane; they count as running.

        Those that were asked for again come last, and so that not more than `again` of them run.
        """
        self._open_due(now)
        started = self._start(limit, again=False)
        room = limit - len(started)
        if again is not None and self._open[True]:
            room = min(room, again - sum(each.is_again for each in self.in_flight()))
        return started + self._start(room, again=True)

    def start_one(self, delivery: Delivery, now: float) -> bool:
        """Start this very delivery, if its lane is not running and none of its kind stands before it there."""
        self._open_due(now)
        lane = self._lanes[self._name(delivery)]
        if lane.running or lane.of(delivery)[0] is not delivery or delivery.due > now:
            return False
        self._hide(lane)
        self._begin(lane, delivery)
        return True

    def oldest(self, now: float, besides: Collection[int] = ()) -> Delivery | None:
        """Of the deliveries that may start now the one that came first, `besides` some."""
        self._open_due(now)
        heads = (lane.shown for lanes in self._open for lane in lanes.values())
        return min((each for each in heads if each and each.id not in besides), key=lambda each: each.id, default=None)

    def take_out(self, delivery: Delivery) -> None:
        """A delivery that waits is settled without a start, wherever in its lane it stands."""
        lane = self._lanes[self._name(delivery)]
        lane.of(delivery).remove(delivery)
        self._waiting[delivery.is_again] -= 1
        self._show(lane)

    def end(self, delivery: Delivery) -> None:
        """The delivery is settled for good: its lane goes on."""
        lane = self._running.pop(delivery.id)
        lane.of(delivery).popleft()
        lane.running = None
        self._show(lane)

    def retry(self, delivery: Delivery) -> None:
        """The attempt failed: the delivery stays first of its kind, and is not tried before `delivery.due`."""
        lane = self._running.pop(delivery.id)
        self._waiting[delivery.is_again] += 1
        lane.running = None
        self._show(lane)

    def next_due(self) -> float | None:
        """Unix seconds at which the next closed lane opens; None when none is closed."""
        while self._closed and not self._holds(*self._closed[0]):
            heapq.heappop(self._closed)
        return self._closed[0][0] if self._closed else None

    def _name(self, delivery: Delivery) -> str:
        return delivery.lane if self._order == "lane" else str(delivery.id)

    def _show(self, lane: _Lane) -> None:
        """Open a lane for the delivery that is first in it now, or close it until that is due."""
        if lane.running:
            return
        queue = lane.came or lane.again
        first = queue[0] if queue else None
        if lane.shown:
            if lane.shown is first:
                return
            self._hide(lane)
        lane.shown = first
        if first is None:
            del self._lanes[lane.name]
        elif first.due:
            heapq.heappush(self._closed, (first.due, lane.name, first.id))
        else:
            self._open[first.is_again][lane.name] = lane

    def _hide(self, lane: _Lane) -> None:
        lane.shown = None
        for lanes in self._open:
            lanes.pop(lane.name, None)

    def _holds(self, due: float, name: str, number: int) -> bool:
        """Whether a lane is closed for this still."""
        shown = self._lanes[name].shown if name in self._lanes else None
        return shown is not None and (shown.id, shown.due) == (number, due) and name not in self._open[shown.is_again]

    def _open_due(self, now: float) -> None:
        while (due := self.next_due()) is not None and due <= now:
            _, name, _ = heapq.heappop(self._closed)
            lane = self._lanes[name]
            self._open[lane.shown is not None and lane.shown.is_again][name] = lane

    def _start(self, limit: int, *, again: bool) -> list[Delivery]:
        started: list[Delivery] = []
        lanes = self._open[again]
        while len(started) < limit and lanes:
            _, lane = lanes.popitem(last=False)
            if delivery := lane.shown:
                started.append(self._begin(lane, delivery))
        return started

    def _begin(self, lane: _Lane, delivery: Delivery) -> Delivery:
        lane.running, lane.shown = delivery, None
        self._running[delivery.id] = lane
        self._waiting[delivery.is_again] -= 1
        return delivery
