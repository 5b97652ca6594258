"""What routes/relay.py hands on."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.testing import Bot, HandlerFailed

RELAY = Path(__file__).parents[1] / "routes" / "relay.py"


@asynccontextmanager
async def other_side(*statuses: int) -> AsyncGenerator[tuple[Bot, list[tuple[str, Any]]]]:
    """The bot, and what the other webhook gets; it answers with these statuses in turn, then with 200."""
    waiting = list(statuses)
    got: list[tuple[str, Any]] = []

    async def post(request: web.Request) -> web.Response:
        got.append((request.headers["X-Delivery-Id"], await request.json()))
        return web.Response(status=waiting.pop(0) if waiting else 200)

    app = web.Application()
    app.router.add_post("/hook", post)
    async with TestServer(app) as server, Bot(RELAY, settings={"url": str(server.make_url("/hook"))}) as bot:
        yield bot, got


@pytest.mark.bot
async def test_an_event_goes_on_as_it_came() -> None:
    async with other_side() as (bot, got):
        await bot.event("connection.update", state="close")

        [(_, body)] = got
        assert (body["event"], body["instance"], body["data"]["state"]) == ("connection.update", "shop-1", "close")


@pytest.mark.bot
async def test_while_the_other_side_is_down_an_event_waits_and_keeps_its_id() -> None:
    async with other_side(502) as (bot, got):
        with pytest.raises(HandlerFailed, match="502"):
            await bot.event("connection.update")
        await bot.advance(1)

        assert [body["event"] for _, body in got] == ["connection.update"] * 2
        assert got[0][0] == got[1][0]
