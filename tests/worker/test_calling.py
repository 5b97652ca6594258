"""What runs around handlers, and what a handler in a thread may wait for."""
# ruff: noqa: ARG001 -- handlers and middlewares take what they are given

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway import CallNext, Context, Drop, Event, EventContext, MessagesUpsert, Plugin
from gateway import filters as f
from gateway.errors import ContextClosed
from gateway.redact import Redactor
from gateway.work import Delivery
from gateway.worker.attempt import Attempts, Job
from gateway.worker.verdict import Ended
from tests.support.stored import stored
from tests.worker.conftest import message

Attempt = Callable[..., Awaitable[Ended]]


@pytest.fixture
def attempt() -> Iterator[Attempt]:
    """Runs one attempt of a plugin on a message."""
    with ThreadPoolExecutor(1) as threads:

        async def run(plugin: Plugin[Any, Any], *, timeout: float = 5) -> Ended:  # noqa: ASYNC109 -- the setting's name
            attempts = Attempts(plugin, timeout=timeout, redactor=Redactor(), threads=threads)
            delivery = Delivery(id=1, seq=1, plugin=plugin.name, lane="lane")
            outcome = attempts.at_once(Job(delivery, stored(message("hi"))))
            return outcome if isinstance(outcome, Ended) else await outcome

        yield run


def plugin_of(seen: list[str], *middlewares: Any, threaded: bool = False) -> Plugin[None, None]:  # noqa: ANN401 -- of any kind
    plugin = Plugin("shop", middleware=middlewares)

    async def as_coroutine(event: MessagesUpsert, ctx: Context) -> None:
        seen.append(event.text)
        ctx.reply("hello")

    def in_thread(event: MessagesUpsert, ctx: Context) -> None:
        seen.append(event.text)
        ctx.reply("hello")

    plugin.message()(in_thread if threaded else as_coroutine)
    return plugin


def around(seen: list[str], name: str) -> Any:  # noqa: ANN401 -- a middleware
    async def note(event: Event, ctx: EventContext, call_next: CallNext) -> None:
        seen.append(f"{name} before")
        await call_next()
        seen.append(f"{name} after")

    return note


@pytest.mark.parametrize("threaded", [False, True])
async def test_middlewares_run_around_the_handler_the_first_outermost(attempt: Attempt, *, threaded: bool) -> None:
    seen: list[str] = []
    plugin = plugin_of(seen, around(seen, "outer"), threaded=threaded)
    plugin.middleware(around(seen, "inner"))

    ended = await attempt(plugin)

    assert seen == ["outer before", "inner before", "hi", "inner after", "outer after"]
    assert ended.result == "done"
    assert len(ended.sends) == 1


async def test_one_that_does_not_go_on_keeps_the_handler_from_running(attempt: Attempt) -> None:
    async def closed(event: Event, ctx: Context, call_next: CallNext) -> None:
        ctx.reply("We are closed")

    seen: list[str] = []
    ended = await attempt(plugin_of(seen, closed))

    assert seen == []
    assert ended.result == "done"
    assert [send.payload["text"] for send in ended.sends] == ["We are closed"]


async def test_one_can_turn_what_a_handler_raises_into_something_else(attempt: Attempt) -> None:
    async def patient(event: Event, ctx: EventContext, call_next: CallNext) -> None:
        try:
            await call_next()
        except KeyError as error:
            raise Drop(f"nothing known about {error}") from None

    plugin = Plugin("shop", middleware=[patient])

    @plugin.message()
    async def take(event: MessagesUpsert, ctx: Context) -> None:
        raise KeyError("milk")

    ended = await attempt(plugin)

    assert (ended.result, ended.error) == ("dropped", "nothing known about 'milk'")


async def test_a_middlewares_own_error_fails_the_attempt(attempt: Attempt) -> None:
    async def broken(event: Event, ctx: EventContext, call_next: CallNext) -> None:
        await call_next()
        raise OSError("no disk")

    ended = await attempt(plugin_of([], broken))

    assert ended.result == "failed"
    assert "OSError: no disk" in str(ended.error)
    assert ended.sends == ()


@pytest.mark.parametrize("threaded", [False, True])
async def test_one_that_hangs_is_cut_off_with_its_handler(attempt: Attempt, *, threaded: bool) -> None:
    async def hang(event: Event, ctx: EventContext, call_next: CallNext) -> None:
        await call_next()
        await asyncio.Event().wait()

    ended = await attempt(plugin_of([], hang, threaded=threaded), timeout=0.05)

    assert ended.result == "failed"
    assert "took longer than 0.05 s" in str(ended.error)


async def test_middlewares_run_only_where_a_handler_was_found(attempt: Attempt) -> None:
    seen: list[str] = []
    plugin = Plugin("shop", middleware=[around(seen, "outer")])

    @plugin.message(f.text("other"))
    async def take(event: MessagesUpsert, ctx: Context) -> None: ...

    assert (await attempt(plugin)).result == "skipped"
    assert seen == []


async def test_a_threads_handler_waits_for_a_coroutine_on_the_plugins_loop(attempt: Attempt) -> None:
    plugin = Plugin("shop")
    threads: list[int] = []

    async def fetch() -> str:
        threads.append(threading.get_ident())
        await asyncio.sleep(0)
        return "fetched"

    @plugin.message()
    def take(event: MessagesUpsert, ctx: Context) -> None:
        threads.append(threading.get_ident())
        ctx.reply(ctx.wait(fetch()))

    ended = await attempt(plugin)

    assert ended.sends[0].payload["text"] == "fetched"
    assert threads[0] != threads[1] == threading.get_ident()


async def test_what_a_coroutine_raises_comes_out_of_wait(attempt: Attempt) -> None:
    plugin = Plugin("shop")

    async def fetch() -> str:
        raise OSError("no network")

    @plugin.message()
    def take(event: MessagesUpsert, ctx: Context) -> None:
        with pytest.raises(OSError, match="no network"):
            ctx.wait(fetch())

    assert (await attempt(plugin)).result == "done"


async def test_a_wait_is_given_up_when_the_handlers_time_is_up(attempt: Attempt) -> None:
    plugin = Plugin("shop")
    raised: list[BaseException] = []

    @plugin.message()
    def take(event: MessagesUpsert, ctx: Context) -> None:
        try:
            ctx.wait(asyncio.Event().wait())
        except ContextClosed as error:
            raised.append(error)
            raise

    ended = await attempt(plugin, timeout=0.05)

    assert ended.result == "failed"
    assert "given up" in str(raised)


async def test_wait_in_an_async_handler_is_refused_before_it_can_hang(attempt: Attempt) -> None:
    plugin = Plugin("shop")

    @plugin.message()
    async def take(event: MessagesUpsert, ctx: Context) -> None:
        ctx.wait(asyncio.sleep(0))

    ended = await attempt(plugin)

    assert "in an async def one, write await" in str(ended.error)
