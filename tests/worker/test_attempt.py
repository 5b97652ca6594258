"""Whatever a handler does, its attempt ends as a value that says what happened, without a secret in it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import msgspec
import pytest

from gateway import Context, Drop, Event, EventContext, MessagesUpsert, Plugin, Retry
from gateway import filters as f
from gateway.errors import ContextClosed
from gateway.journal import StoredEvent
from gateway.redact import Redactor
from gateway.work import Delivery
from gateway.worker.attempt import ERROR_LIMIT, Attempts, Job
from gateway.worker.verdict import Ended
from tests.support.stored import stored
from tests.worker.conftest import CANARY, Gate, body, message

Attempt = Callable[..., Awaitable[Ended]]
OWN_KEY = "own-global-key-8812"


@pytest.fixture
def attempt() -> Iterator[Attempt]:
    """Runs one attempt of a plugin on an event, by default a message."""
    with ThreadPoolExecutor(1) as threads:

        async def run(plugin: Plugin[Any, Any], event: StoredEvent | None = None, *, timeout: float = 5) -> Ended:  # noqa: ASYNC109 -- the setting's name
            delivery = Delivery(id=1, seq=1, plugin=plugin.name, lane="lane")
            attempts = Attempts(plugin, timeout=timeout, redactor=Redactor([OWN_KEY]), threads=threads)
            outcome = attempts.at_once(Job(delivery, event or stored(message("hi"))))
            return outcome if isinstance(outcome, Ended) else await outcome

        yield run


def raising(error: BaseException, *, threaded: bool) -> Plugin[Any, Any]:
    """A plugin whose one handler queues a message and raises."""
    plugin = Plugin("raising")

    async def as_coroutine(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("never")
        raise error

    def in_thread(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("never")
        raise error

    plugin.message()(in_thread if threaded else as_coroutine)
    return plugin


@pytest.mark.parametrize("threaded", [False, True])
async def test_a_handler_that_returns_is_done_with_what_it_queued_in_order(attempt: Attempt, *, threaded: bool) -> None:
    plugin = Plugin("polite")

    async def as_coroutine(event: MessagesUpsert, ctx: Context) -> None:
        in_thread(event, ctx)

    def in_thread(event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply(f"you said {event.message.text}")
        ctx.send("+55 11 99999-0003", "by the way")

    plugin.message()(in_thread if threaded else as_coroutine)
    ended = await attempt(plugin)

    assert (ended.result, ended.handler) == ("done", "in_thread" if threaded else "as_coroutine")
    assert [(send.n, send.text) for send in ended.sends] == [(1, "you said hi"), (2, "by the way")]


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize(
    "error",
    [ValueError("x"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), StopIteration(7)],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_handler_raises_fails_its_delivery_and_nothing_else(
    attempt: Attempt, error: BaseException, *, threaded: bool
) -> None:
    ended = await attempt(raising(error, threaded=threaded))

    assert (ended.result, ended.sends) == ("failed", ())
    assert ended.error is not None
    assert "raise error" in ended.error or isinstance(error, StopIteration)


@pytest.mark.parametrize("threaded", [False, True])
async def test_retry_and_drop_are_no_failures_and_keep_their_words(attempt: Attempt, *, threaded: bool) -> None:
    retry = await attempt(raising(Retry(after=30), threaded=threaded))
    drop = await attempt(raising(Drop("not for us"), threaded=threaded))

    assert (retry.result, retry.after, retry.sends) == ("retry", 30, ())
    assert (drop.result, drop.error, drop.sends) == ("dropped", "not for us", ())


async def test_a_retry_of_the_authors_own_making_is_a_retry(attempt: Attempt) -> None:
    class Later(Retry):
        def __init__(self) -> None:
            pass

    ended = await attempt(raising(Later(), threaded=False))

    assert (ended.result, ended.after) == ("retry", None)


async def test_an_error_that_raises_when_it_is_looked_at_is_a_failure(attempt: Attempt) -> None:
    class Leaving(Retry):
        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 -- whatever it is
            if name == "after":
                raise SystemExit
            return super().__getattribute__(name)

    ended = await attempt(raising(Leaving(), threaded=False))

    assert (ended.result, ended.handler) == ("failed", "as_coroutine")
    assert ended.error == "Leaving, of which nothing can be told: that raised SystemExit"


async def test_an_error_that_cannot_be_written_out_is_still_a_failure(attempt: Attempt) -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise ValueError

    ended = await attempt(raising(Unspeakable(), threaded=False))

    assert ended.result == "failed"
    assert "Unspeakable" in str(ended.error)


async def test_an_async_handler_over_its_time_is_cancelled(attempt: Attempt) -> None:
    plugin, cancelled = Plugin("slow"), []

    @plugin.message()
    async def sleep(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("never")
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    ended = await attempt(plugin, timeout=0.01)

    assert (ended.result, ended.sends, cancelled) == ("failed", (), [True])
    assert "sleep took longer than 0.01 s (delivery.timeout)" in str(ended.error)


async def test_a_handler_that_swallows_its_cancellation_has_still_failed(attempt: Attempt) -> None:
    plugin = Plugin("stubborn")

    @plugin.message()
    async def swallow(event: MessagesUpsert, ctx: Context) -> None:
        del event
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ctx.reply("after all")

    ended = await attempt(plugin, timeout=0.01)

    assert (ended.result, ended.sends) == ("failed", ())
    assert "took longer" in str(ended.error)


async def test_a_timeout_of_the_handlers_own_is_told_from_the_gateways(attempt: Attempt) -> None:
    ended = await attempt(raising(TimeoutError("the shop did not answer"), threaded=False))

    assert "TimeoutError: the shop did not answer" in str(ended.error)
    assert "delivery.timeout" not in str(ended.error)


async def test_a_def_handler_over_its_time_ends_its_attempt_only_when_it_ends(attempt: Attempt, gate: Gate) -> None:
    plugin, told = Plugin("blocking"), []

    @plugin.message()
    def block(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("in time")
        gate.wait()
        try:
            ctx.reply("too late")
        except ContextClosed as error:
            told.append(str(error))

    running = asyncio.ensure_future(attempt(plugin, timeout=0.01))
    done, _ = await asyncio.wait({running}, timeout=0.1)
    gate.open()
    ended = await running

    assert not done
    assert (ended.result, ended.sends) == ("failed", ())
    assert "block took longer than 0.01 s" in told[0]


async def test_a_filter_that_raises_fails_the_delivery(attempt: Attempt) -> None:
    plugin = Plugin("picky")

    def broken(event: MessagesUpsert) -> bool:
        raise LookupError(event.message.text)

    @plugin.message(f.check(broken))
    async def never(event: MessagesUpsert, ctx: Context) -> None: ...

    ended = await attempt(plugin)

    assert (ended.result, ended.handler) == ("failed", None)
    assert "LookupError: hi" in str(ended.error)


async def test_a_filter_that_waits_for_ever_is_cancelled(attempt: Attempt) -> None:
    plugin = Plugin("picky")

    async def waiting(event: MessagesUpsert) -> bool:
        del event
        return await asyncio.Event().wait()

    @plugin.message(f.check(waiting))
    async def never(event: MessagesUpsert, ctx: Context) -> None: ...

    ended = await attempt(plugin, timeout=0.01)

    assert (ended.result, ended.handler) == ("failed", None)
    assert "its filters took longer" in str(ended.error)


async def test_nothing_runs_for_an_event_that_is_gone_damaged_or_nobodys(attempt: Attempt) -> None:
    plugin = Plugin("unused")

    @plugin.message()
    async def never(event: MessagesUpsert, ctx: Context) -> None: ...

    event = stored(message("hi"))
    damaged = await attempt(plugin, msgspec.structs.replace(event, body=event.body + b" "))
    broken = await attempt(plugin, msgspec.structs.replace(event, body="text where bytes belong"))
    other = await attempt(plugin, stored(body("call", {})))

    assert (damaged.result, other.result) == ("dead", "skipped")
    assert "checksum" in str(damaged.error)
    assert (broken.result, broken.handler) == ("failed", None)


async def test_an_event_the_journal_no_longer_holds_is_dead() -> None:
    with ThreadPoolExecutor(1) as threads:
        attempts = Attempts(Plugin("p"), timeout=1, redactor=Redactor(), threads=threads)
        ended = attempts.at_once(Job(Delivery(id=1, seq=1, plugin="p", lane=""), None))

    assert isinstance(ended, Ended)
    assert ended.result == "dead"


@pytest.mark.parametrize("threaded", [False, True])
@pytest.mark.parametrize(
    "secret",
    [CANARY, OWN_KEY, "Bearer abcdefgh12345678", "apikey: some-other-key-77", "password='hunter22'"],
)
async def test_no_secret_stays_in_a_dead_letters_traceback(attempt: Attempt, secret: str, *, threaded: bool) -> None:
    plain = await attempt(raising(ValueError("order 7 failed"), threaded=threaded))
    ended = await attempt(raising(ValueError(f"order 7 failed: {secret}"), threaded=threaded))

    assert "order 7 failed" in str(plain.error)  # the same text is there where it hides nothing
    assert "order 7 failed" in str(ended.error)
    assert secret.rsplit(maxsplit=1)[-1].rsplit("=", maxsplit=1)[-1].strip("'") not in str(ended.error)


async def test_the_words_of_drop_and_retry_hide_secrets_too(attempt: Attempt) -> None:
    ended = await attempt(raising(Drop(f"the server said {CANARY}"), threaded=False))

    assert ended.error == "the server said [redacted]"


async def test_a_secret_at_the_place_where_a_long_error_is_cut_does_not_survive_in_part(attempt: Attempt) -> None:
    tail = "x" * (ERROR_LIMIT - len(CANARY) // 2 - 1)
    ended = await attempt(raising(ValueError(f"{CANARY}{tail}"), threaded=False))

    assert len(str(ended.error)) <= ERROR_LIMIT
    assert CANARY[-8:] not in str(ended.error)


async def test_a_handler_that_takes_the_key_out_of_its_event_does_not_bring_it_into_the_open(attempt: Attempt) -> None:
    plugin = Plugin("tampering")

    @plugin.on(Event)
    async def tamper(event: Event, ctx: EventContext) -> None:
        del ctx
        raw: Any = event.raw
        raise ValueError(raw.pop("apikey"))

    ended = await attempt(plugin)

    assert "ValueError: [redacted]" in str(ended.error)


async def test_a_traceback_shows_the_authors_frames_and_causes_and_none_of_the_gateways(attempt: Attempt) -> None:
    plugin = Plugin("chained")

    @plugin.message()
    def chain(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        try:
            dict[str, int]()["stock"]
        except KeyError as error:
            raise RuntimeError("no stock") from error

    ended = await attempt(plugin)

    assert "KeyError: 'stock'" in str(ended.error)
    assert str(ended.error).endswith("RuntimeError: no stock\n")
    assert "in chain" in str(ended.error)
    assert "attempt.py" not in str(ended.error).replace(__file__, "")


async def test_each_error_of_a_group_is_shown(attempt: Attempt) -> None:
    plugin = Plugin("grouping")

    @plugin.message()
    async def group(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())

    async def fail() -> None:
        raise ValueError("the second task")

    ended = await attempt(plugin)

    assert "ValueError: the second task" in str(ended.error)


async def test_what_one_handlers_context_sets_is_unknown_to_the_next_in_its_thread(attempt: Attempt) -> None:
    customer: ContextVar[str] = ContextVar("customer", default="nobody")
    plugin, seen = Plugin("contextual"), []

    @plugin.message()
    def note(event: MessagesUpsert, ctx: Context) -> None:
        del ctx
        seen.append(customer.get())
        customer.set(str(event.message.text))

    await attempt(plugin)
    await attempt(plugin)

    assert seen == ["nobody", "nobody"]


async def test_a_def_handler_may_leave_the_last_step_to_the_loop(attempt: Attempt) -> None:
    plugin, loops = Plugin("mixed"), []

    async def finish(ctx: Context) -> None:
        loops.append(asyncio.get_running_loop())
        ctx.reply("done")

    @plugin.message()
    def begin(event: MessagesUpsert, ctx: Context) -> Any:  # noqa: ANN401 -- what no type checker would allow
        del event
        return finish(ctx)

    ended = await attempt(plugin)

    assert loops == [asyncio.get_running_loop()]
    assert [send.text for send in ended.sends] == ["done"]


async def test_a_handler_deep_in_recursion_fails_like_any_other(attempt: Attempt) -> None:
    plugin = Plugin("deep")

    def dig(depth: int) -> int:
        return dig(depth + 1)

    @plugin.message()
    async def deep(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        dig(0)

    ended = await attempt(plugin)

    assert "RecursionError" in str(ended.error)
    assert sys.getrecursionlimit() < 100_000
