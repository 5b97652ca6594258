"""Looks an order up at the shop's own HTTP service: "order 4711".

In config.yaml:  plugins: {orders: {settings: {url: https://shop.example.com/api}}}
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp
import msgspec

from gateway import Context, MessagesUpsert, Plugin, Retry
from gateway import filters as f


class Settings(msgspec.Struct, frozen=True):
    """Where the service is."""

    url: str = "http://127.0.0.1:9000"
    """It answers `GET /orders/4711` with `{"status": "..."}`, or 404."""


@asynccontextmanager
async def open_shop(settings: Settings) -> AsyncGenerator[aiohttp.ClientSession]:
    """One session for all handlers, opened before the first event and closed at the end."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(settings.url, timeout=timeout) as session:
        yield session


Ctx = Context[Settings, aiohttp.ClientSession]
plugin = Plugin(settings=Settings, lifespan=open_shop)


@plugin.message(f.regex(r"order (?P<number>\d+)"))
async def order(event: MessagesUpsert, ctx: Ctx) -> None:
    """While the service is busy the question waits; any other error is tried again too, and then a dead letter."""
    number = ctx.match["number"]
    async with ctx.resource.get(f"/orders/{number}") as answer:
        if answer.status == HTTPStatus.NOT_FOUND:
            ctx.reply(f"There is no order {number}.")
            return
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise Retry(after=30)
        answer.raise_for_status()
        found = await answer.json()
    ctx.reply(f"Order {number} is {found['status']}.")
