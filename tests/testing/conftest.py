"""A fake Evolution, a webhook it posts to, and a way to ask it by hand."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.testing import EvolutionServer

ANA = "+55 11 99999-0002"
CHAT = "5511999990002@s.whatsapp.net"


class Receiver:
    """A webhook that remembers what it was posted."""

    def __init__(self) -> None:
        self.url = ""
        self.posts: list[tuple[str, dict[str, Any]]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append((request.path, await request.json()))
        return web.json_response({"status": "accepted", "id": str(len(self.posts))}, status=202)

    def events(self, name: str) -> list[dict[str, Any]]:
        return [body for _, body in self.posts if body["event"] == name]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    async with TestServer(app) as server:
        receiver.url = f"http://127.0.0.1:{server.port}/webhook"
        yield receiver


@pytest.fixture
async def server(receiver: Receiver) -> AsyncIterator[EvolutionServer]:
    async with EvolutionServer(webhook=receiver.url, typing_scale=0) as server:
        yield server


class Asker:
    """Asks a server, with its key."""

    def __init__(self, server: EvolutionServer, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def __call__(self, method: str, path: str, body: object = None, *, apikey: str = "") -> tuple[int, Any]:
        headers = {"apikey": apikey or self._server.apikey}
        async with self._session.request(method, self._server.url + path, json=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())


@pytest.fixture
async def ask(server: EvolutionServer) -> AsyncIterator[Asker]:
    async with aiohttp.ClientSession() as session:
        yield Asker(server, session)
