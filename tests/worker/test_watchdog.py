"""A plugin that blocks is named: plugin, handler, function and line; once, and once more when it goes on."""

import contextlib
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway import Context, MessagesUpsert, Plugin
from gateway.worker.engine import Engine
from gateway.worker.frames import place_of
from gateway.worker.watchdog import BLOCKED_AFTER, Watchdog
from tests.support.waiting import until
from tests.worker.conftest import Bench, Gate, message, waiting

Lines = list[Any]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged."""
    with structlog.testing.capture_logs() as captured:
        yield captured


class Wrist:
    """A watchdog with a clock in hand."""

    def __init__(self, engine: Engine) -> None:
        self.now = 0.0
        self.said: dict[str, str | None] = {}
        hosts = [each.host for each in engine._running.values()]
        self.dog = Watchdog(hosts, self._say, lambda: self.now)

    def look(self, later: float = 0.0) -> None:
        self.now += later
        self.dog.look()

    def _say(self, key: str, sentence: str | None) -> None:
        self.said[key] = sentence


def wait_in_a_helper(gate: Gate) -> None:
    gate.wait()


def hangs(engine: Engine) -> bool:
    host = engine._running["shop"].host
    place = place_of(host.thread, __file__)
    return place is not None and place.line == wait_in_a_helper.__code__.co_firstlineno + 1


def blocking(gate: Gate) -> Plugin[Any, Any]:
    plugin = Plugin("shop")

    @plugin.message()
    async def ask_stock(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        wait_in_a_helper(gate)

    return plugin


def about(lines: Lines, fact: str) -> Lines:
    return [line for line in lines if line["event"] == fact]


async def test_a_blocking_handler_is_named_once_with_its_line(bench: Bench, gate: Gate, lines: Lines) -> None:
    async with bench.worker(blocking(gate)) as engine:
        wrist = Wrist(engine)
        await bench.post(message("hi"))
        await until(lambda: hangs(engine), "it hangs")
        wrist.look()
        wrist.look(later=BLOCKED_AFTER - 0.1)
        too_early = about(lines, "plugin_blocks")
        for _ in range(3):
            wrist.look(later=1)
        gate.open()

    (line,) = about(lines, "plugin_blocks")
    source = Path(__file__).read_text().splitlines()
    assert too_early == []
    assert (line["plugin"], line["handler"], line["function"]) == ("shop", "ask_stock", "wait_in_a_helper")
    assert Path(line["file"]) == Path(__file__)
    assert source[line["line"] - 1].strip() == "gate.wait()"
    assert line["seconds"] == BLOCKED_AFTER + 0.9
    (sentence,) = wrist.said.values()
    assert sentence is not None
    assert sentence.startswith(f"shop hangs in wait_in_a_helper (test_watchdog.py:{line['line']}); until that ends")


async def test_a_lifespan_that_blocks_is_named_like_a_handler(bench: Bench, gate: Gate, lines: Lines) -> None:
    @contextlib.asynccontextmanager
    async def connect() -> AsyncGenerator[None]:
        bench.note("begun")
        gate.wait()
        yield

    plugin = Plugin("shop", lifespan=connect)

    async with bench.worker(plugin) as engine:
        wrist = Wrist(engine)
        await bench.until(lambda: bench.seen)
        wrist.look()
        wrist.look(later=BLOCKED_AFTER)
        gate.open()

    (line,) = about(lines, "plugin_blocks")
    assert line["plugin"] == "shop"
    assert str(next(iter(wrist.said.values()))).startswith("shop hangs in connect (test_watchdog.py:")


async def test_when_it_goes_on_that_is_said_too(bench: Bench, gate: Gate, lines: Lines) -> None:
    async with bench.worker(blocking(gate)) as engine:
        wrist = Wrist(engine)
        await bench.post(message("hi"))
        await until(lambda: hangs(engine), "it hangs")
        wrist.look()
        wrist.look(later=7)
        gate.open()
        await bench.until(bench.outcomes)
        wrist.look()

    (line,) = about(lines, "plugin_free")
    assert (line["plugin"], line["seconds"]) == ("shop", 7.0)
    assert list(wrist.said.values()) == [None]


async def test_a_handler_that_awaits_for_long_blocks_nobody(bench: Bench, gate: Gate, lines: Lines) -> None:
    async with bench.worker(waiting(bench, gate, "shop")) as engine:
        wrist = Wrist(engine)
        await bench.post(message("hi"))
        await bench.until(lambda: bench.seen)
        for _ in range(20):
            wrist.look(later=1)
            engine._running["shop"].host.call(lambda: bench.note("turned"))
            await bench.until(lambda: "turned" in bench.seen)
            bench.seen.clear()
        gate.open()
        await bench.until(bench.outcomes)

    assert about(lines, "plugin_blocks") == []
    assert about(lines, "plugin_free") == []


async def test_a_plugin_with_nothing_to_do_is_not_asked(bench: Bench, gate: Gate) -> None:
    async with bench.worker(waiting(bench, gate, "shop")) as engine:
        wrist = Wrist(engine)
        before = wrist.dog._pulses[0]._asked
        wrist.look()
        idle = wrist.dog._pulses[0]._asked
        await bench.post(message("hi"))
        await bench.until(lambda: bench.seen)
        wrist.look()
        busy = wrist.dog._pulses[0]._asked
        gate.open()
        await bench.until(bench.outcomes)

    assert (before, idle, busy) == (None, None, 0.0)


async def test_a_def_handler_over_its_time_is_named_with_its_line(bench: Bench, gate: Gate, lines: Lines) -> None:
    plugin = Plugin("shop")

    @plugin.message()
    def ask_stock(event: MessagesUpsert, ctx: Context) -> None:
        gate.wait()
        del event, ctx

    async with bench.worker(plugin, timeout=0.3, retry=()):
        await bench.post(message("hi"))
        await until(lambda: about(lines, "handler_overran"), "it is said")
        gate.open()
        await bench.until(bench.outcomes)

    (line,) = about(lines, "handler_overran")
    source = Path(__file__).read_text().splitlines()
    assert (line["handler"], line["function"]) == ("ask_stock", "ask_stock")
    assert source[line["line"] - 1].strip() == "gate.wait()"


async def test_the_engine_keeps_a_watchdog(bench: Bench, gate: Gate) -> None:
    async with bench.worker(waiting(bench, gate, "shop")) as engine:
        await bench.post(message("hi"))
        await bench.until(lambda: bench.seen)
        (pulse,) = engine._watchdog._pulses
        await until(lambda: pulse._asked is not None, "it is asked for a sign of life")
        gate.open()
        await bench.until(bench.outcomes)
