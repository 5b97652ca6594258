"""One attempt: decode an event, find the first handler that matches, run it, and say how it ended.

This runs in the plugin's own thread. Whatever a stranger's code does here becomes a value: nothing is raised.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import Executor
from traceback import StackSummary, TracebackException
from typing import Any, Final

import msgspec

from gateway.envelope import parse
from gateway.errors import EnvelopeError
from gateway.events import ChatEvent, Event, MessageEvent, decode
from gateway.journal import StoredEvent
from gateway.plugins import Drop, Handler, Plugin, Retry, Send
from gateway.plugins.context import EventContext
from gateway.plugins.state import Nothing, StateChange, StateSource
from gateway.redact import Redactor
from gateway.work import Delivery, storable
from gateway.worker import calling, errand
from gateway.worker.around import Around
from gateway.worker.calling import Calls, Match
from gateway.worker.case import Desk
from gateway.worker.explain import PluginAnswer, explain
from gateway.worker.verdict import Ended, Result

ERROR_LIMIT: Final = 20_000
"""Characters kept of a traceback: its end, where the error is."""
_MARGIN: Final = 10_000
"""More characters that are searched for secrets before the cut, so that none is cut in two and then not known."""

_OWN: Final = frozenset({__file__, calling.__file__, errand.__file__})
"""Files whose frames say nothing to a plugin's author."""
_GONE: Final = "The journal no longer holds this event, or can't read it."
_UNREADABLE: Final = "The event can't be read back: {}"


class Job(msgspec.Struct, frozen=True):
    """A delivery whose attempt is on disk as started, with its event as it is in the journal."""

    delivery: Delivery
    event: StoredEvent | None
    """None: the journal no longer holds it."""


class Attempts:
    """Runs the attempts of one plugin."""

    def __init__(
        self,
        plugin: Plugin[Any, Any],
        *,
        timeout: float,
        redactor: Redactor,
        threads: Executor,
        state: StateSource | None = None,
        around: Around | None = None,
    ) -> None:
        """`state`: where the plugin's memory is read; without it, it has none. `around`: what all plugins share."""
        self._plugin = plugin
        self._redactor = redactor
        self._threads = threads
        self._timeout = timeout
        self._around = around or Around()
        self._calls = Calls(plugin, timeout=timeout, threads=threads)
        self.desk = Desk(plugin, self._around, state or Nothing())
        """What the contexts of all attempts share."""

    def at_once(self, job: Job) -> Ended | Coroutine[Any, Any, Ended]:
        """End a job for which nothing has to run, or give what must be run as a task."""
        clock = Clock()
        try:
            return self._prepare(job, clock)
        except Exception as error:  # noqa: BLE001 -- one row that nothing can be made of must not take its batch along
            return clock.end(job, "failed", error=self._explain(job, error))

    @property
    def is_connected(self) -> bool:
        """There is something to close."""
        return self.desk.servers is not None and self.desk.servers.is_open

    async def close(self) -> None:
        """Close the connections of `ctx.api`, on the plugin's loop."""
        if self.desk.servers is not None:
            await self.desk.servers.close()

    async def explain(self, job: Job) -> PluginAnswer:
        """Which handler would run, and why; none is run."""
        name = self._plugin.name
        if job.event is None:
            return PluginAnswer(plugin=name, error=_GONE)
        try:
            event = decode(job.event.event, parse(job.event.body), directory=job.event.phones)
        except EnvelopeError as error:
            return PluginAnswer(plugin=name, error=_UNREADABLE.format(error))
        event = self._around.complete(event)
        ctx = self.desk.open(job.delivery, job.event, event)
        try:
            async with asyncio.timeout(self._timeout):
                return await explain(self._plugin, event, ctx)
        except TimeoutError:
            return PluginAnswer(plugin=name, error=f"Its filters took longer than {self._timeout:g} s")
        finally:
            ctx.close()

    def _prepare(self, job: Job, clock: "Clock") -> Ended | Coroutine[Any, Any, Ended]:
        if job.event is None:
            return clock.end(job, "dead", error=_GONE)
        if not job.event.intact:
            return clock.end(job, "dead", error="The event's row in the journal is damaged: its checksum differs.")
        try:
            event = decode(job.event.event, parse(job.event.body), directory=job.event.phones)
        except EnvelopeError as error:
            return clock.end(job, "dead", error=_UNREADABLE.format(error))
        if not self._plugin.candidates(type(event)):
            return clock.end(job, "skipped")
        event = self._around.complete(event)
        return self._run(job, event, self.desk.open(job.delivery, job.event, event), clock)

    async def _run(self, job: Job, event: Event, ctx: EventContext[Any, Any], clock: "Clock") -> Ended:
        match = Match()
        try:
            await self._calls.run(match, event, ctx)
            if match.handler is None:
                return clock.end(job, "skipped")
            sends = ctx.take_effects()
            if sends and any(send.data for send in sends):
                sends = await self._keep_files(sends)
            answered = job.event.accepted_at if job.event and sends and _answers(event, sends) else None
            return clock.end(
                job, "done", handler=match.handler.name, sends=sends, answered=answered, changes=ctx.take_changes()
            )
        except BaseException as error:  # noqa: BLE001 -- a stranger's code ran: SystemExit and cancellation end here too
            return self._failed(job, clock, match.handler, error)
        finally:
            ctx.close()

    async def _keep_files(self, sends: tuple[Send, ...]) -> tuple[Send, ...]:
        """Put what messages bring on disk, so that the delivery is settled with a name and not with bytes."""
        files = self._around.files
        if files is None:
            return sends
        loop, keep = asyncio.get_running_loop(), files.keep
        kept = [await loop.run_in_executor(self._threads, keep, send.data) if send.data else None for send in sends]
        return tuple(
            msgspec.structs.replace(send, data=None, file=name) if name else send
            for send, name in zip(sends, kept, strict=True)
        )

    def _failed(self, job: Job, clock: "Clock", handler: Handler | None, error: BaseException) -> Ended:
        name = handler.name if handler else None
        try:
            return self._judge(job, clock, name, error)
        except BaseException as worse:  # noqa: BLE001 -- the error is a stranger's too: what is asked of it may raise
            text = f"{type(error).__name__}, of which nothing can be told: that raised {type(worse).__name__}"
            return clock.end(job, "failed", handler=name, error=text)

    def _judge(self, job: Job, clock: "Clock", handler: str | None, error: BaseException) -> Ended:
        if isinstance(error, Drop):
            return clock.end(job, "dropped", handler=handler, error=self._explain(job, error, in_full=False))
        if isinstance(error, Retry):
            after = getattr(error, "after", None)  # a subclass may never have called Retry's __init__
            said = self._explain(job, error, in_full=False)
            return clock.end(job, "retry", handler=handler, error=said, after=after)
        return clock.end(job, "failed", handler=handler, error=self._explain(job, error))

    def _explain(self, job: Job, error: BaseException, *, in_full: bool = True) -> str:
        """The traceback from the plugin's own code on, without the gateway's frames, and without secrets.

        The event is read anew for its secrets: a handler may have changed the one it was given.
        """
        trace = TracebackException.from_exception(error)
        _take_own_frames_out(trace)
        lines = trace.format() if trace.stack or trace.exceptions else trace.format_exception_only()
        text = "".join(lines) if in_full else str(trace)
        cleaned = self._redactor.json([_raw(job), text[-ERROR_LIMIT - _MARGIN :]])
        assert isinstance(cleaned, list)  # noqa: S101 -- a list in, a list out
        return self._redactor.text(str(cleaned[1]))[-ERROR_LIMIT:]


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
        answered: float | None = None,
        changes: tuple[StateChange, ...] = (),
    ) -> Ended:
        """The attempt as it ended now."""
        return Ended(
            delivery=job.delivery,
            result=result,
            started=self._started,
            millis=(time.perf_counter() - self._began) * 1000,
            handler=handler,
            error=storable(error) if error is not None else None,
            after=after,
            sends=sends,
            answered=answered,
            changes=changes,
        )


def _raw(job: Job) -> dict[str, Any]:
    try:
        return parse(job.event.body) if job.event else {}
    except (EnvelopeError, AttributeError, TypeError):  # not what the journal was given, not even bytes
        return {}


def _take_own_frames_out(trace: TracebackException) -> None:
    trace.stack = StackSummary.from_list([frame for frame in trace.stack if frame.filename not in _OWN])
    for inner in (trace.__cause__, trace.__context__, *(trace.exceptions or ())):
        if inner is not None:
            _take_own_frames_out(inner)


def _answers(event: Event, sends: Sequence[Send]) -> bool:
    """Whether anything that people see goes to the chat the event came from."""
    here = {event.chat} if isinstance(event, ChatEvent) else set()
    if isinstance(event, MessageEvent):
        here.add(event.message.reply_to)
    return any(send.to in here and send.kind not in ("typing", "read") for send in sends)
