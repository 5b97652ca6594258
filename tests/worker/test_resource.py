"""A plugin's lifespan: opened before its first event, tried again while it fails, closed at the stop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from gateway import Context, MessagesUpsert, Plugin
from gateway.config import OwnSettings
from gateway.worker import resource
from tests.worker.conftest import Bench, Gate, message


class Shop(msgspec.Struct):
    name: str = "Loja"


async def test_what_it_yields_is_the_resource_of_every_handler_and_closed_at_the_stop(bench: Bench) -> None:
    @contextlib.asynccontextmanager
    async def opened(settings: Shop) -> AsyncIterator[str]:
        bench.note(("opened", asyncio.get_running_loop()))
        yield f"client of {settings.name}"
        bench.note(("closed", asyncio.get_running_loop()))

    plugin = Plugin("shop", settings=Shop, lifespan=opened)
    plugin.configure(OwnSettings())

    @plugin.message()
    async def take(event: MessagesUpsert, ctx: Context[Shop, str]) -> None:
        del event
        bench.note((ctx.resource, asyncio.get_running_loop()))

    async with bench.worker(plugin):
        await bench.post(message("a"), message("b"))
        await bench.until(lambda: len(bench.outcomes()) == 2)

    assert [what for what, _ in bench.seen] == ["opened", "client of Loja", "client of Loja", "closed"]
    assert len({loop for _, loop in bench.seen}) == 1


async def test_deliveries_wait_while_it_cannot_be_opened_and_people_are_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "WAITS", (0.01,))
    gate = Gate()

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        bench.note("tried")
        if not gate._opened.done():
            raise ConnectionError("no route to +5511999990002")
        yield

    plugin = Plugin("shop", lifespan=opened)

    @plugin.message()
    async def take(event: MessagesUpsert, ctx: Context[None, None]) -> None:
        del event, ctx
        bench.note("taken")

    async with bench.worker(plugin):
        await bench.post(message("a"))
        await bench.until(lambda: bench.seen.count("tried") > 2)
        waiting = bench.outcomes()
        gate.open()
        await bench.until(bench.outcomes)

    assert waiting == []
    assert bench.outcomes() == [(1, "done")]
    assert "shop can't open what it needs (ConnectionError: no route to +…0002)" in str(bench.troubles[0])
    assert bench.troubles[-1] is None
    assert bench.rows("SELECT failures FROM delivery") == [(0,)]


async def test_one_that_hangs_counts_as_failing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "WAITS", (0.01,))

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        bench.note("tried")
        await asyncio.Event().wait()
        yield

    plugin = Plugin("shop", lifespan=opened)
    plugin.message()(_nothing)

    async with bench.worker(plugin, timeout=0.02):
        await bench.until(lambda: bench.seen.count("tried") > 1)

    assert "it took longer than 0.02 s (delivery.timeout)" in str(bench.troubles[0])


async def test_other_plugins_go_on_while_one_waits_for_its_own(bench: Bench) -> None:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        await asyncio.Event().wait()
        yield

    held, free = Plugin("held", lifespan=opened), Plugin("free")
    held.message()(_nothing)
    free.message()(_nothing)

    async with bench.worker(held, free) as engine:
        await bench.post(message("a"))
        await bench.until(lambda: bench.outcomes("free"))

    assert bench.outcomes() == [(1, "done")]
    living = engine._running["held"].host._living
    assert living is not None
    assert living.cancelled()


async def test_what_fails_while_closing_is_logged_and_keeps_nobody(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        yield
        raise OSError("already gone")

    plugin = Plugin("shop", lifespan=opened)
    plugin.message()(_nothing)

    async with bench.worker(plugin):
        await bench.post(message("a"))
        await bench.until(bench.outcomes)

    assert "plugin_not_closed" in capsys.readouterr().out


async def _nothing(event: MessagesUpsert, ctx: Context[None, None]) -> None:
    del event, ctx
