"""`kill -9` of receiver and worker, again and again, while events come in."""

import asyncio
import random
from functools import partial

import msgspec
import pytest

from tests.support.bodies import messages
from tests.support.damage import first_pair_in_a_lane, swapped, without_row
from tests.support.evidence import Evidence, complaints, repeated
from tests.support.gateway import Gateway
from tests.support.sender import Sender
from tests.support.waiting import until

POSTS = 2_000
CHATS = 40
KILLS = 3  # of each process
PLUGINS = ("fast", "slow")


@pytest.fixture
def two_plugins(gateway: Gateway) -> None:
    """Both record every call; one is always in the middle of something, and both queue a message."""
    gateway.plugin(
        "fast",
        """
        @plugin.on(MessagesUpsert)
        async def note(event, ctx):
            record(ctx)
            ctx.reply("seen")
        """,
    )
    gateway.plugin(
        "slow",
        """
        import asyncio

        @plugin.on(MessagesUpsert)
        async def note(event, ctx):
            record(ctx)
            ctx.reply("on it")
            await asyncio.sleep(0.02)
            ctx.reply("done")
        """,
    )


@pytest.mark.usefixtures("two_plugins")
async def test_kill_9_of_receiver_and_worker_loses_nothing_acknowledged(gateway: Gateway) -> None:
    await gateway.start()
    sender = gateway.sender(connections=16)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sender.post_all(messages(POSTS, chats=CHATS)))
        tasks.create_task(kill_receiver(gateway, sender))
        tasks.create_task(kill_worker(gateway))
    await gateway.settled(within=60)

    evidence = gather(gateway, sender)
    assert len(evidence.acknowledged) == POSTS
    assert complaints(evidence) == []
    assert sender.unanswered > 0, "no kill hit a request"
    assert repeated(evidence.records), "no kill hit a handler"
    assert {answer.status for answer in sender.refused} <= {503}
    queued = sorted((row.seq, row.plugin, row.n) for row in gateway.outbox())
    assert queued == sorted(
        (seq, plugin, n) for seq in evidence.journal for plugin, n in (("fast", 1), ("slow", 1), ("slow", 2))
    )


@pytest.mark.usefixtures("two_plugins")
async def test_the_checker_sees_a_lost_row_a_lost_call_and_a_swapped_pair(gateway: Gateway) -> None:
    await gateway.start()
    sender = gateway.sender()
    await sender.post_all(messages(60, chats=3))
    await gateway.settled()

    good = gather(gateway, sender)
    lost = 7
    one, other = first_pair_in_a_lane(good)
    halved = msgspec.structs.replace(good.deliveries[0], status="running")

    assert complaints(good) == []
    assert f"{lost} was acknowledged and is not in the journal" in complaints(
        change(good, journal=without_row(gateway, lost))
    )
    assert complaints(change(good, records=good.records[1:])) == [
        f"{good.records[0].plugin} never saw {good.records[0].seq}"
    ]
    assert complaints(change(good, records=swapped(good.records, one, other)))[0].startswith(
        f"{good.records[one].plugin} saw {good.records[one].seq} after {good.records[other].seq}"
    )
    assert len(complaints(change(good, deliveries=[halved, *good.deliveries[1:]]))) == 1
    assert len(complaints(change(good, deliveries=[*good.deliveries, good.deliveries[0]]))) == 1


async def test_the_same_kill_finds_a_gateway_that_answers_before_it_has_stored(gateway: Gateway) -> None:
    gateway.recorder("fast")
    gateway.recorder("slow")
    gateway.sabotage = "answer_before_commit"
    await gateway.start()
    sender = gateway.sender()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(sender.post_all(messages(400, chats=4)))
        await until(partial(has_reached, sender, 200), "200 are acknowledged")
        await gateway.kill()
        gateway.sabotage = ""
        await gateway.start()
    await gateway.settled()

    assert any("was acknowledged" in complaint for complaint in complaints(gather(gateway, sender)))


async def kill_receiver(gateway: Gateway, sender: Sender) -> None:
    """Kill the receiver, once together with its worker, at random points of the sender's progress."""
    moments = sorted(random.sample(range(POSTS // 20, POSTS * 9 // 10), KILLS))
    (with_worker,) = random.sample(moments, 1)
    print("receiver killed at", moments, "with its worker at", with_worker)  # noqa: T201 -- to try the same again
    for moment in moments:
        await until(partial(has_reached, sender, moment), f"{moment} are acknowledged")
        if moment == with_worker:
            await gateway.kill_worker()
        await gateway.kill()
        gateway.spawn()


async def kill_worker(gateway: Gateway) -> None:
    """Kill the worker while its handlers run, each time after a random number of further calls."""
    steps = random.sample(range(20, 300), KILLS)
    print("worker killed after so many calls:", steps)  # noqa: T201 -- to try the same again
    for step in steps:
        calls = len(gateway.records) + step
        await until(partial(has_run, gateway, calls), f"{calls} calls")
        await gateway.kill_worker()


def has_run(gateway: Gateway, calls: int) -> bool:
    return len(gateway.records) >= calls


def has_reached(sender: Sender, moment: int) -> bool:
    return len(sender.acknowledged) >= moment


def gather(gateway: Gateway, sender: Sender) -> Evidence:
    return Evidence(
        acknowledged={body: answer.id for body, answer in sender.acknowledged.items()},
        journal=gateway.events(),
        records=gateway.records,
        deliveries=gateway.deliveries(),
        plugins=PLUGINS,
    )


def change(evidence: Evidence, **changes: object) -> Evidence:
    return msgspec.structs.replace(evidence, **changes)
