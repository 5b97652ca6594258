"""The live page and the stream that feeds it."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator
from typing import Final

import aiohttp_jinja2
import msgspec
from aiohttp import web

from gateway.web.asked import query_of
from gateway.web.entry import LOGINS, PAGE_HEADERS, enter, has_session
from gateway.web.feed import FEED, Seen, TooManyViewers
from gateway.web.problems import problem
from gateway.web.viewer import Viewer

PING: Final = 15.0
"""Seconds of silence after which a comment keeps the connection open, and the login is looked at again."""
RETRY: Final = 2000  # milliseconds a browser waits before it comes back


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the empty page says to do next."""

    webhook_url: str
    """What to paste into Evolution."""
    try_it: str
    """A command that posts an event without WhatsApp."""


WELCOME: Final = web.AppKey("welcome", Welcome)


async def home(_: web.Request) -> web.StreamResponse:
    """GET /: the page is elsewhere."""
    return web.Response(status=302, headers={"Location": "/live"})


async def page(request: web.Request) -> web.StreamResponse:
    """GET /live: the page, or the way in."""
    if not has_session(request):
        return await enter(request)
    if "code" in request.query:  # a second click on the link printed at start, or a link not needed
        request.app[LOGINS].redeem(request.query["code"])
        return web.Response(status=302, headers={"Location": "/live"})
    context = msgspec.structs.asdict(request.app[WELCOME])
    answer = aiohttp_jinja2.render_template("live.html", request, context)
    answer.headers.update(PAGE_HEADERS)
    return answer


async def stream(request: web.Request) -> web.StreamResponse:
    """GET /live/stream: rows as they come, as server-sent events."""
    query = query_of(request)
    seen = Seen.read(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
    try:
        async with request.app[FEED].watch(query, lambda: _cut(request)) as viewer:
            return await _serve(request, viewer, request.app[FEED].begin(query, seen))
    except TooManyViewers:
        return problem(503, "too many pages are open", Retry_After="10")


async def _serve(request: web.Request, viewer: Viewer, first: AsyncGenerator[bytes]) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await answer.prepare(request)
    # The page was closed, or let go; or the files can't be read just now. In each case it comes back by itself.
    with contextlib.suppress(ConnectionResetError, sqlite3.Error):
        await answer.write(b"retry: %d\n\n" % RETRY)
        async with contextlib.aclosing(first):
            async for begun in first:
                await answer.write(begun)
        while (frame := await _next(request, viewer)) is not None:
            await answer.write(frame)
    return answer


async def _next(request: web.Request, viewer: Viewer) -> bytes | None:
    """The next frame, or a ping; None when the gateway stops or the login has ended."""
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(viewer.get(), PING)
    came_by_cookie = request.app[LOGINS].cookie in request.cookies
    return None if came_by_cookie and not has_session(request) else b": ping\n\n"


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
