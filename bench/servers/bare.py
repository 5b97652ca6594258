"""An aiohttp handler that reads the body and answers, and does nothing else: as fast as this web server gets."""

import asyncio
import sys
from typing import Final

from aiohttp import web

ANSWER: Final = b'{"status":"accepted","id":"0"}'


async def _accept(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=202, body=ANSWER, content_type="application/json")


async def _ready(_request: web.Request) -> web.Response:
    return web.Response()


async def _serve(port: int) -> None:
    app = web.Application(client_max_size=2**30)
    app.router.add_get("/health/ready", _ready)
    app.router.add_post("/webhook/messages-upsert", _accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
