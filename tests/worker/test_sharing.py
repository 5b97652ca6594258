"""A handler that computes gives the interpreter up soon enough for commits, and only while that is needed."""

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from gateway.work import Batch, Delivery, WorkStore
from gateway.worker.sharing import HELD, KEEP, ROW, SOON, USUAL, Sharing


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@contextlib.contextmanager
def somebody_computes() -> Iterator[None]:
    """Another thread that never waits for anything."""
    is_over = False

    def compute() -> None:
        while not is_over:
            pass

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        is_over = True
        thread.join()


async def write(store: WorkStore, first: int) -> None:
    taken = [Delivery(id=first + n, seq=first + n, plugin="bot", lane="a") for n in range(5)]
    await store.write(Batch(taken=taken, started=[(each, 1.0) for each in taken[1:]], positions={"bot": ("g", first)}))


async def test_commits_beside_a_thread_that_computes_soon_wait_for_it_less(tmp_path: Path) -> None:
    usual = sys.getswitchinterval()
    waited: list[float] = []
    try:
        sharing = Sharing()

        def note(seconds: float) -> None:
            waited.append(seconds)
            sharing.note(seconds)

        store = WorkStore(tmp_path, waited=note)
        with somebody_computes():
            while sys.getswitchinterval() == USUAL:
                await write(store, 10 * len(waited) + 1)
            slow = len(waited)
            for _ in range(20):
                await write(store, 10 * len(waited) + 1)
        await store.close()
    finally:
        sys.setswitchinterval(usual)

    assert all(each >= HELD for each in waited[slow - ROW : slow]), "control: without it they wait"
    assert min(waited[slow:]) < min(waited[slow - ROW : slow])


def test_it_is_short_for_a_minute_after_some_long_waits_in_a_row() -> None:
    told: list[float] = []
    clock = Clock()
    sharing = Sharing(switch_after=told.append, clock=clock)
    for waited in [*[HELD] * (ROW - 1), 0.0] * 3:
        sharing.note(waited)
    assert told == [USUAL], "control: one that waits now and then is nothing"

    for _ in range(ROW):
        sharing.note(HELD)
    clock.now += KEEP * 0.9
    sharing.note(0.0)
    assert told == [USUAL, SOON]

    clock.now += KEEP * 0.2
    sharing.note(0.0)
    assert told == [USUAL, SOON, USUAL]


def test_it_stays_short_while_somebody_computes_on() -> None:
    told: list[float] = []
    clock = Clock()
    sharing = Sharing(switch_after=told.append, clock=clock)
    for _ in range(ROW):
        sharing.note(HELD)
    clock.now += KEEP
    for _ in range(ROW):
        sharing.note(HELD)

    assert told[-1] == SOON
