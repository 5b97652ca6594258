"""Hands every event on to another webhook as Evolution sent it: n8n, Typebot, or what you had before.

In config.yaml:  plugins: {relay: {settings: {url: https://n8n.example.com/webhook/whatsapp}}}
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from gateway import Event, EventContext, Plugin


class Settings(msgspec.Struct, frozen=True):
    """Where to."""

    url: str = ""
    """It takes the same POST as this gateway. Empty: nothing is handed on."""


@asynccontextmanager
async def open_session(_settings: Settings) -> AsyncGenerator[aiohttp.ClientSession]:
    """One for all events."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        yield session


plugin = Plugin(settings=Settings, lifespan=open_session)


@plugin.on(Event)
async def relay(event: Event, ctx: EventContext[Settings, aiohttp.ClientSession]) -> None:
    """In order within a chat, and again while the other side is down.

    A retry may bring an event twice: the header is the same then, so the other side can tell.
    """
    if not ctx.settings.url:
        return
    headers = {"X-Delivery-Id": ctx.delivery.id}
    async with ctx.resource.post(ctx.settings.url, json=event.raw, headers=headers) as answer:
        answer.raise_for_status()
