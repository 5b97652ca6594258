"""How far the worker is behind, and that events gather for a moment while that is far."""

from typing import cast

import pytest

from gateway.journal import Journal
from gateway.serve import lag
from gateway.serve.lag import FAR, GATHER, HEARD, KEPT, LATE, Lag
from gateway.worker.link import MOMENT
from tests.support.waiting import until


class Stub:
    """Stands in for a journal, and notes for how long what comes is to gather."""

    def __init__(self) -> None:
        self.last = 0
        self.pauses: list[float] = []

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


class Bench:
    """A worker's words at times of its own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.journal = Stub()
        self.lag = Lag(cast("Journal", self.journal), lambda: self.now)

    def after(self, seconds: float, *, accepted: int, done: list[int]) -> float:
        """So much later so many more are accepted, and the worker says what it is done with."""
        self.now += seconds
        self.journal.last += accepted
        self.lag.note(done)
        return self.lag.seconds


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_it_is_as_far_behind_as_what_it_is_done_with_is_old(bench: Bench) -> None:
    found = [bench.after(0.1, accepted=100, done=[50 * n]) for n in range(1, 5)]

    assert found == pytest.approx([0.0, 0.1, 0.1, 0.2])


async def test_it_is_not_behind_once_it_is_done_with_all(bench: Bench) -> None:
    bench.after(0, accepted=100, done=[1])
    assert bench.after(5, accepted=0, done=[50]) == 5, "control"

    assert bench.after(1, accepted=0, done=[100]) == 0
    assert bench.after(60, accepted=0, done=[7]) == 0  # a retry of something old


async def test_what_it_did_long_before_does_not_count_against_what_came_since(bench: Bench) -> None:
    bench.after(0, accepted=10, done=[10])

    assert bench.after(3600, accepted=10, done=[15]) == 0


async def test_a_number_that_the_journal_never_gave_does_no_harm(bench: Bench) -> None:
    assert bench.after(0, accepted=1, done=[7]) == 0

    assert bench.after(1, accepted=10, done=[8]) == 0


async def test_without_a_word_nothing_is_known(bench: Bench) -> None:
    bench.journal.last = 100

    assert bench.lag.seconds == 0


async def test_events_gather_from_so_far_behind_on_and_not_before(bench: Bench) -> None:
    bench.after(0, accepted=100, done=[1])
    bench.after(LATE * 0.9, accepted=100, done=[2])
    before = list(bench.journal.pauses)
    bench.after(LATE * 0.2, accepted=100, done=[3])

    assert (before, bench.journal.pauses) == ([], [GATHER])


async def test_they_do_not_gather_for_a_worker_that_is_so_far_behind_that_it_would_not_help(bench: Bench) -> None:
    bench.after(0, accepted=100, done=[1])
    bench.after(FAR * 0.9, accepted=100, done=[2])
    before = list(bench.journal.pauses)
    bench.after(FAR * 0.2, accepted=100, done=[3])

    assert (before, bench.journal.pauses) == ([GATHER], [GATHER])


async def test_they_no_longer_do_when_the_worker_says_nothing_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag, "HEARD", 0.05)
    bench.after(0, accepted=100, done=[1])
    bench.after(LATE, accepted=100, done=[2])
    bench.after(LATE, accepted=100, done=[3])
    assert bench.journal.pauses == [GATHER, GATHER], "control"

    await until(lambda: bench.journal.pauses[2:], "they no longer gather")
    assert bench.journal.pauses[2:] == [0.0]


async def test_it_keeps_a_bounded_number_of_moments(bench: Bench) -> None:
    bench.after(0, accepted=100, done=[1])
    behind = [bench.after(0.05, accepted=100, done=[2]) for _ in range(2 * KEPT)]

    assert max(behind) == pytest.approx(0.05 * (KEPT - 1))


def test_a_worker_says_more_often_how_far_it_is_than_that_is_forgotten() -> None:
    assert 2 * MOMENT < HEARD
