"""Connections on which nothing happens are closed; those at work are not."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.web.reaper import Reaper

IDLE = 0.2


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    reaper = Reaper(IDLE)

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(IDLE * 5)
        return web.Response(text="late")

    app = web.Application(middlewares=[reaper.middleware])
    app.router.add_get("/slow", slow)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    assert server.runner
    assert server.runner.server
    async with reaper.watch(server.runner.server):
        yield server
    await server.close()


async def send(server: TestServer, text: bytes) -> bytes:
    """Everything the server says until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(text)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("sent", [b"", b"POST /slow HTTP/1.1\r\nHost: x\r\nX-Slow: 1"])
async def test_a_client_that_does_not_finish_its_headers_is_let_go(server: TestServer, sent: bytes) -> None:
    assert await send(server, sent) == b""


async def test_a_request_that_takes_longer_than_idling_may_is_answered_and_then_let_go(server: TestServer) -> None:
    answer = await send(server, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"late")
