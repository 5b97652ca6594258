"""An aiohttp handler that reads the body and answers, and does nothing else: as fast as this web server gets."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

ANSWER: Final = b'{"status":"accepted","id":"0"}'


async def serve(port: int, take: Callable[[web.Request], Awaitable[object]]) -> None:
    """Answer each post after `take`, for as long as the process runs."""

    async def accept(request: web.Request) -> web.Response:
        await take(request)
        return web.Response(status=202, body=ANSWER, content_type="application/json")

    app = web.Application(client_max_size=2**30)
    app.router.add_get("/health/ready", _ready)
    app.router.add_post("/webhook/messages-upsert", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


async def _ready(_request: web.Request) -> web.Response:
    return web.Response()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), web.Request.read))
