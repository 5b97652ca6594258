"""Tells a team's chat (Slack, Mattermost, ntfy, ...) when an instance loses WhatsApp or wants its QR code scanned.

In config.yaml:  plugins: {alert: {settings: {url: "${ALERT_URL}"}}}
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from gateway import ConnectionUpdate, EventContext, Plugin, QrcodeUpdated
from gateway import filters as f


class Settings(msgspec.Struct, frozen=True):
    """Where people look."""

    url: str = ""
    """It takes a POST of `{"text": "..."}`. Empty: the log alone says it."""


@asynccontextmanager
async def open_session(_settings: Settings) -> AsyncGenerator[aiohttp.ClientSession]:
    """What all handlers post through."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


Ctx = EventContext[Settings, aiohttp.ClientSession]
plugin = Plugin(settings=Settings, lifespan=open_session)


@plugin.on(ConnectionUpdate, f.connection("close", "refused"))
async def lost(event: ConnectionUpdate, ctx: Ctx) -> None:
    """Nothing comes and nothing goes until somebody acts."""
    ctx.state["down"] = True
    await tell(ctx, f"{event.instance} lost WhatsApp (reason {event.connection.reason}): look at it.")


@plugin.on(ConnectionUpdate, f.connection("open") & f.state(down=True))
async def back(event: ConnectionUpdate, ctx: Ctx) -> None:
    """Said only if it was lost."""
    ctx.state.clear()
    await tell(ctx, f"{event.instance} is back.")


@plugin.on(QrcodeUpdated, ~f.state(down=True))
async def pairing(event: QrcodeUpdated, ctx: Ctx) -> None:
    """A QR code lasts a minute and another follows: it is said once, until the instance is open."""
    ctx.state["down"] = True
    await tell(ctx, f"{event.instance} waits for its QR code to be scanned.")


async def tell(ctx: Ctx, text: str) -> None:
    """Post it; what fails is tried again with its delivery."""
    ctx.log.warning("alert", text=text)
    if ctx.settings.url:
        (await ctx.resource.post(ctx.settings.url, json={"text": text})).raise_for_status()
