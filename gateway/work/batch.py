"""What one commit writes, and a delivery as it stands in `work.db`.

Apart from the store, because the engine makes these and the store only writes them down.
"""

from operator import attrgetter
from typing import Final, Literal

import msgspec

from gateway.plugins.state import StateChange
from gateway.work.attempts import Failed
from gateway.work.controls import Progress
from gateway.work.outbox import Message, Sent

Status = Literal["waiting", "running", "done", "skipped", "dropped", "dead"]
WELL: Final = frozenset({"done", "skipped"})
"""How a delivery, or an attempt, ends well."""


class Delivery(msgspec.Struct, kw_only=True):
    """One event on its way to one plugin, as it stands in `work.db`. The engine is its only owner."""

    id: int
    seq: int
    plugin: str
    lane: str
    run: int = 0
    """0: as it came. Each replay is a new run."""
    alone: bool = False
    """Runs while nothing else does, because the worker died when it last ran."""
    failures: int = 0
    """Attempts that raised; a `Retry` counts apart, for it was the handler's wish."""
    retries: int = 0
    deaths: int = 0
    due: float = 0.0
    """Unix seconds before which it is not tried again."""
    control: int = 0
    """The replay or retry that last asked for it; 0: nobody did."""

    @property
    def is_again(self) -> bool:
        """Somebody asked for it again, so it stands behind everything that came as it comes."""
        return self.control > 0

    @property
    def is_new(self) -> bool:
        """It came as it comes, and was never tried."""
        return self.attempt == 1 and not (self.alone or self.run or self.control)

    @property
    def attempt(self) -> int:
        """The number of the next or running attempt, from 1."""
        return 1 + self.failures + self.retries + self.deaths


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended."""

    delivery: Delivery
    status: Status
    started: float
    millis: float
    handler: str | None = None
    error: str | None = None
    messages: tuple[Message, ...] = ()
    changes: tuple[StateChange, ...] = ()
    alone: bool = False
    """Nothing else ran, for the worker had died; nor may it before this is on disk, for the next death is not its."""

    @property
    def is_quiet(self) -> bool:
        """It ended well, and nobody waits for what came of it."""
        return self.status in WELL and not (self.alone or self.messages or self.changes)


class Batch(msgspec.Struct, kw_only=True):
    """Everything one commit writes."""

    taken: list[Delivery] = msgspec.field(default_factory=list)
    """New deliveries, waiting."""
    positions: dict[str, tuple[str, int]] = msgspec.field(default_factory=dict)
    """By plugin: the journal's generation and the number up to which events were taken up."""
    settled: list[Settled] = msgspec.field(default_factory=list)
    failed: list[Failed] = msgspec.field(default_factory=list)
    """Attempts that came to nothing, whatever that means for their delivery."""
    started: list[tuple[Delivery, float]] = msgspec.field(default_factory=list)
    """Deliveries whose attempt begins once this is on disk (or which are to be taken for running), and when."""
    begun: dict[int, tuple[Delivery, float]] = msgspec.field(default_factory=dict)
    """Those whose attempt has begun already, and was noted (see `gateway.work.begun`), by id."""
    outbox: list[Sent] = msgspec.field(default_factory=list)
    requeued: list[Message] = msgspec.field(default_factory=list)
    """Dead messages that somebody wants sent all the same."""
    facts: dict[str, object] = msgspec.field(default_factory=dict)
    controls: list[Progress] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        """There is something to write."""
        return any(_ALL(self))

    @property
    def may_be_lost(self) -> bool:
        """It only takes events up and begins attempts: after a power cut all that is done again from the journal."""
        return not any(_LASTING(self))

    @property
    def is_quiet(self) -> bool:
        """It takes events up, begins attempts, says which ended well; nobody waits for what came of those."""
        return not any(_URGENT(self)) and all(each.is_quiet for each in self.settled)

    def settle(self, settled: Settled) -> None:
        """An attempt has ended, or did not begin after all."""
        self.begun.pop(settled.delivery.id, None)
        self.started = [each for each in self.started if each[0] is not settled.delivery]
        self.settled.append(settled)

    def begin(self) -> None:
        """What it starts has begun."""
        self.begun |= {delivery.id: (delivery, at) for delivery, at in self.started}
        self.started = []


def _all_but(*names: str) -> "attrgetter[tuple[object, ...]]":
    return attrgetter(*(name for name in Batch.__struct_fields__ if name not in names))


_ALL: Final = _all_but()
_LASTING: Final = _all_but("taken", "positions", "started", "begun")
_URGENT: Final = _all_but("taken", "positions", "started", "begun", "settled")
