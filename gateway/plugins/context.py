"""What a handler holds besides its event: who it is working for, and how to ask for messages.

A context only records. What it recorded becomes real when the handler has succeeded, together with the delivery.
"""

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, cast

from structlog.typing import FilteringBoundLogger
from typing_extensions import TypeVar

from gateway.address import address
from gateway.errors import ContextClosed, GatewayError
from gateway.events import ChatEvent, Event, Message, MessageEvent
from gateway.plugins.answers import Answers
from gateway.plugins.filters.base import AskMembers, Capture, Filter, Look
from gateway.plugins.outgoing import Kind, Queued, Send, mentioned, wording
from gateway.plugins.sends import Elsewhere, Mentions
from gateway.plugins.state import Memory, State, StateChange
from gateway.plugins.steering import Delivery
from gateway.plugins.waiting import Waits

if TYPE_CHECKING:  # its HTTP library is slow to load, and a plugin can be looked at without it
    from gateway.evolution import Evolution
    from gateway.plugins.plugin import Plugin

S_co = TypeVar("S_co", default=None, covariant=True)
R_co = TypeVar("R_co", default=None, covariant=True)
V = TypeVar("V")


class Case(Protocol):
    """What a context is about, as the worker knows it. What costs something is made when it is asked for."""

    @property
    def plugin(self) -> "Plugin[Any, Any]":
        """Whose handler holds the context."""

    @property
    def resource(self) -> object:
        """What that plugin's lifespan has yielded."""

    @property
    def members(self) -> AskMembers:
        """Who is in which group."""

    def delivery(self) -> Delivery:
        """For `ctx.delivery`."""

    def log(self) -> FilteringBoundLogger:
        """For `ctx.log`."""

    def now(self) -> datetime:
        """For `ctx.now`."""

    def memory(self) -> Memory:
        """What the plugin remembers of the event's chat and sender."""

    def api(self) -> "Callable[[], Evolution] | str":
        """What makes the client for `ctx.api`, to be called on the plugin's loop, or why there is none."""


class EventContext(Generic[S_co, R_co]):
    """For any event. Usable from a thread; closed when its handler has ended."""

    def __init__(self, event: Event, case: Case) -> None:
        self.event = event
        self.match: Mapping[str, str] = {}
        """Named groups of the `regex` that let this handler in, and a `command`'s `args`; empty without one."""
        self._captured: Mapping[Filter[Any], Any] = {}
        self._case = case
        self._lock = threading.Lock()
        self._sends: list[Send] = []
        self._waits: Waits | None = None
        self._memory: Memory | None = None
        self._closed = ""

    @cached_property
    def delivery(self) -> Delivery:
        """Which delivery this is, and whether it was tried before."""
        return self._case.delivery()

    @cached_property
    def log(self) -> FilteringBoundLogger:
        """The gateway's log, for facts about this event; what is secret is taken out."""
        return self._case.log()

    @property
    def settings(self) -> S_co:
        """What config.yaml says for this plugin, as the struct of `Plugin(settings=...)`; None without one."""
        return cast("S_co", self._case.plugin.settings)

    @property
    def resource(self) -> R_co:
        """What the plugin's `lifespan` yielded; None without one."""
        return cast("R_co", self._case.resource)

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
        make = self._case.api()
        if isinstance(make, str):
            raise GatewayError(f"ctx.api in {self._plugin}: {make}")
        return self.wait(_made(make)) if self._waits and self._waits.is_elsewhere else make()

    @property
    def now(self) -> datetime:
        """The gateway's time, with its time zone; a test can move it."""
        return self._case.now()

    @property
    def state(self) -> State:
        """What this plugin remembers of the sender in this chat (in a private chat: of the chat; else of the instance).

        A mapping of JSON values. It is saved together with the delivery once the handler has succeeded, changes inside
        lists and objects included, and not at all if it fails. At most 64 KiB.

        Raises:
            StateError: on assignment, a value that JSON can't keep as it is.
            ContextClosed: the handler has ended.
        """
        return self._recall().state

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
        return self._recall().load(key)

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
        if self._waits is None or not self._waits.is_elsewhere:
            coroutine.close()
            raise RuntimeError("ctx.wait() is for handlers written def; in an async def one, write await")
        return self._waits.run(coroutine, self._closed)

    def serve(self, loop: AbstractEventLoop) -> None:
        """For the worker: `wait` runs coroutines on this loop, which is the running one."""
        self._waits = Waits(loop)

    def look(self) -> Look:
        """For the worker: what the filters are asked with."""
        return Look(self._recall, self._case.members)

    def take_in(self, look: Look) -> None:
        """For the worker: keep what the filters learned that let the event in."""
        self.match, self._captured = look.groups, look.values

    def take_effects(self) -> tuple[Send, ...]:
        """For the worker: everything queued, in order. Closes, so that a stray thread cannot add what nobody takes."""
        with self._lock:
            self._end("its handler has ended")
            sends, self._sends = tuple(self._sends), []
        return sends

    def take_changes(self) -> tuple[StateChange, ...]:
        """For the worker, after `take_effects`: what has to be remembered.

        Raises:
            StateError: a value inside the state can't be stored, or there is too much of it.
        """
        return self._memory.changes() if self._memory else ()

    def close(self, why: str = "its handler has ended") -> None:
        """For the worker: forget what was queued and refuse more. `why` finishes a sentence; the first one stays."""
        if self._closed and not (self._sends or self._waits):
            return
        with self._lock:
            self._end(why)
            self._sends.clear()
        if self._waits:
            self._waits.cancel()

    @property
    def _plugin(self) -> str:
        return self._case.plugin.name

    def _recall(self) -> Memory:
        if self._memory is None:
            self._memory = self._case.memory()
            if self._closed:
                self._memory.close(self._closed)
        return self._memory

    def _end(self, why: str) -> None:
        self._closed = self._closed or why
        if self._memory:
            self._memory.close(self._closed)

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
        if not self.event.instance:
            raise ValueError(f"ctx.{method}() has no instance to send through: this event names none")
        return self.event.instance


class Context(EventContext[S_co, R_co], Answers):
    """For an event in a chat: adds answering there."""

    @property
    def chat_state(self) -> State:
        """What this plugin remembers of this chat, whoever writes in it. Otherwise as `state`."""
        return self._recall().chat_state

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


def open_context(event: Event, case: Case) -> EventContext[Any, Any]:
    """The context to handle an event with: a `Context` for one in a chat, else an `EventContext`."""
    return Context(event, case) if isinstance(event, ChatEvent) else EventContext(event, case)


async def _made(make: "Callable[[], Evolution]") -> "Evolution":
    """On the plugin's loop, which alone can use what is made there."""
    return make()
