"""What must hold after any fault, looked for in what is on disk: nothing acknowledged is lost, nothing is out of order.

A checker that finds nothing wrong proves nothing by itself, so each of its complaints has a test that provokes it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from gateway.journal import StoredEvent
from gateway.work import DeliveryRow
from tests.support.records import Record

ENDED: Final = frozenset({"done", "skipped", "dropped", "dead"})


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known after a run."""

    acknowledged: Mapping[bytes, int]
    """The event's number in the 2xx answer, by the body posted."""
    journal: Mapping[int, StoredEvent]
    records: Sequence[Record]
    """What handlers wrote, in the order they wrote it; one line a call."""
    deliveries: Sequence[DeliveryRow]
    plugins: Sequence[str]
    """Those that subscribe to every event and record every call."""


def complaints(evidence: Evidence) -> list[str]:
    """What is wrong; nothing if all is well. A call may come twice after a kill, never out of its lane's order."""
    return [*lost(evidence), *unhandled(evidence), *unsettled(evidence), *out_of_order(evidence)]


def repeated(records: Sequence[Record]) -> list[tuple[str, int]]:
    """The plugin and number of every call beyond the first."""
    calls = Counter((record.plugin, record.seq) for record in records)
    return sorted((calls - Counter(set(calls))).elements())


def lost(evidence: Evidence) -> Iterator[str]:
    """What was acknowledged and is not there as it was posted."""
    for body, seq in evidence.acknowledged.items():
        stored = evidence.journal.get(seq)
        if stored is None:
            yield f"{seq} was acknowledged and is not in the journal"
        elif stored.body != body:
            yield f"{seq} was acknowledged and holds another body"
    damaged = [seq for seq, event in evidence.journal.items() if not event.intact]
    yield from (f"{seq} is damaged" for seq in damaged)
    if len({event.body for event in evidence.journal.values()}) < len(evidence.journal):
        yield "the journal holds a body twice"


def unhandled(evidence: Evidence) -> Iterator[str]:
    """What a plugin was never called with."""
    called = {(record.plugin, record.seq) for record in evidence.records}
    for seq in evidence.journal:
        yield from (f"{plugin} never saw {seq}" for plugin in evidence.plugins if (plugin, seq) not in called)


def unsettled(evidence: Evidence) -> Iterator[str]:
    """What does not stand in the work store exactly once, as ended."""
    rows: dict[tuple[str, int], list[str]] = defaultdict(list)
    for delivery in evidence.deliveries:
        rows[delivery.plugin, delivery.seq].append(delivery.status)
    for seq in evidence.journal:
        for plugin in evidence.plugins:
            found = rows[plugin, seq]
            if len(found) != 1 or found[0] not in ENDED:
                yield f"{seq} is {found or 'nothing'} in {plugin}"


def out_of_order(evidence: Evidence) -> Iterator[str]:
    """A call is repeated only while its lane stands still, so in a lane numbers never fall."""
    last: dict[tuple[str, str], int] = {}
    for record in evidence.records:
        event = evidence.journal.get(record.seq)
        lane = record.plugin, event.lane if event else "an event that is not in the journal"
        if record.seq < last.get(lane, 0):
            yield f"{record.plugin} saw {record.seq} after {last[lane]} in {lane[1]}"
        last[lane] = record.seq
