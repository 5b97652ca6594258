"""A handler that blocks its plugin's thread for good is given up by itself, and takes no neighbour along."""

import asyncio
from functools import partial
from typing import Any

from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f
from gateway.worker.breaker import FAILURES
from gateway.worker.headway import MOMENT
from tests.worker.conftest import Bench, Gate, message

POISON = "poison"


def blocking(bench: Bench, gate: Gate) -> Plugin[Any, Any]:
    """One text blocks its thread until the gate opens; handlers of all others are under way for a moment."""
    plugin = Plugin("blocking")

    @plugin.message(f.text(POISON))
    async def block(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        gate.wait()

    @plugin.message()
    async def take_a_moment(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        bench.note("begun")
        await asyncio.sleep(0.01)
        bench.note(event.message.text)

    return plugin


async def test_what_waits_for_a_handler_that_blocks_does_not_fail_with_it(bench: Bench, gate: Gate) -> None:
    neighbours = [message(f"m{n}", f"55119{n:08d}@s.whatsapp.net") for n in range(2 * FAILURES)]
    await bench.post(*neighbours, message(POISON))

    async with bench.worker(blocking(bench, gate), timeout=0.5, stuck=0.5, retry=(60,)) as engine:
        await bench.until(lambda: any(each.status == "waiting" for each in bench.settled))
        assert engine.stuck
        assert not engine._running["blocking"].breaker.is_open

    assert bench.rows("SELECT seq FROM delivery WHERE failures > 0") == [(len(neighbours) + 1,)]
    assert bench.rows("SELECT DISTINCT status FROM delivery WHERE failures = 0") == [("waiting",)]


async def test_one_that_blocks_every_time_becomes_a_dead_letter_and_its_neighbours_are_handled(
    bench: Bench, gate: Gate
) -> None:
    neighbours = [message(f"m{n}", f"55119{n:08d}@s.whatsapp.net") for n in range(2 * FAILURES)]
    (poison, *_) = await bench.post(message(POISON), *neighbours)

    for ends in (["waiting"], ["waiting", "dead"]):
        async with bench.worker(blocking(bench, gate), timeout=0.5, stuck=0.5, retry=(0,)):
            await bench.until(partial(has_come_to, bench, poison, ends))
    async with bench.worker(blocking(bench, gate)):
        await bench.until(lambda: len(bench.outcomes()) == 1 + len(neighbours))

    assert [seq for seq, status in bench.outcomes() if status == "dead"] == [poison]
    assert [seq for seq, status in bench.outcomes() if status == "done"] == [poison + 1 + n for n in range(20)]


async def test_what_waits_for_its_turn_behind_slow_handlers_is_not_taken_for_stuck(bench: Bench, gate: Gate) -> None:
    chats = [f"55119{n:08d}@s.whatsapp.net" for n in range(8)]
    plugin = Plugin("slow")

    @plugin.message(f.text("quick"))
    async def be_quick(event: MessagesUpsert, ctx: Context) -> None: ...

    @plugin.message()
    async def wait(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        await gate.passed()

    async with bench.worker(plugin, concurrency=1, timeout=0.4, stuck=2.0, retry=(60,)) as engine:
        await bench.post(*[message("quick", chat) for chat in chats * 2])
        await bench.until(lambda: len(bench.outcomes()) == 16)
        bench.now += 2 * MOMENT
        await bench.post(*[message("slow", chat) for chat in chats])
        await bench.until(lambda: [each.status for each in bench.settled].count("waiting") == 8)

        assert not engine.stuck
    assert {each.error.rpartition(": ")[0] for each in bench.settled if each.error} == {
        "gateway.worker.calling.HandlerTimeout"
    }


def has_come_to(bench: Bench, seq: int, statuses: list[str]) -> bool:
    return [each.status for each in bench.settled if each.delivery.seq == seq] == statuses
