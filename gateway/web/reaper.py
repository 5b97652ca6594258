"""Close connections on which nothing happens: slow headers, and keep-alive that nobody uses.

The web server limits neither the time a client takes to send its headers nor the number of clients that take it, so ten
thousand of them would hold ten thousand descriptors. Bodies have a limit of their own where they are read.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.web.posts import PostConnection

IDLE: Final = 10.0
"""Seconds a connection may be open without a request; Evolution itself closes idle ones after 5."""


class Reaper:
    """Watches the connections of one listener. Its middleware has to be in the application."""

    def __init__(self, idle: float = IDLE) -> None:
        self._idle = idle
        self._busy: set[asyncio.BaseProtocol] = set()
        self._since: dict[asyncio.BaseProtocol, float] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count a connection as busy while its request is answered."""
        connection = request.protocol
        self._busy.add(connection)
        try:
            return await handler(request)
        finally:
            self._busy.discard(connection)
            self._since[connection] = asyncio.get_running_loop().time()

    @contextlib.asynccontextmanager
    async def watch(self, server: web.Server, posts: Collection[PostConnection] = ()) -> AsyncIterator[None]:
        """Reap while the block runs: a web server's connections, and those that it has not got yet."""
        task = asyncio.create_task(self._reap(server, posts), name="reaper")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _reap(self, server: web.Server, posts: Collection[PostConnection]) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._idle / 5)
            now, open_now = clock(), server.connections
            self._since = {each: self._since.get(each, now) for each in open_now}
            for connection in open_now:
                if connection not in self._busy and now - self._since[connection] > self._idle:
                    connection.force_close()
            for post in list(posts):
                post.look(time.monotonic(), self._idle)
