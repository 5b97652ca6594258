"""A bell wakes the one who waits: at once, or when it has been rung before, or at the earliest of the moments named."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

from gateway.worker.bell import Bell
from tests.support.loops import turns

SOON = 0.02
NEVER = 600.0


async def is_rung(bell: Bell) -> bool:
    """Whether whoever waits now is woken, all that is about to happen having happened."""
    waiting = asyncio.ensure_future(bell.wait())
    await turns()
    waiting.cancel()
    return waiting.done() and not waiting.cancelled()


async def test_it_wakes_who_waits() -> None:
    bell = Bell()
    waiting = asyncio.ensure_future(bell.wait())
    await asyncio.sleep(0)

    assert not waiting.done()
    bell.ring()
    await asyncio.wait_for(waiting, 1)


async def test_who_comes_after_it_was_rung_does_not_wait_until_it_is_reset() -> None:
    bell = Bell()
    bell.ring()

    assert await is_rung(bell)
    assert await is_rung(bell)
    bell.reset()
    assert not await is_rung(bell)


async def test_of_the_moments_named_the_earliest_holds() -> None:
    bell = Bell()
    began = time.monotonic()
    bell.ring_within(NEVER)
    bell.ring_within(SOON)
    bell.ring_within(NEVER)

    await asyncio.wait_for(bell.wait(), 10)

    assert time.monotonic() - began >= SOON


async def test_a_moment_that_was_named_holds_though_it_was_reset_and_rings_once() -> None:
    bell = Bell()
    bell.ring_within(SOON)
    bell.reset()
    assert not await is_rung(bell)

    await asyncio.wait_for(bell.wait(), 10)
    bell.reset()
    assert not await is_rung(bell)


async def test_after_a_moment_another_can_be_named() -> None:
    bell = Bell()
    for _ in range(2):
        bell.ring_within(SOON)
        await asyncio.wait_for(bell.wait(), 10)
        bell.reset()


async def test_it_can_be_rung_though_whoever_waited_has_given_up() -> None:
    bell = Bell()
    waiting = asyncio.ensure_future(bell.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    bell.ring()

    assert await is_rung(bell)


class Plain:
    """A loop whose timers don't say when they ring, as uvloop's don't where that is soon."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.time = self._loop.time
        self.create_future = self._loop.create_future

    def call_at(self, when: float, ring: Callable[[], None]) -> object:
        return SimpleNamespace(cancel=self._loop.call_at(when, ring).cancel)


async def test_it_rings_at_the_earliest_moment_where_a_timer_does_not_say_when_that_is() -> None:
    bell = Bell()
    bell._loop = cast("asyncio.AbstractEventLoop", Plain())
    for seconds in (NEVER, SOON, NEVER):
        bell.ring_within(seconds)

    await asyncio.wait_for(bell.wait(), 10)
