"""A plugin: an ordered list of handlers, and the question which of them takes an event."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Final, Generic, Protocol, cast, overload

from typing_extensions import TypeForm, TypeVar

from gateway import names
from gateway.config import OwnSettings, read_own
from gateway.events import ChatEvent, Event, MalformedEvent, MessagesUpsert, UnknownEvent
from gateway.plugins.context import Context, EventContext
from gateway.plugins.filters import Filter, inbound
from gateway.plugins.filters.base import require
from gateway.plugins.handler import Handler, event_types, make_handler
from gateway.plugins.lifespan import Opener, check_lifespan, check_settings
from gateway.plugins.middleware import Middleware, check_middleware
from gateway.plugins.misuse import Misuse, caller

S = TypeVar("S", default=None)
R = TypeVar("R", default=None)
S1 = TypeVar("S1")
R1 = TypeVar("R1")
E = TypeVar("E", bound=Event)
CE = TypeVar("CE", bound=ChatEvent)
C = TypeVar("C")
T = TypeVar("T", bound=Awaitable[None] | None)
E_co = TypeVar("E_co", bound=Event, covariant=True)
C_co = TypeVar("C_co", covariant=True)


class On(Protocol[E_co, C_co]):
    """Registers the function below it and gives it back unchanged."""

    def __call__(self: "On[E, C]", handler: Callable[[E, C], T], /) -> Callable[[E, C], T]:
        """Register."""
        ...


class Plugin(Generic[S, R]):
    """One file of handlers. Its file says `plugin = Plugin()`."""

    name: str
    """Unique in a gateway: its position, deliveries and memory go by it. The loader fills in the file's name."""

    settings: S
    """What config.yaml says, or the defaults of its struct; filled in before the first event. None without a struct."""

    @overload
    def __init__(
        self: "Plugin[None, None]", name: str = "", *, middleware: Sequence[Middleware[None, None]] = ()
    ) -> None: ...
    @overload
    def __init__(
        self: "Plugin[S1, None]", name: str = "", *, settings: type[S1], middleware: Sequence[Middleware[S1, None]] = ()
    ) -> None: ...
    @overload
    def __init__(
        self: "Plugin[None, R1]",
        name: str = "",
        *,
        lifespan: Callable[[], AbstractAsyncContextManager[R1]],
        middleware: Sequence[Middleware[None, R1]] = (),
    ) -> None: ...
    @overload
    def __init__(
        self: "Plugin[S1, R1]",
        name: str = "",
        *,
        settings: type[S1],
        lifespan: Callable[[S1], AbstractAsyncContextManager[R1]],
        middleware: Sequence[Middleware[S1, R1]] = (),
    ) -> None: ...
    def __init__(
        self,
        name: str = "",
        *,
        settings: type[Any] | None = None,
        lifespan: Opener | None = None,
        middleware: Sequence[Middleware[Any, Any]] = (),
    ) -> None:
        """Make the plugin of a file.

        Args:
            name: another than its file's.
            settings: a msgspec struct, filled from `plugins.<name>.settings` of config.yaml, for `ctx.settings`.
            lifespan: an async context manager, called with the settings if there is a struct for them. It is opened
                before the plugin's first event and closed when the worker stops; what it yields is `ctx.resource`.
            middleware: what runs around every handler, the first outermost.

        Raises:
            PluginError: misuse, naming file and line.
        """
        self.name = name
        self.file, self.line = caller()
        self.settings_type = check_settings(settings)
        self.settings = cast("S", None)
        self.lifespan = check_lifespan(lifespan, self.settings_type)
        self.middlewares: list[Middleware[Any, Any]] = [check_middleware(each) for each in middleware]
        self._handlers: list[Handler] = []
        self._by_type: dict[type[Event], tuple[Handler, ...]] = {}

    def __repr__(self) -> str:
        return f"Plugin({self.name!r})"

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """In order of registration."""
        return tuple(self._handlers)

    def message(self, *filters: Filter[MessagesUpsert]) -> On[MessagesUpsert, Context[S, R]]:
        """Take messages that somebody else wrote in a chat: no own ones, no status, no channel or broadcast posts.

        Raises:
            PluginError: misuse, naming file and line.
        """
        _refuse_bare(*filters)
        return self._decorator((MessagesUpsert,), (inbound, *filters))

    @overload
    def on(self, event: TypeForm[CE], /, *filters: Filter[CE]) -> On[CE, Context[S, R]]: ...
    @overload
    def on(self, event: TypeForm[E], /, *filters: Filter[E]) -> On[E, EventContext[S, R]]: ...
    def on(self, event: object, /, *filters: Filter[Any]) -> On[Any, Any]:
        """Take events of a type, of several (`A | B`), or all (`Event`). Nothing is left out unless a filter does.

        Raises:
            PluginError: misuse, naming file and line.
        """
        return self._decorator(event_types(event), filters)

    def middleware(self, function: Middleware[S, R], /) -> Middleware[S, R]:
        """Run a function around every handler of this plugin: `async def timed(event, ctx, call_next)`.

        It runs once a handler is found, inside those that were there before it, and within `delivery.timeout`.

        Raises:
            PluginError: misuse, naming file and line.
        """
        self.middlewares.append(check_middleware(function))
        return function

    def configure(self, values: OwnSettings) -> None:
        """For the loader: read what config.yaml says.

        Raises:
            ConfigError: it doesn't fit the struct, or there is none.
        """
        if self.settings_type is not None:
            self.settings = read_own(self.name, values, self.settings_type)
        elif values:
            raise values.place(self.name).error(f"{self.name} takes no settings: it has no Plugin(settings=...)")

    def open(self) -> AbstractAsyncContextManager[Any]:
        """For the worker: the lifespan, called; one that does nothing where there is none."""
        if self.lifespan is None:
            return nullcontext()
        return self.lifespan(self.settings) if self.settings_type else self.lifespan()

    def wants(self, event_name: str) -> bool:
        """For the worker: whether an event of this name could reach a handler; names nobody knows go to UnknownEvent's.

        Whoever handles MalformedEvent wants every name, for any event can come malformed.
        """
        return bool(self.candidates(_type_of(event_name)) or self.candidates(MalformedEvent))

    def candidates(self, event_type: type[Event]) -> tuple[Handler, ...]:
        """For the worker: the handlers for this type of event, in order of registration, before any filter is asked."""
        found = self._by_type.get(event_type)
        if found is None:
            found = tuple(handler for handler in self._handlers if issubclass(event_type, handler.events))
            self._by_type[event_type] = found
        return found

    async def find(self, event: Event, ctx: EventContext[Any, Any]) -> Handler | None:
        """For the worker: the first handler whose filters let the event through.

        Suspends only where a filter's predicate does.
        An error in a filter comes through: it is the author's, like one in a handler.
        """
        for handler in self.candidates(type(event)):
            answer = handler.matches(event, ctx)
            if answer if isinstance(answer, bool) else await answer:
                return handler
        return None

    def _decorator(self, events: tuple[type[Event], ...], filters: tuple[Filter[Any], ...]) -> On[Any, Any]:
        checked = tuple(map(require, filters))

        def register(function: Callable[[Any, Any], T]) -> Callable[[Any, Any], T]:
            self._add(make_handler(function, events, checked, self.settings_type))
            return function

        return register

    def _add(self, handler: Handler) -> None:
        for earlier in self._handlers:
            if earlier.function is handler.function:
                raise Misuse.of(
                    handler.function, f"{handler.name} has two decorators: write on(A | B), or two functions"
                )
            if earlier.hides(handler):
                text = f"{handler.name} can never run: {earlier.name} in line {earlier.line} takes all it would"
                raise Misuse.of(handler.function, text)
        self._handlers.append(handler)
        self._by_type.clear()


def _below(base: type[Event]) -> Iterator[type[Event]]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)


_BY_NAME: Final[Mapping[str, type[Event]]] = {each.name: each for each in _below(Event) if each.name}


def _type_of(event_name: str) -> type[Event]:
    """The class an event of this name is decoded into, whichever way the name is spelt."""
    return _BY_NAME.get(event_name) or _BY_NAME.get(names.canonical(event_name) or "", UnknownEvent)


def _refuse_bare(*filters: object) -> None:
    """`@plugin.message` without brackets hands in the handler where filters belong."""
    for each in filters:
        if inspect.isfunction(each) and not each.__module__.startswith(__package__):
            hint = "write @plugin.message() above a handler, check(...) around a predicate"
            raise Misuse.of(each, f"message got the function {each.__name__}: {hint}")
