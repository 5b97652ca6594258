"""Call one handler, its plugin's middlewares around it and its time limited.

An `async def` runs on the plugin's loop, a `def` in a thread. Of its own, because what a thread may do when its time is
up is another story than what an attempt comes to.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from concurrent.futures import Executor
from functools import partial
from typing import Any, cast

import msgspec

from gateway.events import Event
from gateway.log import log
from gateway.plugins import Handler, Plugin
from gateway.plugins.context import EventContext
from gateway.plugins.middleware import CallNext, wrapped
from gateway.worker.errand import Errand
from gateway.worker.frames import place_of
from gateway.worker.limits import Limits


class HandlerTimeout(Exception):
    """A handler took longer than `delivery.timeout`."""


class Match(msgspec.Struct):
    """The handler that was found, as far as the search has come."""

    handler: Handler | None = None


class Calls:
    """Calls the handlers of one plugin."""

    def __init__(self, plugin: Plugin[Any, Any], *, timeout: float, threads: Executor) -> None:
        self._plugin = plugin
        self._limits = Limits(timeout)
        self._threads = threads

    async def run(self, match: Match, event: Event, ctx: EventContext[Any, Any]) -> None:
        """Find the handler of an event, note it as the match, and return when it has ended; what it raises comes out.

        Raises:
            HandlerTimeout: filters, handler and middlewares took too long together.
        """
        limit = self._limits.begin()
        try:
            match.handler = handler = await self._plugin.find(event, ctx)
            if handler is not None:
                await self._call(handler, event, ctx)
        except (TimeoutError, asyncio.CancelledError) as error:
            if not limit.explains(error):
                raise
        finally:
            self._limits.end(limit)
        if limit.is_over:
            what = match.handler.name if match.handler else "its filters"
            raise HandlerTimeout(f"{what} took longer than {self._limits.seconds:g} s (delivery.timeout)")

    def _call(self, handler: Handler, event: Event, ctx: EventContext[Any, Any]) -> Awaitable[None]:
        function = handler.function if handler.is_async else partial(self._in_thread, handler)
        if not self._plugin.middlewares:
            return cast("Awaitable[None]", function(event, ctx))
        run = cast("CallNext", partial(function, event, ctx))
        return wrapped(self._plugin.middlewares, event, ctx, run)()

    async def _in_thread(self, handler: Handler, event: Event, ctx: EventContext[Any, Any]) -> None:
        """A thread can't be cancelled: then its context is closed, and its lane stays so until it ends."""
        ctx.serve(asyncio.get_running_loop())
        errand = Errand(self._threads, partial(handler.function, event, ctx))
        try:
            await errand.until_over()
        except asyncio.CancelledError:
            self._log_overrun(handler, errand.thread)
            ctx.close(f"{handler.name} took longer than {self._limits.seconds:g} s (delivery.timeout)")
            while not errand.is_over:
                with contextlib.suppress(asyncio.CancelledError):
                    await errand.until_over()
            raise
        if isinstance(errand.result, BaseException):
            raise errand.result
        if asyncio.iscoroutine(errand.result):
            await errand.result

    def _log_overrun(self, handler: Handler, thread: int | None) -> None:
        place = place_of(thread, handler.file) if thread is not None else None
        where = {"function": place.function, "file": place.file, "line": place.line} if place else {}
        seconds = self._limits.seconds
        log.error("handler_overran", plugin=self._plugin.name, handler=handler.name, seconds=seconds, **where)
