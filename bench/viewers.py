"""Open live pages, as far as the gateway is concerned: streams that are read as fast as they come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bench.targets import Target


@asynccontextmanager
async def watching(target: Target) -> AsyncIterator[None]:
    """Hold one page open; what it shows is thrown away."""
    assert target.gateway is not None  # noqa: S101 -- only a gateway has a page
    token = (target.gateway.data / "admin.token").read_text().strip()
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        aiohttp.ClientSession(timeout=timeout, headers={"Authorization": f"Bearer {token}"}) as session,
        session.get(f"{target.gateway.page}/live/stream") as response,
    ):
        response.raise_for_status()
        reading = asyncio.create_task(_throw_away(response))
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _throw_away(response: aiohttp.ClientResponse) -> None:
    with contextlib.suppress(aiohttp.ClientError):
        async for _ in response.content.iter_any():
            pass
