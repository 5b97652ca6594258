"""A plugin's thread and loop outlive what its handlers do to them."""

import asyncio
import time
from contextvars import ContextVar
from typing import Any

import structlog

from gateway import Context, MessagesUpsert, Plugin
from gateway.worker.host import TURN
from tests.worker.conftest import Bench, Gate, message

customer: ContextVar[str] = ContextVar("customer", default="nobody")


async def handled_after(bench: Bench, plugin: Plugin[Any, Any], events: int = 3) -> list[str]:
    """Each event's result when the plugin's handler gets all of them, one after the other."""
    async with bench.worker(plugin, retry=()):
        for n in range(events):
            await bench.post(message(f"m{n}"))
            await bench.until(lambda: len(bench.outcomes()) > n)  # noqa: B023 -- awaited within the loop
    return [status for _, status in bench.outcomes()]


async def test_a_handler_that_stops_its_loop_does_not_stop_the_plugin(bench: Bench) -> None:
    plugin = Plugin("stopping")

    @plugin.message()
    async def stop(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        asyncio.get_running_loop().stop()

    assert await handled_after(bench, plugin) == ["done"] * 3


async def test_a_handler_that_closes_its_loop_fails_alone(bench: Bench) -> None:
    plugin = Plugin("closing")

    @plugin.message()
    async def close(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        if event.message.text == "m0":
            asyncio.get_running_loop().close()

    assert await handled_after(bench, plugin) == ["dead", "done", "done"]


async def test_a_task_left_behind_that_exits_does_not_end_the_plugin(bench: Bench) -> None:
    plugin = Plugin("leaking")

    @plugin.message()
    async def leak(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        asyncio.get_running_loop().call_soon(exit_now)

    def exit_now() -> None:
        raise SystemExit

    assert await handled_after(bench, plugin) == ["done"] * 3


async def test_a_loop_set_by_a_handler_is_not_the_plugins(bench: Bench) -> None:
    plugin = Plugin("replacing")

    @plugin.message()
    async def replace(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.close()

    assert await handled_after(bench, plugin) == ["done"] * 3


async def test_a_def_handler_may_run_a_loop_of_its_own(bench: Bench) -> None:
    plugin = Plugin("own-loop")

    @plugin.message()
    def run(event: MessagesUpsert, ctx: Context) -> None:
        del event
        asyncio.run(answer(ctx))

    async def answer(ctx: Context) -> None:
        ctx.reply("from another loop")

    assert await handled_after(bench, plugin) == ["done"] * 3
    assert bench.rows("SELECT count(*) FROM outbox") == [(3,)]


async def test_a_handler_that_cancels_itself_fails_alone(bench: Bench) -> None:
    plugin = Plugin("cancelling")

    @plugin.message()
    async def cancel(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        if event.message.text == "m0":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.Event().wait()

    assert await handled_after(bench, plugin) == ["dead", "done", "done"]


async def test_all_handlers_of_a_plugin_share_one_loop_and_no_other_plugin_does(bench: Bench) -> None:
    loops: dict[str, set[int]] = {"one": set(), "two": set()}

    def made(name: str) -> Plugin[Any, Any]:
        plugin = Plugin(name)

        @plugin.message()
        async def note(event: MessagesUpsert, ctx: Context) -> None:
            del event, ctx
            loops[name].add(id(asyncio.get_running_loop()))

        return plugin

    async with bench.worker(made("one"), made("two")):
        await bench.post(*[message("m") for _ in range(5)])
        await bench.until(lambda: len(bench.outcomes()) == 10)

    assert [len(each) for each in loops.values()] == [1, 1]
    assert len({id(asyncio.get_running_loop()), *loops["one"], *loops["two"]}) == 3


def chats(count: int) -> list[bytes]:
    """Messages `m0`, `m1`, ... in chats of their own, so that all of them may begin in one batch."""
    return [message(f"m{n}", f"55119{n:08d}@s.whatsapp.net") for n in range(count)]


async def test_what_one_handler_sets_for_itself_is_unknown_to_those_after_it_in_the_batch(bench: Bench) -> None:
    plugin = Plugin("contextual")

    @plugin.message()
    async def note(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        bench.note((customer.get(), structlog.contextvars.get_contextvars()))
        customer.set(event.text)
        structlog.contextvars.bind_contextvars(customer=event.text)

    await bench.post(*chats(5))
    async with bench.worker(plugin):
        await bench.until(lambda: len(bench.outcomes()) == 5)

    assert bench.seen == [("nobody", {})] * 5


async def test_what_one_handler_does_to_its_task_does_not_reach_those_after_it(bench: Bench) -> None:
    plugin, earlier = Plugin("cancelling"), list[asyncio.Task[Any]]()

    @plugin.message()
    async def cancel(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        for each in earlier:
            each.cancel()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        earlier.append(task)
        task.cancel()  # and nothing is awaited where it could strike

    await bench.post(*chats(5))
    async with bench.worker(plugin, retry=()):
        await bench.until(lambda: len(bench.outcomes()) == 5)

    assert [status for _, status in bench.outcomes()] == ["done"] * 5
    assert len(set(earlier)) == 5


async def test_handlers_that_wait_run_beside_each_other(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("waiting")

    @plugin.message()
    async def wait(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        bench.note(event.text)
        if event.text == "m4":
            gate.open()
        await gate.passed()

    await bench.post(*chats(5))
    async with bench.worker(plugin):
        await bench.until(lambda: len(bench.outcomes()) == 5)

    assert bench.seen == [f"m{n}" for n in range(5)]


async def test_what_has_ended_is_settled_while_a_later_one_of_its_batch_blocks(bench: Bench, gate: Gate) -> None:
    plugin = Plugin("blocking")

    @plugin.message()
    async def take(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        if event.text == "m1":
            time.sleep(1.1 * TURN)  # noqa: ASYNC251 -- blocking is what is tried
        if event.text == "m2":
            gate.wait()

    await bench.post(*chats(4))
    async with bench.worker(plugin):
        await bench.until(lambda: len(bench.outcomes()) == 2)
        gate.open()
        await bench.until(lambda: len(bench.outcomes()) == 4)

    assert [seq for seq, _ in bench.outcomes()] == [1, 2, 3, 4]


async def test_a_batch_of_handlers_that_take_long_lets_others_have_their_turn(bench: Bench) -> None:
    plugin = Plugin("computing")

    @plugin.message()
    async def take(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        bench.note(event.text)
        if event.text == "m0":
            await asyncio.sleep(0)
            bench.note("goes on")
        time.sleep(1.1 * TURN)  # noqa: ASYNC251 -- it computes

    await bench.post(*chats(4))
    async with bench.worker(plugin):
        await bench.until(lambda: len(bench.outcomes()) == 4)

    assert bench.seen == ["m0", "m1", "goes on", "m2", "m3"]
