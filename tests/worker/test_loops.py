"""A bot that answers one chat too often is stopped there, loudly, and nowhere else."""

import time

import pytest

from gateway import Context, Event, EventContext, MessagesUpsert, Plugin
from gateway.work import Delivery
from gateway.worker.loops import Loops
from tests.worker.conftest import BIA, Bench, message

Told = list[tuple[str, str | None]]


def delivery(*, lane: str = "shop-1/ana", run: int = 0, control: int = 0) -> Delivery:
    return Delivery(id=1, seq=1, plugin="ping", lane=lane, run=run, control=control)


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def loops(told: Told) -> Loops:
    return Loops({"ping": 2}, lambda key, sentence: told.append((key, sentence)))


def stopped(loops: Loops, *times: float, lane: str = "shop-1/ana") -> list[bool]:
    return [loops.stops(delivery(lane=lane), at) is not None for at in times]


def test_answers_above_the_limit_within_a_minute_are_stopped(loops: Loops) -> None:
    assert stopped(loops, 0, 1, 2, 59) == [False, False, True, True]


def test_answers_that_spread_over_time_are_no_loop_however_fast_they_are_handled(loops: Loops) -> None:
    assert stopped(loops, 0, 40, 80, 120, 160) == [False] * 5


def test_a_chat_is_free_again_once_it_was_quiet_for_a_minute_and_not_before(loops: Loops) -> None:
    assert stopped(loops, 0, 1, 2, 50, 61.5, 170) == [False, False, True, True, True, False]


def test_a_clock_that_is_set_back_stops_nobody_for_long(loops: Loops, told: Told) -> None:
    assert stopped(loops, 3600, 3601, 3602) == [False, False, True]
    assert stopped(loops, 0, 1, 90, 91) == [False, False, False, False]

    loops.release(5)
    assert told[-1][1] is None


def test_other_chats_are_not_concerned(loops: Loops) -> None:
    assert stopped(loops, 0, 1, 2) == [False, False, True]
    assert stopped(loops, 2, lane="shop-1/bia") == [False]


def test_what_people_asked_for_again_and_what_answers_nobody_does_not_count(loops: Loops) -> None:
    for again in (delivery(run=1), delivery(control=3), delivery()):
        assert loops.stops(again, None if again == delivery() else 0) is None

    assert stopped(loops, 0, 0) == [False, False]


def test_zero_is_no_limit(told: Told) -> None:
    loops = Loops({"ping": 0}, lambda key, sentence: told.append((key, sentence)))

    assert stopped(loops, *[0.0] * 100) == [False] * 100


def test_what_an_earlier_worker_has_answered_counts(told: Told) -> None:
    recent = [("ping", "shop-1/ana", 0.0), ("ping", "shop-1/ana", 1.0)]
    loops = Loops({"ping": 2}, lambda key, sentence: told.append((key, sentence)), recent)

    assert stopped(loops, 2) == [True]


def test_people_are_told_once_and_again_when_it_is_over(loops: Loops, told: Told) -> None:
    lane = "shop-1/5511999990002@s.whatsapp.net"
    stopped(loops, 0, 1, 2, 3, lane=lane)
    loops.release(40)
    before = list(told)
    loops.release(64)

    ((key, sentence),) = before
    assert "ping was stopped in shop-1/…0002" in str(sentence)
    assert told[1:] == [(key, None)]


def ping() -> Plugin:
    plugin = Plugin("ping")

    @plugin.message()
    async def answer(event: MessagesUpsert, ctx: Context) -> None:
        ctx.state["count"] = ctx.state.get("count", 0) + 1
        ctx.reply(event.text)

    return plugin


async def test_a_stopped_answer_is_a_dead_letter_that_says_why_and_nothing_of_it_is_kept(bench: Bench) -> None:
    async with bench.worker(ping(), replies_per_minute=2):
        await bench.post(*(message(f"{n}") for n in range(4)), message("x", BIA))
        await bench.until(lambda: len(bench.outcomes()) == 5)

    assert sorted(bench.outcomes()) == [(1, "done"), (2, "done"), (3, "dead"), (4, "dead"), (5, "done")]
    assert bench.rows("SELECT seq FROM outbox ORDER BY seq") == [(1,), (2,), (5,)]
    assert bench.rows("SELECT value FROM state WHERE scope LIKE '%0002%'") == [(b'{"count":2}',)]
    ((error,),) = bench.rows("SELECT DISTINCT error FROM delivery WHERE status = 'dead'")
    assert "answered this chat 2 times within a minute" in error
    assert "ping was stopped in shop-1/…0002" in str(bench.troubles)


async def test_the_next_worker_goes_on_counting(bench: Bench) -> None:
    bench.now = time.time()  # events are accepted by that clock, and messages queued by the engine's
    async with bench.worker(ping(), replies_per_minute=2):
        await bench.post(message("a"), message("b"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    async with bench.worker(ping(), replies_per_minute=2):
        await bench.post(message("c"))
        await bench.until(lambda: len(bench.outcomes()) == 3)

    assert bench.outcomes()[-1] == (3, "dead")


async def test_messages_to_others_are_no_answers(bench: Bench) -> None:
    plugin = Plugin("relay")

    @plugin.on(Event)
    async def pass_on(event: Event, ctx: EventContext) -> None:
        del event
        ctx.send(BIA, "something happened")

    async with bench.worker(plugin, replies_per_minute=2):
        await bench.post(*(message("a") for _ in range(5)))
        await bench.until(lambda: len(bench.outcomes()) == 5)

    assert {status for _, status in bench.outcomes()} == {"done"}
