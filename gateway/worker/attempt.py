"""One attempt: decode an event, find the first handler that matches, run it, and say how it ended.

This runs in the plugin's own thread. Whatever a stranger's code does here becomes a value: nothing is raised.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import partial
from traceback import StackSummary, TracebackException
from typing import Any, Final

import msgspec
import structlog

from gateway import jid
from gateway.envelope import lane_of, parse
from gateway.errors import EnvelopeError
from gateway.events import ChatEvent, Event, MessageEvent, decode
from gateway.evolution import Evolution
from gateway.journal import StoredEvent
from gateway.log import log
from gateway.plugins import Delivery as DeliveryInfo
from gateway.plugins import Drop, Handler, Plugin, Retry, Send, open_context
from gateway.plugins.context import EventContext
from gateway.plugins.state import Memory, Nothing, StateChange, StateSource
from gateway.redact import Redactor
from gateway.work import Delivery, storable
from gateway.worker import calling
from gateway.worker.around import Around
from gateway.worker.calling import Calls, Match
from gateway.worker.explain import PluginAnswer, explain
from gateway.worker.outbox.servers import Servers, allowed
from gateway.worker.verdict import Ended, Result

ERROR_LIMIT: Final = 20_000
"""Characters kept of a traceback: its end, where the error is."""
_MARGIN: Final = 10_000
"""More characters that are searched for secrets before the cut, so that none is cut in two and then not known."""

_OWN: Final = frozenset({__file__, calling.__file__})
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
        self._state = state or Nothing()
        self._redactor = redactor
        self._threads = threads
        self._timeout = timeout
        self._around = around or Around()
        self._servers = Servers(self._around.evolution) if self._around.evolution else None
        self._calls = Calls(plugin, timeout=timeout, threads=threads)
        self.resource: object = None
        """What the plugin's lifespan has yielded."""

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
        return self._servers is not None and self._servers.is_open

    async def close(self) -> None:
        """Close the connections of `ctx.api`, on the plugin's loop."""
        if self._servers is not None:
            await self._servers.close()

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
        ctx = self._open(job, event)
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
        return self._run(job, event, self._open(job, event), clock)

    async def _run(self, job: Job, event: Event, ctx: EventContext[Any, Any], clock: "Clock") -> Ended:
        match = Match()
        try:
            await self._calls.run(match, event, ctx)
            if match.handler is None:
                return clock.end(job, "skipped")
            sends = await self._keep_files(ctx.take_effects())
            answered = job.event.accepted_at if job.event and _answers(event, sends) else None
            return clock.end(
                job, "done", handler=match.handler.name, sends=sends, answered=answered, changes=ctx.take_changes()
            )
        except BaseException as error:  # noqa: BLE001 -- a stranger's code ran: SystemExit and cancellation end here too
            return self._failed(job, clock, match.handler, error)
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
            clock=lambda: datetime.fromtimestamp(self._around.clock(), UTC),
            memory=self._memory(job, event),
            settings=self._plugin.settings,
            resource=self.resource,
            members=self._around.members.of if self._around.members else None,
            api=self._api(event),
        )

    def _api(self, event: Event) -> Callable[[], Evolution] | str:
        """What makes the client for `ctx.api` on the plugin's own loop, or why there is none."""
        settings, servers = self._around.evolution, self._servers
        if servers is None or settings is None:
            return "a dry run calls nobody"
        if not settings.apikey:
            return "there is no evolution.apikey in config.yaml to call Evolution with"
        return partial(servers.client, allowed(settings, event.server_url))

    def _memory(self, job: Job, event: Event) -> Memory:
        """The chat goes by its lane, which a chat known by LID and by telephone shares, and by what the event shows."""
        chats = [] if job.event is None or job.event.chat is None else [job.event.lane, _lane_shown(job.event)]
        return Memory(
            plugin=self._plugin.name,
            instance=event.instance,
            chats=list(dict.fromkeys(chats)),
            people=_people(event),
            source=self._state,
        )

    async def _keep_files(self, sends: tuple[Send, ...]) -> tuple[Send, ...]:
        """Put what messages bring on disk, so that the delivery is settled with a name and not with bytes."""
        files = self._around.files
        if files is None or not any(send.data for send in sends):
            return sends
        loop, keep = asyncio.get_running_loop(), files.keep
        kept = [await loop.run_in_executor(self._threads, keep, send.data) if send.data else None for send in sends]
        return tuple(
            msgspec.structs.replace(send, data=None, file=name) if name else send
            for send, name in zip(sends, kept, strict=True)
        )

    def _failed(self, job: Job, clock: "Clock", handler: Handler | None, error: BaseException) -> Ended:
        name = handler.name if handler else None
        if isinstance(error, Drop):
            return clock.end(job, "dropped", handler=name, error=self._explain(job, error, in_full=False))
        if isinstance(error, Retry):
            after = getattr(error, "after", None)  # a subclass may never have called Retry's __init__
            return clock.end(job, "retry", handler=name, error=self._explain(job, error, in_full=False), after=after)
        return clock.end(job, "failed", handler=name, error=self._explain(job, error))

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


def _lane_shown(event: StoredEvent) -> str:
    return lane_of(event.event, event.instance, event.chat)


def _people(event: Event) -> list[str]:
    """What the sender goes by where several people write, the telephone first; nothing in a private chat."""
    if not isinstance(event, MessageEvent) or jid.kind(event.chat or "") in ("phone", "lid", "unknown"):
        return []
    sender = event.message.sender
    return [address for address in (sender.phone, sender.lid, sender.jid) if address]


def _answers(event: Event, sends: Sequence[Send]) -> bool:
    """Whether anything that people see goes to the chat the event came from."""
    here = {event.chat} if isinstance(event, ChatEvent) else set()
    if isinstance(event, MessageEvent):
        here.add(event.message.reply_to)
    return any(send.to in here and send.kind not in ("typing", "read") for send in sends)


def _author_log(plugin: str, seq: int) -> structlog.typing.FilteringBoundLogger:
    bound: structlog.typing.FilteringBoundLogger = log.bind(plugin=plugin, id=str(seq))
    return bound
