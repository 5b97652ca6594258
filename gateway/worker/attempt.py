"""One attempt: decode an event, find the first handler that matches, run it, and say how it ended.

This runs in the plugin's own thread. Whatever a stranger's code does here becomes a value: nothing is raised.
"""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

import msgspec
import structlog

from gateway.envelope import parse
from gateway.errors import EnvelopeError
from gateway.events import Event, decode
from gateway.journal import StoredEvent
from gateway.log import log
from gateway.plugins import Delivery as DeliveryInfo
from gateway.plugins import Drop, Handler, Plugin, Retry, Send, open_context
from gateway.plugins.context import EventContext
from gateway.redact import Redactor
from gateway.work import Delivery
from gateway.worker.verdict import Ended, Result

T = TypeVar("T")

ERROR_LIMIT = 20_000  # characters kept of a traceback, its end, where the error is


class Job(msgspec.Struct, frozen=True):
    """A delivery whose attempt is on disk as started, with its event as it is in the journal."""

    delivery: Delivery
    event: StoredEvent | None
    """None: the journal no longer holds it."""


class HandlerTimeout(Exception):
    """A handler took longer than `delivery.timeout`."""


class Attempts:
    """Runs the attempts of one plugin."""

    def __init__(self, plugin: Plugin[Any, Any], *, timeout: float, redactor: Redactor, threads: Executor) -> None:
        self._plugin = plugin
        self._timeout = timeout
        self._redactor = redactor
        self._threads = threads

    def at_once(self, job: Job) -> Ended | Coroutine[Any, Any, Ended]:
        """End a job for which nothing has to run, or give what must be run as a task."""
        clock = Clock()
        if job.event is None:
            return clock.end(job, "dead", error="The journal no longer holds this event.")
        if not job.event.intact:
            return clock.end(job, "dead", error="The event's row in the journal is damaged: its checksum differs.")
        try:
            event = decode(job.event.event, parse(job.event.body), directory=job.event.phones)
        except EnvelopeError as error:
            return clock.end(job, "dead", error=f"The event can't be read back: {error}")
        if not self._plugin.candidates(type(event)):
            return clock.end(job, "skipped")
        return self._run(job, event, clock)

    async def _run(self, job: Job, event: Event, clock: "Clock") -> Ended:
        ctx = self._open(job, event)
        handler: Handler | None = None
        try:
            handler = await self._within_limit(self._plugin.find(event, ctx), "its filters")
            if handler is None:
                return clock.end(job, "skipped")
            await self._call(handler, event, ctx)
            return clock.end(job, "done", handler=handler.name, sends=ctx.take_effects())
        except BaseException as error:  # noqa: BLE001 -- a stranger's code ran: SystemExit and cancellation end here too
            return self._failed(job, event, clock, handler, error)
        finally:
            ctx.close()

    def _open(self, job: Job, event: Event) -> EventContext[Any, Any]:
        delivery, name = job.delivery, self._plugin.name
        return open_context(
            event=event,
            delivery=DeliveryInfo(
                id=f"{delivery.seq}.{name}.{delivery.run}", attempt=delivery.attempt, replay=delivery.run > 0
            ),
            log=_author_log(name, delivery.seq),
            plugin=name,
            instance=event.instance,
        )

    async def _call(self, handler: Handler, event: Event, ctx: EventContext[Any, Any]) -> None:
        if handler.is_async:
            running = handler.function(event, ctx)
            assert running is not None  # noqa: S101 -- a coroutine function gives a coroutine
            await self._within_limit(running, handler.name)
        else:
            await self._in_thread(handler, event, ctx)

    async def _within_limit(self, running: Awaitable[T], what: str) -> T:
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                result = await running
                if not limit.expired():
                    return result
        except TimeoutError:
            if not limit.expired():
                raise
        raise HandlerTimeout(f"{what} took longer than {self._timeout:g} s (delivery.timeout) and was cancelled")

    async def _in_thread(self, handler: Handler, event: Event, ctx: EventContext[Any, Any]) -> None:
        """A thread can't be cancelled: past its limit the context is closed, and the lane stays so until it ends."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, handler.function, event, ctx)
        done, _ = await asyncio.wait({future}, timeout=self._timeout)
        if done:
            result = future.result()
            if asyncio.iscoroutine(result):
                await self._within_limit(result, handler.name)
            return
        text = f"{handler.name} took longer than {self._timeout:g} s (delivery.timeout)"
        log.error("handler_overran", plugin=self._plugin.name, handler=handler.name, seconds=self._timeout)
        ctx.close(text)
        await asyncio.wait({future})
        raise HandlerTimeout(text)

    def _failed(self, job: Job, event: Event, clock: "Clock", handler: Handler | None, error: BaseException) -> Ended:
        name = handler.name if handler else None
        if isinstance(error, Drop):
            return clock.end(job, "dropped", handler=name, error=str(error))
        if isinstance(error, Retry):
            return clock.end(job, "retry", handler=name, error=str(error), after=error.after)
        return clock.end(job, "failed", handler=name, error=self._explain(event, error))

    def _explain(self, event: Event, error: BaseException) -> str:
        """The traceback from the plugin's own code on, without the gateway's frames, and without secrets."""
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        text = "".join(
            ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
        ) + "".join(traceback.format_exception_only(error))
        cleaned = self._redactor.json([dict(event.raw), text[-ERROR_LIMIT:]])
        assert isinstance(cleaned, list)  # noqa: S101 -- a list in, a list out
        return self._redactor.text(str(cleaned[1]))


class Clock:
    """When an attempt began, and how long it took."""

    __slots__ = ("_began", "_started")

    def __init__(self) -> None:
        self._started = time.time()
        self._began = time.perf_counter()

    def end(
        self,
        job: Job,
        result: Result,
        *,
        handler: str | None = None,
        error: str | None = None,
        after: float | None = None,
        sends: tuple[Send, ...] = (),
    ) -> Ended:
        """The attempt as it ended now."""
        return Ended(
            delivery=job.delivery,
            result=result,
            started=self._started,
            millis=(time.perf_counter() - self._began) * 1000,
            handler=handler,
            error=error,
            after=after,
            sends=sends,
        )


def _author_log(plugin: str, seq: int) -> structlog.typing.FilteringBoundLogger:
    bound: structlog.typing.FilteringBoundLogger = log.bind(plugin=plugin, id=str(seq))
    return bound
