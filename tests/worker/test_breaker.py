"""A plugin whose every attempt fails is held back, and pays for the outage with no retry."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway import Context, Drop, MessagesUpsert, Plugin, Retry
from gateway.work import Delivery
from gateway.worker.breaker import FAILURES, PROBE_EVERY, Breaker
from gateway.worker.engine import Engine
from gateway.worker.verdict import Result
from tests.worker.conftest import Bench, message

HOUR = 3600.0


def chat(number: int) -> str:
    return f"55119999{number:05d}@s.whatsapp.net"


def delivery(lane: str = "lane") -> Delivery:
    return Delivery(id=1, seq=1, plugin="shop", lane=lane)


def failed(breaker: Breaker, times: int = FAILURES, lanes: int = 3) -> Breaker:
    for n in range(times):
        breaker.note("failed", delivery(f"lane {n % lanes}"), 0.0)
    return breaker


def test_ten_failures_in_a_row_from_three_lanes_open_it() -> None:
    assert failed(Breaker()).is_open
    assert not failed(Breaker(), times=9).is_open


def test_any_number_of_failures_from_two_lanes_leaves_it_closed() -> None:
    breaker = failed(Breaker(), times=100, lanes=2)

    breaker.note("failed", delivery("a third lane"), 0.0)

    assert not failed(Breaker(), times=100, lanes=2).is_open
    assert breaker.is_open


def test_a_success_begins_a_new_row() -> None:
    breaker = failed(Breaker(), times=9)

    breaker.note("done", delivery(), 0.0)

    assert not failed(breaker, times=9).is_open


@pytest.mark.parametrize("result", ["retry", "dropped", "skipped", "dead"])
def test_what_is_neither_failure_nor_success_neither_opens_nor_closes_it(result: Result) -> None:
    one_short = failed(Breaker(), times=9)
    opened = failed(Breaker())

    assert all(one_short.note(result, delivery(f"lane {n}"), 0.0) for n in range(20))
    assert opened.note(result, delivery(), 0.0)

    assert not one_short.is_open
    assert failed(one_short, times=1).is_open
    assert opened.is_open


def test_failures_count_until_it_opens_and_a_success_makes_them_count_again() -> None:
    breaker = Breaker()

    counted = [breaker.note("failed", delivery(f"lane {n}"), 0.0) for n in range(12)]
    breaker.note("done", delivery(), 0.0)

    assert counted == [True] * 9 + [False] * 3
    assert breaker.note("failed", delivery(), 0.0)


def test_a_probe_that_shows_nothing_makes_room_for_the_next_at_once() -> None:
    breaker = failed(Breaker())
    breaker.probing(1, 100.0)
    assert breaker.probe_at == 100.0 + PROBE_EVERY

    breaker.note("skipped", delivery(), 101.0)

    assert breaker.probe_at == 101.0


class Outside:
    """What a plugin's handlers need, and which is down at first."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.is_down = True
        self.up_for = 0
        """So many calls go well although it is down."""
        self.error: Callable[[], Exception] = lambda: ConnectionError("no route to 10.0.0.7")

    def plugin(self, name: str = "shop") -> Plugin[Any, Any]:
        plugin = Plugin(name)

        @plugin.message()
        async def ask(event: MessagesUpsert, ctx: Context) -> None:
            del ctx
            is_up = self._is_up() and event.message.text != "poison"
            self.bench.note((event.message.text, "up" if is_up else "down"))
            if not is_up:
                raise self.error()

        return plugin

    def _is_up(self) -> bool:
        self.up_for -= self.is_down
        return not self.is_down or self.up_for >= 0

    def handled(self) -> list[str]:
        return [text for text, state in self.bench.seen if state == "up"]

    def attempts(self) -> int:
        return len(self.bench.seen)


@pytest.fixture
def outside(bench: Bench) -> Outside:
    return Outside(bench)


async def pass_time(bench: Bench, engine: Engine, seconds: float, *, step: float = PROBE_EVERY) -> None:
    """Let time pass in steps, each after what it made possible has ended."""
    end = bench.now + seconds
    while bench.now < end:
        bench.now += step
        await quiet(bench, engine)


async def quiet(bench: Bench, engine: Engine) -> None:
    """Wait until nothing runs and nothing may start."""
    engine.wake()
    await bench.until(lambda: all(resting(each, bench.now) for each in engine._running.values()))


def resting(running: Any, now: float) -> bool:  # noqa: ANN401 -- the engine's inside
    due = running.next_due()
    return not running.lanes.running and (due is None or due > now)


async def test_an_hours_outage_makes_no_dead_letter_and_afterwards_all_is_handled_in_order(
    bench: Bench, outside: Outside
) -> None:
    posts = [message(f"{n % 5}/{n}", chat(n % 5)) for n in range(40)]

    async with bench.worker(outside.plugin()) as engine:
        await bench.post(*posts)
        await bench.until(lambda: engine._running["shop"].breaker.is_open or bench.settled)
        await pass_time(bench, engine, HOUR)
        during = outside.attempts()
        outside.is_down = False
        await pass_time(bench, engine, PROBE_EVERY)
        await bench.until(lambda: len(bench.outcomes()) == 40)

    assert during <= FAILURES + 5 + HOUR / PROBE_EVERY
    assert {status for _, status in bench.outcomes()} == {"done"}
    for lane in "01234":
        assert [text for text in outside.handled() if text[0] == lane] == [
            f"{n % 5}/{n}" for n in range(int(lane), 40, 5)
        ]
    assert bench.rows("SELECT DISTINCT failures FROM delivery") == [(0,)]


async def test_an_outage_that_comes_and_goes_for_an_hour_makes_no_dead_letter_either(
    bench: Bench, outside: Outside
) -> None:
    async with bench.worker(outside.plugin()) as engine:
        await bench.post(*[message(f"{n % 5}/{n}", chat(n % 5)) for n in range(60)])
        await bench.until(lambda: bench.settled)
        for _ in range(20):
            await pass_time(bench, engine, 150)
            outside.up_for = 1
            await pass_time(bench, engine, PROBE_EVERY)
        lucky = len(outside.handled())
        outside.is_down = False
        await pass_time(bench, engine, PROBE_EVERY)
        await bench.until(lambda: len(bench.outcomes()) == 60)

    assert lucky == 20
    assert {status for _, status in bench.outcomes()} == {"done"}


async def test_the_same_hour_makes_dead_letters_where_no_breaker_opens(bench: Bench, outside: Outside) -> None:
    async with bench.worker(outside.plugin()) as engine:
        engine._running["shop"].breaker = Breaker(failures=10**9)
        await bench.post(*[message(f"{n % 5}/{n}", chat(n % 5)) for n in range(40)])
        await bench.until(lambda: bench.settled)
        await pass_time(bench, engine, HOUR)

    assert ("dead",) in bench.rows("SELECT status FROM delivery")


async def test_while_it_is_open_one_delivery_probes_every_thirty_seconds(bench: Bench, outside: Outside) -> None:
    await bench.post(*[message(f"m{n}", chat(n)) for n in range(4)])
    async with bench.worker(outside.plugin(), retry=(0,) * 9) as engine:
        await bench.until(lambda: engine._running["shop"].breaker.is_open)
        await quiet(bench, engine)
        before = outside.attempts()
        await pass_time(bench, engine, 29, step=29)
        at_29 = outside.attempts()
        await pass_time(bench, engine, 1, step=1)

    assert at_29 == before
    assert outside.attempts() == before + 1


async def test_a_delivery_that_fails_by_its_own_fault_does_not_keep_it_open(bench: Bench, outside: Outside) -> None:
    await bench.post(message("poison", chat(0)), *[message(f"m{n}", chat(n)) for n in range(1, 4)])
    async with bench.worker(outside.plugin(), retry=(0,) * 9) as engine:
        await bench.until(lambda: engine._running["shop"].breaker.is_open)
        await quiet(bench, engine)
        outside.is_down = False
        await pass_time(bench, engine, 2 * PROBE_EVERY)
        await bench.until(lambda: len(outside.handled()) == 3)

    assert sorted(outside.handled()) == ["m1", "m2", "m3"]


async def test_other_plugins_go_on(bench: Bench, outside: Outside) -> None:
    fine = Plugin("fine")

    @fine.message()
    async def take(event: MessagesUpsert, ctx: Context) -> None: ...

    await bench.post(*[message(f"m{n}", chat(n)) for n in range(4)])
    async with bench.worker(outside.plugin(), fine, retry=(0,) * 9) as engine:
        await bench.until(lambda: engine._running["shop"].breaker.is_open)
        await bench.post(*[message(f"m{n}", chat(n)) for n in range(4)])
        await bench.until(lambda: len(bench.outcomes("fine")) == 8)

    assert bench.outcomes("shop") == []


@pytest.mark.parametrize("error", [lambda: Retry(after=0), lambda: Drop("not for us")])
async def test_a_plugin_that_asks_for_retries_or_drops_is_not_held(
    bench: Bench, outside: Outside, error: Callable[[], Exception]
) -> None:
    outside.error = error
    async with bench.worker(outside.plugin(), retry=(0,)) as engine:
        await bench.post(*[message(f"m{n}", chat(n)) for n in range(30)])
        await bench.until(lambda: outside.attempts() >= 30)
        is_open = engine._running["shop"].breaker.is_open

    assert not is_open


async def test_the_next_worker_knows_of_the_outage_and_probes_at_once(bench: Bench, outside: Outside) -> None:
    async with bench.worker(outside.plugin(), retry=(0,) * 9) as engine:
        await bench.post(*[message(f"m{n}", chat(n)) for n in range(4)])
        await bench.until(lambda: bench.rows("SELECT * FROM fact WHERE key = 'outages' AND value LIKE '%10.0.0.7%'"))
    before = outside.attempts()

    async with bench.worker(outside.plugin(), retry=(0,) * 9) as engine:
        await bench.until(lambda: outside.attempts() > before)
        await quiet(bench, engine)
        probes = outside.attempts() - before
        outside.is_down = False
        await pass_time(bench, engine, PROBE_EVERY)
        await bench.until(lambda: len(bench.outcomes()) == 4)
        await bench.until(lambda: bench.rows("SELECT value FROM fact WHERE key = 'outages'") == [("{}",)])

    assert probes == 1


async def test_it_says_in_one_sentence_who_is_held_and_why_until_that_is_over(bench: Bench, outside: Outside) -> None:
    async with bench.worker(outside.plugin(), retry=(0,) * 9) as engine:
        await bench.post(*[message(f"m{n}", chat(n)) for n in range(4)])
        await bench.until(lambda: engine._running["shop"].outage)
        sentence = engine._running["shop"].trouble
        await quiet(bench, engine)
        outside.is_down = False
        await pass_time(bench, engine, PROBE_EVERY)
        await bench.until(lambda: len(bench.outcomes()) == 4)
        after = engine._running["shop"].trouble

    assert sentence is not None
    assert sentence.startswith("shop fails again and again (ConnectionError: no route to 10.0.0.7)")
    assert after is None
