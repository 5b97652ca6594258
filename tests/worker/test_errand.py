"""What runs in a thread is waited for as often as it takes."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from gateway.worker.errand import Errand
from tests.worker.conftest import Gate


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


async def test_it_gives_what_the_function_gave_and_says_in_which_thread(threads: ThreadPoolExecutor) -> None:
    errand = Errand(threads, threading.get_ident)
    await errand.until_over()

    assert errand.is_over
    assert errand.result == errand.thread != threading.get_ident()


@pytest.mark.parametrize("error", [StopIteration(7), SystemExit(1), asyncio.CancelledError()], ids=repr)
async def test_it_carries_every_error(threads: ThreadPoolExecutor, error: BaseException) -> None:
    def fail() -> None:
        raise error

    errand = Errand(threads, fail)
    await errand.until_over()

    assert errand.result is error


async def test_who_was_cancelled_may_wait_again_also_after_its_end(threads: ThreadPoolExecutor, gate: Gate) -> None:
    errand = Errand(threads, gate.wait)
    for _ in range(2):
        waiting = asyncio.ensure_future(errand.until_over())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    assert not errand.is_over
    gate.open()
    await errand.until_over()
    await errand.until_over()


async def test_two_do_not_share_what_they_set_for_themselves(threads: ThreadPoolExecutor) -> None:
    seen: list[object] = []
    local: ContextVar[str | None] = ContextVar("local", default=None)

    def note() -> None:
        seen.append(local.get())
        local.set("set")

    for _ in range(2):
        await Errand(threads, note).until_over()

    assert seen == [None, None]


def test_one_whose_loop_is_closed_ends_all_the_same(threads: ThreadPoolExecutor, gate: Gate) -> None:
    async def begin() -> Errand:
        return Errand(threads, gate.wait)

    errand = asyncio.run(begin())
    gate.open()
    threads.shutdown()

    assert errand.thread is not None
    assert not errand.is_over
