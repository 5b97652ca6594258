"""Open live pages, as far as the gateway is concerned: streams that are read as fast as they come.

What they show is not looked at: fifty browsers have processors of their own, which these share with what is measured.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from bench.targets import Target

AT_ONCE: Final = 2**20  # bytes


@asynccontextmanager
async def watching(target: Target) -> AsyncIterator[None]:
    """Hold one page open; what it shows is thrown away."""
    assert target.gateway is not None  # noqa: S101 -- only a gateway has a page
    token = (target.gateway.data / "admin.token").read_text().strip()
    page = urlsplit(target.gateway.page)
    reader, writer = await asyncio.open_connection(page.hostname, page.port, limit=AT_ONCE)
    ask = f"GET /live/stream HTTP/1.1\r\nHost: {page.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(ask.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head, head  # noqa: S101 -- else nothing is measured
    reading = asyncio.create_task(_throw_away(reader))
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


async def _throw_away(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(AT_ONCE):
            pass
