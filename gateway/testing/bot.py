"""A bot in a test: its plugins at work as in the gateway, people who write to it, and a clock that a test moves."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, Self, TypeAlias, TypeVar

import msgspec
import orjson

from gateway import samples
from gateway.config import Config, Delivery, OwnSettings, Worker
from gateway.errors import PluginError
from gateway.plugins import Plugin
from gateway.plugins.loader import Loaded, LoadedPlugin, load_folder
from gateway.plugins.state import Memory, State
from gateway.simulate import choose_sample
from gateway.testing.chats import Act, Chat, GroupChat
from gateway.testing.evolution import EvolutionServer
from gateway.testing.failures import DeadLetter, HandlerFailed
from gateway.testing.own_loop import OwnLoop
from gateway.testing.stage import Clock, Stage
from gateway.work.state import StateReader

__tracebackhide__ = True  # pytest shows the test and the handler, not what is between them
T = TypeVar("T")
Given: TypeAlias = Mapping[str, Any] | msgspec.Struct | None
"""Settings of a plugin, or of several by their names."""

OPENED: Final = object()
"""A plugin's resource is what its lifespan opens."""
INSTANCE: Final = "shop-1"
PATIENCE: Final = Config(delivery=Delivery(timeout=10, replies_per_minute=0), worker=Worker(stuck=2))
"""What is other in a test: seconds that a handler gets, by the real clock, and that people may be answered at once."""


class Bot:
    """Plugins at work, in a test. Use it with `async with`, on any event loop; or as pytest's fixture `bot`.

    Each act (`ana.send(...)`, `bot.event(...)`, `bot.advance(...)`) returns when everything that it caused has settled,
    and raises what went wrong in it: `HandlerFailed` with a handler's traceback, `NotSent` for a message that could not
    leave. With `strict=False` nothing is raised; `failures` and `dead_letters` tell it.
    """

    def __init__(
        self,
        *plugins: Plugin[Any, Any] | Path,
        settings: Given = None,
        resource: object = OPENED,
        now: datetime | None = None,
        strict: bool = True,
        config: Config = PATIENCE,
    ) -> None:
        """Load the plugins.

        Args:
            plugins: objects, or the files of plugins.
            settings: of the plugin, instead of those in `config`: values by key, or its struct. With several plugins,
                theirs by plugin name.
            resource: what `ctx.resource` is, instead of what the plugin's lifespan yields; likewise.
            now: the time at the beginning; the present without it. It stands still until `advance`.
            strict: whether acts raise what went wrong in them.
            config: the gateway's other settings.

        Raises:
            PluginError: a file can't be loaded, or there is no plugin.
        """
        loaded = _prepared(_load(plugins), config, settings, resource)
        self._strict = strict
        self._numbers = count(1)
        self._stage = Stage(config, loaded, Clock(now.timestamp() if now else time.time()))

    async def __aenter__(self) -> Self:
        self._loop = OwnLoop()
        try:
            await self._do(self._stage.open())
        except BaseException:
            self._loop.end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._do(self._stage.close())
        finally:
            self._loop.end()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Self]:
        """The same as `async with`, for code without a loop: the people in it are awaited on any."""
        loop = self._loop = OwnLoop()
        try:
            loop.run(self._stage.open()).result()
            try:
                yield self
            finally:
                loop.run(self._stage.close()).result()
        finally:
            loop.end()

    def chat(self, phone: str, *, name: str = "", instance: str = INSTANCE, by_lid: bool = False) -> Chat:
        """A person with this number, as people write it; `by_lid`: WhatsApp addresses their chat by LID.

        Raises:
            ValueError: no telephone number.
        """
        return Chat(self, self.evolution.person(phone, name=name, instance=instance, by_lid=by_lid))

    def group(self, subject: str, *people: Chat, instance: str = INSTANCE) -> GroupChat:
        """A group with the bot and these people; the first of them owns it."""
        made = self.evolution.group(subject, [each.person for each in people], instance=instance)
        return GroupChat(self, made, instance)

    async def event(self, event: str, data: object = None, **fields: Any) -> None:  # noqa: ANN401 -- JSON
        """Have any event come: by its name, or that of a sample (`connection-update__close-v18`).

        Args:
            event: `connection.update`, in any spelling, or a sample's name.
            data: in place of the sample's data.
            fields: single fields of its data, in place of the sample's: `state="close"`.

        Raises:
            KeyError: there is no such event or sample.
        """
        name, sample = choose_sample(event)
        body = samples.load(sample) | {"event": name, "instance": INSTANCE}
        if data is not None:
            body["data"] = data
        if fields:
            body["data"] = {**(body["data"] or {}), **fields}
        # No two are the same bytes, else the second would be taken for a repeat.
        body["date_time"] = f"{self.now:%Y-%m-%dT%H:%M:%S}.{next(self._numbers):03d}Z"
        await self.act(lambda: self._stage.receive(orjson.dumps(body)))

    async def advance(self, by: float | timedelta = 0, *, to: datetime | None = None) -> None:
        """Let time pass, in seconds or up to a moment; what is due by then, retries above all, happens in its order."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        until = to.timestamp() if to else self._stage.clock.now + seconds
        await self._do(self._stage.advance(until))
        self._raise()

    async def act(self, act: Act, /) -> None:
        """Have something happen, and return when all that it caused has settled.

        Raises:
            BotFailure: something went wrong in it.
        """
        await self._do(self._perform(act))
        self._raise()

    @property
    def now(self) -> datetime:
        """The time, as `ctx.now` gives it."""
        return datetime.fromtimestamp(self._stage.clock.now, UTC)

    @property
    def evolution(self) -> EvolutionServer:
        """The fake Evolution: `bot.evolution.fail(Fault.SERVER_FAULT)` has the next send fail."""
        return self._stage.server

    @property
    def failures(self) -> list[HandlerFailed]:
        """All attempts that raised, in their order."""
        return list(self._stage.failures)

    @property
    def dead_letters(self) -> list[DeadLetter]:
        """Deliveries that were given up."""
        return list(self._stage.dead_letters)

    def loaded(self, key: str, *, instance: str = INSTANCE) -> dict[str, Any]:
        """What the bot remembers under a key of its own, as `await ctx.load(key)`."""
        return self.remembered(lambda memory: memory.load(key), instance)

    def remembered(
        self, which: Callable[[Memory], State], instance: str, chats: Sequence[str] = (), people: Sequence[str] = ()
    ) -> dict[str, Any]:
        """What the plugins remember, of people in a chat or by themselves; what several know stands side by side."""
        found: dict[str, Any] = {}
        lanes = list(dict.fromkeys(f"{instance}/{chat}" for chat in chats))
        with contextlib.closing(StateReader(self._stage.folder)) as reader:
            for plugin in self._stage.plugins:
                found |= which(Memory(plugin=plugin, instance=instance, chats=lanes, people=people, source=reader))
        return found

    async def _perform(self, act: Act) -> None:
        await act()
        await self._stage.settle()

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self._loop.run(work))

    def _raise(self) -> None:
        """The first of what went wrong; the others are in `failures`."""
        problems, self._stage.problems = self._stage.problems, []
        if problems and self._strict:
            raise problems[0]


def _load(plugins: tuple[Plugin[Any, Any] | Path, ...]) -> Loaded:
    if not plugins:
        raise PluginError("Bot() has no plugin to try: give it one, or the file of one")
    return Loaded(tuple(_from_file(each) if isinstance(each, Path) else _named(each) for each in plugins), ())


def _named(plugin: Plugin[Any, Any]) -> LoadedPlugin:
    """A plugin that no folder was loaded for goes by its file's name all the same."""
    file = Path(plugin.file)
    plugin.name = plugin.name or file.stem
    return LoadedPlugin(plugin, file)


def _from_file(file: Path) -> LoadedPlugin:
    loaded = load_folder(file.parent, only={file.stem})
    if loaded.errors:
        error = loaded.errors[0]
        raise PluginError(f"{error}\n{error.traceback_text}".rstrip())
    if not loaded.plugins:
        raise PluginError(f"there is no plugin {file}")
    return loaded.plugins[0]


def _prepared(loaded: Loaded, config: Config, settings: Given, resource: object) -> Loaded:
    """Copies of the plugins, with these settings and resources, so that one test leaves nothing to the next."""
    names = [each.plugin.name for each in loaded.plugins]
    given = settings if settings is None or len(names) > 1 else {names[0]: settings}
    opened = resource if resource is OPENED or len(names) > 1 else {names[0]: resource}
    plugins = []
    for each in loaded.plugins:
        plugin = copy(each.plugin)
        _configure(plugin, config, given)
        if isinstance(opened, Mapping) and plugin.name in opened:
            plugin.lifespan = partial(_lend, opened[plugin.name])
        plugins.append(msgspec.structs.replace(each, plugin=plugin))
    return msgspec.structs.replace(loaded, plugins=tuple(plugins))


def _configure(plugin: Plugin[Any, Any], config: Config, given: Given) -> None:
    own = given.get(plugin.name) if isinstance(given, Mapping) else None
    if isinstance(own, msgspec.Struct):
        plugin.settings = own
    else:
        plugin.configure(config.plugin(plugin.name).settings if own is None else OwnSettings(own))


def _lend(resource: object, *_settings: object) -> AbstractAsyncContextManager[object]:
    """In place of a lifespan: nothing to open and nothing to close."""
    return nullcontext(resource)
