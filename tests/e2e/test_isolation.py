"""A plugin that blocks its thread or kills its process disturbs nobody but itself."""

import asyncio
import statistics
from collections.abc import Iterable

import pytest

from tests.support.bodies import message, messages
from tests.support.evidence import repeated
from tests.support.gateway import Gateway
from tests.support.records import Record
from tests.support.sender import Answer
from tests.support.waiting import until

POSTS = 500
RELEASE = "release"
POISON = message(999_999, "poison", chat=77)

BLOCKERS = {
    "time.sleep": "time.sleep(0.05)",
    "busy loop": "sum(range(20_000))",
}
"""What a handler may do over and over without ever awaiting, until the test lets it go."""


@pytest.mark.parametrize("blocker", BLOCKERS)
async def test_a_handler_that_blocks_holds_up_its_own_plugin_alone(gateway: Gateway, blocker: str) -> None:
    gateway.recorder("good")
    gateway.plugin(
        "bad",
        f"""
        import os
        import time

        @plugin.message(f.text("poison"))
        async def block(event, ctx):
            record(ctx, "begun")
            until = time.monotonic() + 60
            while not os.path.exists({RELEASE!r}) and time.monotonic() < until:
                {BLOCKERS[blocker]}
            record(ctx, "released")

        @plugin.message()
        async def note(event, ctx):
            record(ctx)
        """,
    )
    await gateway.start()
    before = await post_all(gateway, first=0)
    await gateway.settled()

    await gateway.accept(POISON)
    await until(lambda: stages(gateway.records, "begun"), "the handler blocks")
    during = await post_all(gateway, first=POSTS)
    await until(lambda: len(stages(gateway.records, "ran", "good")) == 2 * POSTS + 1, "the other plugin has seen all")

    assert stages(gateway.records, "released") == []
    assert len(stages(gateway.records, "ran", "bad")) == POSTS
    compare(blocker, before, during)

    (gateway.folder / RELEASE).touch()
    await gateway.settled()

    assert len(stages(gateway.records, "released")) == 1
    assert len(stages(gateway.records, "ran", "bad")) == 2 * POSTS
    assert repeated(gateway.records) == [("bad", 501)]  # begun and released
    assert gateway.logged("worker_died") == []


async def test_a_handler_that_ends_the_process_loses_only_its_own_delivery(gateway: Gateway) -> None:
    gateway.recorder("good")
    gateway.plugin(
        "bad",
        """
        import os

        @plugin.message(f.text("poison"))
        async def die(event, ctx):
            record(ctx, "dying")
            os._exit(1)

        @plugin.message()
        async def note(event, ctx):
            record(ctx)
        """,
    )
    await gateway.start()
    before = await post_all(gateway, first=0)
    await gateway.settled()

    poison = await gateway.accept(POISON)
    during = await post_all(gateway, first=POSTS)
    await gateway.settled(within=60)

    compare("os._exit", before, during)
    statuses = {(row.plugin, row.seq): row.status for row in gateway.deliveries()}
    assert len(statuses) == 2 * (2 * POSTS + 1)
    assert [key for key, status in statuses.items() if status != "done"] == [("bad", poison)]
    assert statuses["bad", poison] == "dead"
    assert {record.seq for record in stages(gateway.records, "ran", "good")} == gateway.events().keys()
    assert {record.seq for record in stages(gateway.records, "ran", "bad")} == gateway.events().keys() - {poison}

    (letter,) = (await gateway.api("/api/dead"))["dead"]
    assert letter["event_id"] == str(poison)
    assert letter["story"]["plugin"] == "bad"
    assert "died 3 times while this delivery ran alone" in letter["story"]["error"]
    deaths = len(stages(gateway.records, "dying"))
    assert deaths == len(gateway.logged("worker_died"))
    assert deaths in (3, 4)  # the first one counts only if nothing else was running


async def post_all(gateway: Gateway, *, first: int) -> list[Answer]:
    """Post 500 messages; each must be accepted, in one try."""
    sender = gateway.sender(connections=8)
    async with asyncio.timeout(30):
        await sender.post_all(messages(POSTS, first=first, chats=25), insist=False)
    assert [answer.status for answer in sender.acknowledged.values()] == [202] * POSTS
    return list(sender.acknowledged.values())


def stages(records: Iterable[Record], stage: str, plugin: str = "bad") -> list[Record]:
    return [record for record in records if (record.stage, record.plugin) == (stage, plugin)]


def compare(what: str, before: list[Answer], during: list[Answer]) -> None:
    """Print how long acknowledging took, and allow for a busy machine."""
    (usual, usual_p95), (now, now_p95) = quantiles(before), quantiles(during)
    print(f"{what}: median {usual:.1f} -> {now:.1f} ms, p95 {usual_p95:.1f} -> {now_p95:.1f} ms")  # noqa: T201
    assert now < 5 * usual + 50


def quantiles(answers: list[Answer]) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    millis = [answer.seconds * 1000 for answer in answers]
    return statistics.median(millis), statistics.quantiles(millis, n=20)[-1]
