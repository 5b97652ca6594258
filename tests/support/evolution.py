"""A stand-in for Evolution's REST API, 2.3.6: records calls, and answers as a test says."""

from typing import Any, Self

import msgspec
from aiohttp import web
from aiohttp.test_utils import unused_port


class Call(msgspec.Struct, frozen=True):
    """One request that came."""

    method: str
    path: str
    apikey: str | None
    body: Any


class FakeEvolution:
    """Listens on 127.0.0.1 while it is entered; a port of its own is set aside before."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: list[web.StreamResponse | None] = []
        """What the next calls are answered with, in order; None hangs up. Without one: sent."""
        self.port = unused_port()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def close(self) -> None:
        """Refuse connections from now on."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.json_response({"status": 200, "version": "2.3.6"})
        body = await request.json() if request.can_read_body else None
        self.calls.append(Call(request.method, request.rel_url.raw_path, request.headers.get("apikey"), body))
        if not self.answers:
            return web.json_response({"key": {"id": f"BAE5{len(self.calls):04d}"}, "status": "PENDING"}, status=201)
        answer = self.answers.pop(0)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer
