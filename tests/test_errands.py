"""Calls run one after the other on a thread of their own, and whoever waits hears what came of them."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from gateway.errands import Errands


@pytest.fixture
async def errands() -> AsyncIterator[Errands]:
    errands = Errands("errands")
    yield errands
    await errands.close()


async def test_calls_run_in_order_on_a_thread_of_their_own(errands: Errands) -> None:
    threads: list[str] = []

    await asyncio.gather(*(errands.run(lambda: threads.append(threading.current_thread().name)) for _ in range(3)))
    numbers = await asyncio.gather(*(errands.run(lambda n=n: n) for n in range(50)))  # type: ignore[misc]

    assert threads == ["errands"] * 3
    assert numbers == list(range(50))


async def test_an_error_is_heard_by_whoever_waits_and_the_next_call_runs(errands: Errands) -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await errands.run(fail)

    assert await errands.run(lambda: "fine") == "fine"


async def test_a_call_that_nobody_waits_for_any_more_does_no_harm(errands: Errands) -> None:
    gate = threading.Event()
    waiting = errands.run(gate.wait)
    waiting.cancel()
    gate.set()

    assert await errands.run(lambda: "fine") == "fine"


async def test_closing_waits_for_what_is_queued_and_for_the_thread_to_end() -> None:
    errands, gate = Errands("errands"), threading.Event()
    held, queued = errands.run(gate.wait), errands.run(lambda: "done")
    asyncio.get_running_loop().call_later(0.05, gate.set)

    await errands.close()

    assert not errands._thread.is_alive()
    assert (await held, await queued) == (True, "done")
