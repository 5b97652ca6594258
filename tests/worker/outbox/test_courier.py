"""A message's way to its end, in front of a server that fails in all its ways."""

import asyncio

import pytest

from gateway.config.settings import Pace
from gateway.evolution import Evolution
from gateway.testing.evolution import EvolutionServer, Fault
from gateway.work import Batch
from gateway.work.outbox import Sent
from gateway.worker.outbox.waiting import Tempo
from tests.support.waiting import until
from tests.worker.outbox.conftest import ANA, BIA, Desk


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.RESET_AFTER])
async def test_a_message_that_left_without_an_answer_is_found_and_not_sent_again(
    desk: Desk, server: EvolutionServer, fault: Fault
) -> None:
    server.fail(fault)
    await desk.deliver(server.url, await desk.queue("pong"))

    (row,) = desk.rows()
    assert (row.status, row.message_id) == ("sent", server.sent[0].id)
    assert server.texts(ANA) == ["pong"]


@pytest.mark.parametrize("fault", [Fault.NO_ANSWER, Fault.RESET])
async def test_a_message_that_did_not_leave_is_sent_again_once_that_is_known(
    desk: Desk, server: EvolutionServer, fault: Fault
) -> None:
    await server.write(ANA, "ping")
    server.fail(fault)
    await desk.deliver(server.url, await desk.queue("pong"))

    (row,) = desk.rows()
    assert (row.status, row.attempts) == ("sent", 2)
    assert server.texts(ANA) == ["pong"]


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.NO_ANSWER])
async def test_where_nothing_tells_whether_it_left_it_is_a_dead_letter_that_says_so(
    desk: Desk, server: EvolutionServer, fault: Fault
) -> None:
    server.fail(fault)
    server.fail(Fault.SERVER_FAULT, "chat/findMessages", times=None)
    await desk.deliver(server.url, await desk.queue("pong", "next"))

    first, second = desk.rows()
    assert (first.status, second.status) == ("dead", "sent")
    assert str(first.error).startswith("Unknown whether it left: no answer")
    assert server.texts(ANA).count("pong") == (1 if fault is Fault.LOST_ANSWER else 0)


async def test_what_was_being_sent_when_the_worker_died_is_looked_for_first(
    desk: Desk, server: EvolutionServer
) -> None:
    message, _ = await desk.queue("pong", "next")
    await desk.store.write(Batch(outbox=[Sent(id=message.id, status="sending", attempts=1, began=desk.now())]))
    client = Evolution(server.url, "key", version="2")
    left = await client.send_text("shop-1", ANA, "pong")
    await client.close()
    await desk.deliver(server.url, desk.store.open_messages())

    assert desk.rows()[0].message_id == left.id
    assert server.texts(ANA) == ["pong", "next"]


async def test_a_message_is_found_behind_all_that_was_written_since(desk: Desk, server: EvolutionServer) -> None:
    (message,) = await desk.queue("pong")
    await desk.store.write(Batch(outbox=[Sent(id=message.id, status="sending", attempts=1, began=desk.now())]))
    client = Evolution(server.url, "key", version="2")
    await client.send_text("shop-1", ANA, "pong")
    await client.close()
    for n in range(120):
        await server.write(ANA, f"{n}")
    await desk.deliver(server.url, desk.store.open_messages())

    assert desk.statuses() == ["sent"]
    assert server.texts(ANA) == ["pong"]


async def test_a_reaction_without_an_answer_is_simply_sent_again(desk: Desk, server: EvolutionServer) -> None:
    ping = await server.write(ANA, "ping")
    server.fail(Fault.LOST_ANSWER, "message/sendReaction")
    react = ("reaction", {"emoji": "👍", "message": {"id": ping.id, "from_me": False}})
    await desk.deliver(server.url, await desk.put(react))

    assert [(row.status, row.attempts) for row in desk.rows()] == [("sent", 2)]


@pytest.mark.parametrize(
    ("fault", "says"),
    [(Fault.NOT_ON_WHATSAPP, "not on WhatsApp"), (Fault.NO_INSTANCE, "shop-1"), (Fault.UNAUTHORIZED, "apikey")],
)
async def test_a_refusal_is_a_dead_letter_with_its_reason_and_the_chat_goes_on(
    desk: Desk, server: EvolutionServer, fault: Fault, says: str
) -> None:
    server.fail(fault)
    await desk.deliver(server.url, await desk.queue("first", "second"))

    first, second = desk.rows()
    assert (first.status, second.status) == ("dead", "sent")
    assert says in str(first.error)


async def test_a_server_that_fails_is_asked_again_and_the_chat_keeps_its_order(
    desk: Desk, server: EvolutionServer
) -> None:
    server.fail(Fault.UNLICENSED, times=2)
    await desk.deliver(server.url, await desk.queue("1", "2", "3"))

    assert server.texts(ANA) == ["1", "2", "3"]
    assert desk.rows()[0].attempts == 3


async def test_a_message_is_said_to_be_sent_again_only_once_that_is_on_disk(
    desk: Desk, server: EvolutionServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, noting, disk_is_free = desk.store.write, asyncio.Event(), asyncio.Event()

    async def write_when_free(batch: Batch) -> None:
        if any(change.status == "queued" for change in batch.outbox):
            noting.set()
            await disk_is_free.wait()
        await write(batch)

    monkeypatch.setattr(desk.store, "write", write_when_free)
    server.fail(Fault.UNLICENSED)
    delivering = asyncio.create_task(desk.deliver(server.url, await desk.queue("pong")))
    await noting.wait()
    before = capsys.readouterr().out
    disk_is_free.set()
    await delivering
    after = capsys.readouterr().out

    assert ("message_not_sent" in before, "message_not_sent" in after) == (False, True)


async def test_an_instance_that_is_down_is_asked_by_one_message_for_all(desk: Desk, server: EvolutionServer) -> None:
    server.disconnect()
    messages = [await desk.queue("hello", target=f"55119999900{n:02d}") for n in range(20)]
    async with desk.outbox(server.url) as outbox:
        outbox.add([message for each in messages for message in each])
        await desk.until_true(lambda: max(row.attempts for row in desk.rows()) >= 3)
        tries = [row.attempts for row in desk.rows()]
        told = desk.troubles["outbox:shop-1"]
        server.connect()
        await desk.until_settled()

    assert sum(tries) < 3 * len(tries)
    assert "shop-1 can't send" in str(told)
    assert desk.troubles == {"outbox:shop-1": None}
    assert len(server.sent) == 20


async def test_nothing_stale_leaves_when_an_instance_comes_back_after_an_hour(
    desk: Desk, server: EvolutionServer
) -> None:
    server.disconnect()
    old = [await desk.queue("old", target=f"5511999{n:06d}") for n in range(500)]
    async with desk.outbox(server.url) as outbox:
        outbox.add([message for each in old for message in each])
        await desk.until_true(lambda: any(row.attempts for row in desk.rows()))
        desk.later += 3600
        outbox.wake()
        await desk.until(*["dead"] * 500)
        server.connect()
        outbox.add(await desk.queue("new", target=BIA))
        await desk.until(*["dead"] * 500, "sent")

    assert [sent.text for sent in server.sent] == ["new"]
    assert "could not leave within 900 s (outbox.expire). shop-1 could not send: " in str(desk.rows()[0].error)


async def test_what_is_too_old_is_not_sent_and_what_is_fresh_is(desk: Desk, server: EvolutionServer) -> None:
    stale, fresh = await desk.queue("stale", age=61), await desk.queue("fresh", age=50)
    await desk.deliver(server.url, [*stale, *fresh], expire=60)

    assert desk.statuses() == ["dead", "sent"]
    assert server.texts(ANA) == ["fresh"]


async def test_an_answer_of_a_play_that_has_ended_reaches_nobody(desk: Desk, server: EvolutionServer) -> None:
    left_over = await desk.queue("to a player", server="http://127.0.0.1:9")
    await desk.deliver(server.url, [*left_over, *await desk.queue("to a person")])

    assert desk.statuses() == ["dead", "sent"]
    assert "a play that has ended" in str(desk.rows()[0].error)
    assert server.texts(ANA) == ["to a person"]


async def test_a_client_that_is_asked_too_much_waits(desk: Desk, server: EvolutionServer) -> None:
    server.fail(Fault.RATE_OVERLIMIT)
    server.fail(Fault.TOO_MANY)
    await desk.deliver(server.url, await desk.queue("pong"))

    assert [(row.status, row.attempts) for row in desk.rows()] == [("sent", 3)]


async def test_a_row_says_sending_before_its_request_leaves(desk: Desk, server: EvolutionServer) -> None:
    seen: list[str] = []
    server.listen(lambda happening: seen.extend(desk.statuses()) if happening.kind == "sent" else None)
    await desk.deliver(server.url, await desk.queue("pong"))

    assert seen == ["sending"]


async def test_typing_is_shown_before_a_text_where_a_pace_is_set(desk: Desk, server: EvolutionServer) -> None:
    await desk.deliver(server.url, await desk.queue("pong"), pace=Pace(gap=0))

    assert [request.path.split("/")[2] for request in server.requests] == ["sendPresence", "sendText"]


async def test_evolution_gets_time_to_end_what_it_did_not_answer(desk: Desk, server: EvolutionServer) -> None:
    await server.write(ANA, "ping")
    server.fail(Fault.NO_ANSWER)
    slow = Tempo(fault=(0.01,), looks=(1000,))
    async with desk.outbox(server.url, settle=1000, expire=100_000, tempo=slow) as outbox:
        outbox.add(await desk.queue("pong"))
        await until(lambda: desk.statuses() == ["sending"], "it is asked")
        desk.later += 2000  # it is asked that long without an answer
        await desk.until_true(lambda: desk.rows()[0].error is not None)
        await outbox.until_quiet()
        meanwhile = (desk.statuses(), server.texts(ANA))
        desk.later += 1000
        outbox.wake()
        await desk.until("sent")

    assert meanwhile == (["sending"], [])
    assert server.texts(ANA) == ["pong"]


async def test_what_does_no_harm_twice_is_repeated_with_pauses(desk: Desk, server: EvolutionServer) -> None:
    ping = await server.write(ANA, "ping")
    server.fail(Fault.RESET, "message/sendReaction", times=None)
    react = ("reaction", {"emoji": "👍", "message": {"id": ping.id, "from_me": False}})
    async with desk.outbox(server.url, expire=100_000, tempo=Tempo(fault=(1000,))) as outbox:
        outbox.add(await desk.put(react))
        await until(lambda: desk.rows()[0].attempts == 1, "it is asked")
        await outbox.until_quiet()
        meanwhile = desk.rows()[0].attempts
        server.heal()
        desk.later += 1000
        outbox.wake()
        await desk.until("sent")

    assert meanwhile == 1
    assert desk.rows()[0].attempts == 2
