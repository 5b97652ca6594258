"""A small Evolution API on a real socket, that answers as it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.evolution import Evolution

Answer = tuple[int, object]


class Request(msgspec.Struct, frozen=True):
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class FakeEvolution:
    """Keeps what it is sent; `answer` decides what it says."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.version: object = "2.3.6"
        self.welcome: Callable[[], web.Response] = lambda: web.json_response({"status": 200, "version": self.version})
        """What it says of itself at `/`, which counts as no request."""
        self.welcomes = 0
        self.answer: Callable[[Request], Answer | None] = lambda request: (
            201,
            sent(f"id-{(request.body or {}).get('text')}"),
        )
        """None: it hangs up without an answer."""
        self.hold = asyncio.Event()
        """Answers wait for it."""
        self.hold.set()
        self._arrived = asyncio.Condition()
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/")).rstrip("/")

    @property
    def texts(self) -> list[str]:
        return [request.body["text"] for request in self.requests]

    async def until(self, count: int) -> None:
        """Wait for so many requests in all."""
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            self.welcomes += 1
            return self.welcome()
        body = await request.read()
        seen = Request(request.method, request.raw_path, dict(request.headers), json.loads(body) if body else None)
        async with self._arrived:
            self.requests.append(seen)
            self._arrived.notify_all()
        await self.hold.wait()
        answer = self.answer(seen)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        status, content = answer
        if isinstance(content, web.Response):
            return content
        return web.json_response(content, status=status)


def sent(id_: str) -> dict[str, object]:
    """Evolution 2.x's answer to a message that left."""
    return {
        "key": {"remoteJid": "5511999990002@s.whatsapp.net", "fromMe": True, "id": id_},
        "status": "PENDING",
        "message": {"conversation": "hi"},
        "messageType": "conversation",
        "messageTimestamp": 1761300549,
    }


@pytest.fixture
async def evolution() -> AsyncIterator[FakeEvolution]:
    fake = FakeEvolution()
    await fake.server.start_server()
    yield fake
    fake.hold.set()
    await fake.server.close()


@pytest.fixture
async def client(evolution: FakeEvolution) -> AsyncIterator[Evolution]:
    client = Evolution(evolution.url, "secret-key", timeout=5)
    yield client
    await client.close()
