"""A disk with no room: nothing is acknowledged that is not stored, nothing is done twice, and it goes on by itself."""

import shutil

from tests.support.bodies import message, messages
from tests.support.damage import no_room
from tests.support.evidence import Evidence, complaints, repeated
from tests.support.gateway import Gateway
from tests.support.waiting import until

POSTS = 60
AT_ONCE = 20  # messages of as many chats; delivery.concurrency is 32


async def test_a_receiver_that_can_not_write_answers_503_and_accepts_again_once_it_can(gateway: Gateway) -> None:
    gateway.recorder()
    await gateway.start()
    bodies = messages(POSTS)
    early = await gateway.accept(message(POSTS))

    with no_room(gateway.process.pid, gateway.data / "journal.db-wal"):
        full = [await gateway.post(body) for body in bodies]
        refused = [answer for answer in full if not answer.is_acknowledgement]
        await until(lambda: len(gateway.records) == 1 + POSTS - len(refused), "what was acknowledged is handled")
    again = [await gateway.post(body) for body in bodies]
    await gateway.settled()
    await gateway.kill()
    await gateway.start()

    assert 0 < len(refused) < POSTS
    assert full[-1].status == 503
    assert {(answer.status, answer.headers.get("retry-after")) for answer in refused} == {(503, "5")}
    assert all("can't be written" in answer.json["detail"] for answer in refused)
    assert [answer.status for answer in again] == [202 if answer in refused else 200 for answer in full]
    evidence = gather(gateway, {message(POSTS): early, **{body: a.id for body, a in zip(bodies, again, strict=True)}})
    assert complaints(evidence) == []
    assert repeated(evidence.records) == []
    for body, answer in zip(bodies, full, strict=True):
        assert answer in refused or evidence.journal[answer.id].body == body


async def test_a_worker_that_can_not_settle_waits_and_does_not_run_a_handler_again(gateway: Gateway) -> None:
    gateway.plugin(
        "answers",
        """
        import asyncio
        import os

        @plugin.message()
        async def answer(event, ctx):
            record(ctx)
            while not os.path.exists("release"):
                await asyncio.sleep(0.02)
            ctx.reply("pong")
        """,
    )
    await gateway.start()
    accepted = {body: await gateway.accept(body) for body in messages(AT_ONCE, chats=AT_ONCE)}
    await until(lambda: len(gateway.records) == AT_ONCE, "all handlers run")
    worker = gateway.worker
    assert worker is not None

    with no_room(worker, gateway.data / "work.db-wal", left=0):
        (gateway.folder / "release").touch()
        later = {body: await gateway.accept(body) for body in messages(AT_ONCE, first=AT_ONCE, chats=AT_ONCE)}
        await until(lambda: gateway.logged("work_store_unavailable"), "the worker can't write")
        assert {row.status for row in gateway.deliveries()} == {"running"}
        assert gateway.outbox() == []
    await gateway.settled()

    evidence = gather(gateway, {**accepted, **later}, plugin="answers")
    assert complaints(evidence) == []
    assert repeated(evidence.records) == []
    assert sorted(row.seq for row in gateway.outbox()) == sorted(evidence.journal)
    assert gateway.logged("work_store_available")
    assert gateway.worker == worker


async def test_less_room_than_data_min_free_is_answered_503(gateway: Gateway) -> None:
    gateway.recorder()
    gateway.settings(data_min_free=shutil.disk_usage(gateway.folder).total)
    await gateway.start()

    refused = await gateway.post(message(1))
    assert await gateway.stop() == 0
    gateway.settings()
    await gateway.start()
    accepted = await gateway.post(message(1))
    await gateway.settled()

    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert "data_min_free" in refused.json["detail"]
    assert accepted.status == 202
    assert [record.seq for record in gateway.records] == [accepted.id]


def gather(gateway: Gateway, acknowledged: dict[bytes, int], *, plugin: str = "recorder") -> Evidence:
    return Evidence(
        acknowledged=acknowledged,
        journal=gateway.events(),
        records=gateway.records,
        deliveries=gateway.deliveries(),
        plugins=[plugin],
    )
