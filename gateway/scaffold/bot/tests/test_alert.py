"""What routes/alert.py does when an instance comes and goes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.testing import Bot

ALERT = Path(__file__).parents[1] / "routes" / "alert.py"


@asynccontextmanager
async def team() -> AsyncGenerator[tuple[Bot, list[str]]]:
    """The bot, and what the team reads of it."""
    read: list[str] = []

    async def post(request: web.Request) -> web.Response:
        read.append((await request.json())["text"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/alerts", post)
    async with TestServer(app) as server, Bot(ALERT, settings={"url": str(server.make_url("/alerts"))}) as bot:
        yield bot, read


@pytest.mark.bot
async def test_the_team_hears_when_an_instance_is_lost_and_when_it_is_back() -> None:
    async with team() as (bot, read):
        await bot.event("connection.update", state="close", statusReason=401)
        await bot.event("connection.update", state="open")

        assert read == ["shop-1 lost WhatsApp (reason 401): look at it.", "shop-1 is back."]


@pytest.mark.bot
async def test_a_pairing_is_told_once_and_not_with_each_code() -> None:
    async with team() as (bot, read):
        await bot.event("qrcode.updated")
        await bot.event("qrcode.updated")

        assert read == ["shop-1 waits for its QR code to be scanned."]


@pytest.mark.bot
async def test_an_instance_that_was_never_lost_is_not_back() -> None:
    async with team() as (bot, read):
        await bot.event("connection.update", state="open")

        assert read == []
