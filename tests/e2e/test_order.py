"""Within a chat one after the other, as they came; chats beside each other."""

from collections.abc import Sequence
from itertools import pairwise

from tests.support.bodies import messages
from tests.support.evidence import Evidence, complaints, repeated
from tests.support.gateway import Gateway
from tests.support.records import Record

POSTS = 200
CHATS = 10


async def test_a_chat_is_handled_in_order_and_chats_in_parallel(gateway: Gateway) -> None:
    gateway.plugin(
        "uneven",
        """
        import asyncio
        import random

        @plugin.message()
        async def work(event, ctx):
            record(ctx, "begun")
            await asyncio.sleep(random.uniform(0, 0.03))
            record(ctx, "ended")
        """,
    )
    await gateway.start()
    sender = gateway.sender()

    await sender.post_all(messages(POSTS, chats=CHATS))
    await gateway.settled()

    evidence = Evidence(
        acknowledged={body: answer.id for body, answer in sender.acknowledged.items()},
        journal=gateway.events(),
        records=gateway.records,
        deliveries=gateway.deliveries(),
        plugins=["uneven"],
    )
    assert len({event.lane for event in evidence.journal.values()}) == CHATS
    assert complaints(evidence) == []
    assert repeated([record for record in evidence.records if record.stage == "begun"]) == []
    lanes = by_lane(evidence)
    assert [lane for lane, records in lanes.items() if overlaps(records)] == []
    assert most_at_once(evidence.records) == CHATS

    # What a gateway without lanes would have written is found by the same look.
    shuffled = [record for stage in ("begun", "ended") for record in lanes.popitem()[1] if record.stage == stage]
    assert overlaps(shuffled)


def by_lane(evidence: Evidence) -> dict[str, list[Record]]:
    lanes: dict[str, list[Record]] = {}
    for record in evidence.records:
        lanes.setdefault(evidence.journal[record.seq].lane, []).append(record)
    return lanes


def overlaps(records: Sequence[Record]) -> bool:
    """Whether a call of one lane begins before the one before it has ended."""
    return any(one.stage == other.stage for one, other in pairwise(records))


def most_at_once(records: Sequence[Record]) -> int:
    """How many calls ran beside each other at most."""
    running = most = 0
    for record in records:
        running += 1 if record.stage == "begun" else -1
        most = max(most, running)
    return most
