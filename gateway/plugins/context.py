"""What a handler holds besides its event: who it is working for, and how to ask for messages.

A context only records. What it recorded becomes real when the handler has succeeded, together with the delivery.
"""

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, cast

from structlog.typing import FilteringBoundLogger
from typing_extensions import TypeVar

from gateway.address import address
from gateway.errors import ContextClosed, GatewayError
from gateway.events import ChatEvent, Event, Message, MessageEvent
from gateway.plugins.answers import Answers
from gateway.plugins.filters.base import AskMembers, Capture, Filter, Look
from gateway.plugins.outgoing import Kind, Queued, Send, mentioned, wording
from gateway.plugins.sends import Elsewhere, Mentions
from gateway.plugins.state import Memory, Nothing, State, StateChange
from gateway.plugins.steering import Delivery
from gateway.plugins.waiting import Waits

if TYPE_CHECKING:  # its HTTP library is slow to load, and a plugin can be looked at without it
    from gateway.evolution import Evolution

NO_API: Final = "nobody said which Evolution to call"
S_co = TypeVar("S_co", default=None, covariant=True)
R_co = TypeVar("R_co", default=None, covariant=True)
V = TypeVar("V")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EventContext(Generic[S_co, R_co]):
    """For any event. Usable from a thread; closed when its handler has ended."""

    def __init__(
        self,
        *,
        event: Event,
        delivery: Delivery,
        log: FilteringBoundLogger,
        plugin: str,
        instance: str | None,
        clock: Callable[[], datetime] = _utc_now,
        memory: Memory | None = None,
        settings: S_co | None = None,
        resource: R_co | None = None,
        members: AskMembers | None = None,
        api: "Callable[[], Evolution] | str" = NO_API,
    ) -> None:
        self.event = event
        self.delivery = delivery
        self.log = log
        self.match: Mapping[str, str] = {}
        """Named groups of the `regex` that let this handler in, and a `command`'s `args`; empty without one."""
        self._captured: Mapping[Filter[Any], Any] = {}
        self._settings = settings
        self._members = members
        self._resource = resource
        self._api = api
        self._plugin = plugin
        self._instance = instance
        self._clock = clock
        self._lock = threading.Lock()
        self._sends: list[Send] = []
        self._waits = Waits()
        self._closed = ""
        self._memory = memory or Memory(plugin=plugin, instance=instance, chats=(), people=(), source=Nothing())
        self._memory.guard(self._check_open)

    @property
    def settings(self) -> S_co:
        """What config.yaml says for this plugin, as the struct of `Plugin(settings=...)`; None without one."""
        return cast("S_co", self._settings)

    @property
    def resource(self) -> R_co:
        """What the plugin's `lifespan` yielded; None without one."""
        return cast("R_co", self._resource)

    @property
    def instance(self) -> str:
        """The instance of Evolution that the event comes from.

        Raises:
            ValueError: it names none.
        """
        return self._sender("instance")

    @property
    def api(self) -> "Evolution":
        """Evolution's API, awaited, for calls that need an answer: `await ctx.api.check_numbers(ctx.instance, [...])`.

        What it does happens at once, whatever becomes of the handler, and again when it is tried again; it may overtake
        what is queued. A `def` handler uses `ctx.wait(...)`.

        Raises:
            GatewayError: there is no key to call it with, or this is a dry run.
        """
        if isinstance(self._api, str):
            raise GatewayError(f"ctx.api in {self._plugin}: {self._api}")
        return self.wait(_made(self._api)) if self._waits.is_elsewhere else self._api()

    @property
    def now(self) -> datetime:
        """The gateway's time, with its time zone; a test can move it."""
        return self._clock()

    @property
    def state(self) -> State:
        """What this plugin remembers of the sender in this chat (in a private chat: of the chat; else of the instance).

        A mapping of JSON values. It is saved together with the delivery once the handler has succeeded, changes inside
        lists and objects included, and not at all if it fails. At most 64 KiB.

        Raises:
            StateError: on assignment, a value that JSON can't keep as it is.
            ContextClosed: the handler has ended.
        """
        return self._memory.state

    def captured(self, capture: Capture[V], /) -> V:
        """What a capture (`f.command`, `f.choice`, `f.regex(..., into=...)`) read when it let this event in.

        Raises:
            LookupError: this handler was let in without it, as by the other side of `|`.
        """
        if capture not in self._captured:
            raise LookupError(f"{capture!r} is not what let this event in, so there is nothing captured")
        value: V = self._captured[capture]
        return value

    async def load(self, key: str) -> State:
        """What this plugin remembers under any key of its own choosing, in this instance: for what chats share.

        If somebody else writes the same key before this handler has ended, it runs again, on what is there then.
        """
        return self._memory.load(key)

    def send(self, to: str, text: str, *, mentions: Mentions = ()) -> Queued:
        """Queue a message to any chat: a jid, or a number as people write it, with its country code.

        Raises:
            ValueError: `to` is no address, the text is empty, or the event names no instance to send through.
            ContextClosed: the handler has ended.
        """
        payload: dict[str, Any] = {"text": wording(text)}
        people = mentioned(mentions)
        return self._queue("send", "text", address(to), payload | ({"mentions": list(people)} if people else {}))

    def to(self, address_: str) -> Elsewhere:
        """Any chat, to send it other things than text: `ctx.to("+55 11 99999-0002").location(-23.5, -46.6)`.

        Raises:
            ValueError: no address.
        """
        return Elsewhere(self._queue, address(address_))

    def wait(self, coroutine: Coroutine[Any, Any, V]) -> V:
        """In a handler written `def`: run a coroutine on the plugin's loop, and give what it gives.

        `data = ctx.wait(event.message.media.read())`

        Raises:
            RuntimeError: the handler is an `async def` one, and has to `await`.
            ContextClosed: the handler has ended, or its time is up.
        """
        return self._waits.run(coroutine, self._closed)

    def serve(self, loop: AbstractEventLoop) -> None:
        """For the worker: `wait` runs coroutines on this loop, which is the running one."""
        self._waits.serve(loop)

    def look(self) -> Look:
        """For the worker: what the filters are asked with."""
        return Look(self._memory, self._members)

    def take_in(self, look: Look) -> None:
        """For the worker: keep what the filters learned that let the event in."""
        self.match, self._captured = look.groups, look.values

    def take_effects(self) -> tuple[Send, ...]:
        """For the worker: everything queued, in order. Closes, so that a stray thread cannot add what nobody takes."""
        with self._lock:
            self._closed = self._closed or "its handler has ended"
            sends, self._sends = tuple(self._sends), []
        return sends

    def take_changes(self) -> tuple[StateChange, ...]:
        """For the worker, after `take_effects`: what has to be remembered.

        Raises:
            StateError: a value inside the state can't be stored, or there is too much of it.
        """
        return self._memory.changes()

    def close(self, why: str = "its handler has ended") -> None:
        """For the worker: forget what was queued and refuse more. `why` finishes a sentence; the first one stays."""
        with self._lock:
            self._closed = self._closed or why or "its handler has ended"
            self._sends.clear()
        self._waits.cancel()

    def _check_open(self) -> None:
        if self._closed:
            raise ContextClosed(f"ctx.state in {self._plugin} came too late: {self._closed}. Nothing is saved.")

    def _queue(self, method: str, kind: Kind, to: str, payload: dict[str, Any], data: bytes | None = None) -> Queued:
        with self._lock:
            if self._closed:
                raise ContextClosed(f"ctx.{method}() in {self._plugin} came too late: {self._closed}. Nothing is sent.")
            n = len(self._sends) + 1
            instance = self._sender(method)
            server = self.event.server_url
            send = Send(n=n, instance=instance, to=to, kind=kind, payload=payload, data=data, server=server)
            self._sends.append(send)
        return Queued(f"{self.delivery.id}.{n}")

    def _sender(self, method: str) -> str:
        if not self._instance:
            raise ValueError(f"ctx.{method}() has no instance to send through: this event names none")
        return self._instance


class Context(EventContext[S_co, R_co], Answers):
    """For an event in a chat: adds answering there."""

    @property
    def chat_state(self) -> State:
        """What this plugin remembers of this chat, whoever writes in it. Otherwise as `state`."""
        return self._memory.chat_state

    def _add(self, method: str, kind: Kind, payload: dict[str, Any], data: bytes | None = None) -> Queued:
        return self._queue(method, kind, self._chat(method), payload, data)

    def _event_message(self) -> Message | None:
        return self.event.message if isinstance(self.event, MessageEvent) else None

    def _chat(self, method: str) -> str:
        event = self.event
        if isinstance(event, MessageEvent):
            chat = event.message.reply_to
        else:
            chat = event.chat if isinstance(event, ChatEvent) else None
        if not chat:
            raise ValueError(f"ctx.{method}() has nowhere to go: this event names no chat that could be answered in")
        return chat


def open_context(
    *,
    event: Event,
    delivery: Delivery,
    log: FilteringBoundLogger,
    plugin: str,
    instance: str | None,
    clock: Callable[[], datetime] = _utc_now,
    memory: Memory | None = None,
    settings: object = None,
    resource: object = None,
    members: AskMembers | None = None,
    api: "Callable[[], Evolution] | str" = NO_API,
) -> EventContext[Any, Any]:
    """The context to handle an event with: a `Context` for one in a chat, else an `EventContext`."""
    make: type[EventContext[Any, Any]] = Context if isinstance(event, ChatEvent) else EventContext
    return make(
        event=event,
        delivery=delivery,
        log=log,
        plugin=plugin,
        instance=instance,
        clock=clock,
        memory=memory,
        settings=settings,
        resource=resource,
        members=members,
        api=api,
    )


async def _made(make: "Callable[[], Evolution]") -> "Evolution":
    """On the plugin's loop, which alone can use what is made there."""
    return make()
