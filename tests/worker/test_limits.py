"""One timer cuts off every attempt whose time is up, and no other."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.worker.limits import Limit, Limits

LONG = 60.0
SHORT = 0.02


async def limited(limits: Limits, work: Callable[[], Awaitable[object]]) -> str:
    """How something ends that has a limit."""
    limit = limits.begin()
    try:
        await work()
    except (TimeoutError, asyncio.CancelledError) as error:
        return said(limit, error)
    finally:
        limits.end(limit)
    return "over" if limit.is_over else "ended"


def said(limit: Limit, error: BaseException) -> str:
    return "cut off" if limit.explains(error) else type(error).__name__


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_each_is_cut_off_at_its_own_time() -> None:
    limits, loop = Limits(SHORT), asyncio.get_running_loop()

    async def timed() -> float:
        began = loop.time()
        assert await limited(limits, for_ever) == "cut off"
        return loop.time() - began

    async def later(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return await timed()

    lasted = await asyncio.gather(timed(), timed(), later(SHORT / 2), later(3 * SHORT))

    assert all(seconds >= SHORT * 0.99 for seconds in lasted)


async def test_what_ends_in_time_is_left_alone_and_so_is_what_comes_after() -> None:
    limits = Limits(SHORT)

    async def at_once() -> None: ...

    endings = [await limited(limits, at_once) for _ in range(3)]
    await asyncio.sleep(2 * SHORT)
    endings.append(await limited(limits, for_ever))

    assert endings == ["ended", "ended", "ended", "cut off"]


async def test_one_that_goes_on_after_it_was_cut_off_is_known() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)

    assert await limited(Limits(SHORT), stubborn) == "over"


async def test_a_task_is_as_before_when_its_limit_has_ended() -> None:
    task = asyncio.current_task()
    assert task is not None

    await limited(Limits(SHORT), for_ever)

    assert task.cancelling() == 0


async def test_an_error_of_its_own_is_not_the_limits() -> None:
    async def fail() -> None:
        raise TimeoutError

    assert await limited(Limits(LONG), fail) == "TimeoutError"


async def test_who_is_cancelled_by_somebody_else_is_not_cut_off() -> None:
    running = asyncio.create_task(limited(Limits(LONG), for_ever))
    await asyncio.sleep(0)
    running.cancel()

    assert await running == "CancelledError"


async def test_who_is_cancelled_by_somebody_else_as_well_is_not_cut_off() -> None:
    async def again() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.Event().wait()

    running = asyncio.create_task(limited(Limits(SHORT), again))

    assert await running == "CancelledError"


async def test_one_that_cannot_be_cancelled_does_not_keep_others_from_their_end() -> None:
    class Unwilling(asyncio.Future[None]):
        def cancel(self, msg: object = None) -> bool:
            del msg
            raise RuntimeError("I will not be cancelled")

    limits, raised = Limits(SHORT), list[object]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: raised.append(context.get("exception")))
    unwilling = Unwilling()

    async def wait() -> None:
        await unwilling

    first = asyncio.create_task(limited(limits, wait))
    second = asyncio.create_task(limited(limits, for_ever))

    assert await second == "cut off"
    assert [str(each) for each in raised] == ["I will not be cancelled"]
    unwilling.set_result(None)
    assert await first == "over"


async def test_only_one_timer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    limits, loop = Limits(LONG), asyncio.get_running_loop()
    armed: list[float] = []
    call_at = loop.call_at

    def note(when: float, *args: object) -> asyncio.TimerHandle:
        armed.append(when)
        return call_at(when, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_at", note)
    running = [asyncio.create_task(limited(limits, for_ever)) for _ in range(100)]
    await asyncio.sleep(0)

    assert len(armed) == 1
    for each in running:
        each.cancel()
    await asyncio.gather(*running)
