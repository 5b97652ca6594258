"""The endpoints Evolution posts to, as an aiohttp application.

It answers whatever comes, and can be mounted in another application. Plain posts to the gateway's own listener don't
come this far: see `gateway.web.posts`.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
from aiohttp import StreamReader, hdrs, web
from aiohttp.typedefs import Handler

from gateway import names
from gateway.errands import resolve
from gateway.errors import EnvelopeError, JournalUnavailable
from gateway.journal import Arrival, Receipt, Refusal
from gateway.web.problems import Problem
from gateway.web.reception import Path, Reception, Sender, parts, unavailable

BODY_PAUSE: Final = 60.0
"""Seconds without a byte of the body until the sender is told to try again."""
_TAKEN: Final = (hdrs.METH_HEAD, hdrs.METH_POST)
"""HEAD asks whether a post would be let in, and stores nothing: `gateway connect` and `doctor` knock so."""

Health = Callable[[], bool]


class Receiver:
    """Answers requests."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._settings = reception.settings

    async def post(self, request: web.Request, path: Path) -> web.Response:
        """Answer one request, whatever it is. `path` is what stands below where the application is mounted."""
        started = time.perf_counter()
        try:
            sender = self._admit(request, path)
            if request.method == hdrs.METH_HEAD:
                return web.Response(status=204)
            body = await self._read(request)
            try:
                return await self._accept(request, sender, body, started)
            finally:
                self._reception.let_go(len(body))
        except Problem as refused:
            self._reception.refuse(refused, request.method)
            return refused.response()
        except ConnectionResetError:  # the sender hung up in the middle of its body, and hears nothing of this
            return web.Response(status=400)

    def _admit(self, request: web.Request, path: Path) -> Sender:
        if request.method not in _TAKEN:
            where = f"Evolution's webhook URL here ends in {self._settings.base_path or '/'}"
            raise Problem(405, f"{where}: paste that into Evolution, which will POST to it.", Allow=", ".join(_TAKEN))
        peer = request.transport.get_extra_info("peername") if request.transport else None
        return self._reception.admit(request.headers, path, request.query_string, peer[0] if peer else None)

    async def _read(self, request: web.Request) -> bytes:
        """The body. Its bytes count as in flight until the request is answered."""
        declared = request.content_length or 0
        if declared > self._settings.max_body:
            raise Problem(413, f"{declared} bytes; webhook.max_body is {self._settings.max_body}.")
        content = request.content
        chunks: list[bytes] = []
        size = 0
        try:
            while not content.at_eof():
                chunk = content.read_nowait() if content.is_eof() else await self._read_chunk(content)
                self._reception.hold(len(chunk))
                size += len(chunk)
                chunks.append(chunk)
                self._check_size(size)
        except BaseException:
            self._reception.let_go(size)
            raise
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _check_size(self, size: int) -> None:
        if size > self._settings.max_body:
            raise Problem(413, f"More than {self._settings.max_body} bytes, which is webhook.max_body.")

    @staticmethod
    async def _read_chunk(content: StreamReader) -> bytes:
        try:
            async with asyncio.timeout(BODY_PAUSE):
                return await content.readany()
        except TimeoutError:
            raise body_paused() from None

    async def _accept(self, request: web.Request, sender: Sender, body: bytes, started: float) -> web.Response:
        answered: asyncio.Future[tuple[Arrival, Receipt | BaseException]]
        answered = asyncio.get_running_loop().create_future()
        try:
            self._reception.take(body, sender, started, lambda *told: resolve(answered, told))
        except EnvelopeError as error:
            await self._reception.keep(Refusal(sender.address, request.path, str(error), body))
            raise Problem(400, f"{error}.", sender=sender.address) from None
        except JournalUnavailable as error:
            raise unavailable(error) from None
        answer = self._reception.answer(*await answered)
        return web.Response(status=answer.status, body=answer.body, content_type="application/json")


def body_paused() -> Problem:
    """What a sender is told whose body does not go on."""
    return Problem(408, f"No byte of the body came for {BODY_PAUSE:g} s.")


def webhook_app(reception: Reception, *, is_ready: Health) -> web.Application:
    """The application of the webhook listener; it can also be mounted in another aiohttp application."""
    app = web.Application(client_max_size=reception.settings.max_body)
    receiver = Receiver(reception)
    app.router.add_get("/health/live", _alive)
    app.router.add_get("/health/ready", _ready(is_ready))
    for endpoint in endpoints(reception.settings.base_path):
        app.router.add_post(endpoint.path, partial(_post_to, receiver, parts(endpoint.path)))
    # Everything else under the sun: other spellings, doubled slashes, suffixes of versions to come, wrong base paths.
    app.router.add_route("*", "/{tail:.*}", partial(_post_anywhere, receiver))
    return app


class Endpoint(msgspec.Struct, frozen=True):
    """One URL Evolution may post to."""

    path: str
    event: str | None
    """The event its suffix stands for; None: any, as the body says."""


def endpoints(base_path: str) -> list[Endpoint]:
    """Every documented endpoint: the base path itself, and one for each suffix of each event."""
    suffixes = [
        Endpoint(f"{base_path}/{suffix}", event.name) for event in names.EVENTS.values() for suffix in event.suffixes
    ]
    return [Endpoint(base_path or "/", None), *suffixes]


async def _post_to(receiver: Receiver, path: Path, request: web.Request) -> web.Response:
    return await receiver.post(request, path)


async def _post_anywhere(receiver: Receiver, request: web.Request) -> web.Response:
    return await receiver.post(request, parts(request.match_info["tail"]))


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "live"})


def _ready(is_ready: Health) -> Handler:
    async def ready(_request: web.Request) -> web.StreamResponse:
        good = is_ready()
        return web.json_response({"status": "ready" if good else "not ready"}, status=200 if good else 503)

    return ready
