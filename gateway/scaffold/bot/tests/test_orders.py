"""What routes/orders.py does, as a chat, before a small shop."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.testing import Bot, HandlerFailed

ORDERS = Path(__file__).parents[1] / "routes" / "orders.py"
ANA = "+55 11 99999-0002"


@asynccontextmanager
async def shop(*answers: web.Response) -> AsyncGenerator[Bot]:
    """The bot, before a shop that gives these answers in turn."""
    waiting = list(answers)

    async def answer(_request: web.Request) -> web.Response:
        return waiting.pop(0)

    app = web.Application()
    app.router.add_get("/orders/{number}", answer)
    async with TestServer(app) as server, Bot(ORDERS, settings={"url": str(server.make_url("/"))}) as bot:
        yield bot


@pytest.mark.bot
async def test_an_order_is_looked_up() -> None:
    async with shop(web.json_response({"status": "on its way"})) as bot:
        assert await bot.chat(ANA).send("order 4711") == ["Order 4711 is on its way."]


@pytest.mark.bot
async def test_an_order_that_nobody_knows() -> None:
    async with shop(web.Response(status=404)) as bot:
        assert await bot.chat(ANA).send("order 4711") == ["There is no order 4711."]


@pytest.mark.bot
async def test_a_busy_shop_is_asked_again_after_half_a_minute() -> None:
    async with shop(web.Response(status=503), web.json_response({"status": "packed"})) as bot:
        ana = bot.chat(ANA)

        assert await ana.send("order 4711") == []
        await bot.advance(30)

        assert ana.replies == ["Order 4711 is packed."]


@pytest.mark.bot
async def test_a_broken_shop_is_a_failure_that_is_tried_again() -> None:
    async with shop(web.Response(status=500), web.json_response({"status": "packed"})) as bot:
        ana = bot.chat(ANA)

        with pytest.raises(HandlerFailed, match="500"):
            await ana.send("order 4711")
        await bot.advance(1)

        assert ana.replies == ["Order 4711 is packed."]
