"""A worker above `worker.memory` is replaced; its events are handled all the same, save one that alone is too much."""

from tests.support.bodies import message
from tests.support.gateway import Gateway
from tests.support.waiting import until

LEAK = """
kept = []

@plugin.on(MessagesUpsert)
async def leak(event, ctx):
    record(ctx)
    kept.append(b"x" * (30 * 2**20))
"""
GLUTTON = """
import asyncio

@plugin.on(MessagesUpsert)
async def take(event, ctx):
    record(ctx)
    if "big" in event.message.text:
        everything = b"x" * (400 * 2**20)
        await asyncio.sleep(60)
"""


async def test_a_worker_that_leaks_is_replaced_and_its_events_are_handled(gateway: Gateway) -> None:
    gateway.plugin("leaky", LEAK)
    gateway.settings(worker={"memory": "200MiB"})
    await gateway.start()
    first = gateway.worker

    for number in range(6):
        await gateway.accept(message(number))
    await until(lambda: gateway.logged("worker_outgrown"), "the leak is noticed")
    await until(lambda: gateway.worker not in (None, first), "another worker is there")
    await gateway.accept(message(6))
    await gateway.settled()

    line = gateway.logged("worker_outgrown")[0]
    assert line["held"] > line["limit"] == 200 * 2**20
    assert [(row.status, row.failures, row.deaths) for row in gateway.deliveries()] == [("done", 0, 0)] * 7
    assert gateway.logged("worker_died") == []


async def test_without_a_limit_the_same_leak_goes_unnoticed(gateway: Gateway) -> None:
    gateway.plugin("leaky", LEAK)
    gateway.settings(worker={"memory": 0})
    await gateway.start()
    first = gateway.worker

    for number in range(6):
        await gateway.accept(message(number))
    await gateway.settled()

    assert gateway.worker == first
    assert gateway.logged("worker_outgrown") == []


async def test_a_delivery_that_alone_takes_too_much_is_a_dead_letter_in_the_end_and_no_other_is(
    gateway: Gateway,
) -> None:
    gateway.plugin("glutton", GLUTTON)
    gateway.settings(worker={"memory": "200MiB"})
    await gateway.start()

    big = await gateway.accept(message(1, "big", chat=1))
    small = [await gateway.accept(message(number, "small", chat=number)) for number in range(2, 6)]
    await gateway.settled(within=60)

    status = {row.seq: row.status for row in gateway.deliveries()}
    assert status == {big: "dead"} | dict.fromkeys(small, "done")
    assert any("glutton" in str(line["running"]) for line in gateway.logged("worker_outgrown"))


async def test_a_limit_below_what_loading_takes_is_said_and_not_held(gateway: Gateway) -> None:
    gateway.recorder()
    gateway.settings(worker={"memory": "1MiB"})
    await gateway.start()

    await gateway.accept(message(1))
    await gateway.settled()

    assert len(gateway.logged("worker_memory_ignored")) == 1
    assert gateway.logged("worker_outgrown") == []
