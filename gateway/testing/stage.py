"""The gateway of one test: a real journal, engine, store and outbox in a folder of its own, and a fake Evolution."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from gateway.config import Config, Secret
from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal
from gateway.plugins.loader import Loaded
from gateway.testing.evolution import EvolutionServer
from gateway.testing.failures import BotFailure, DeadLetter, HandlerFailed, NotSent, dead_letter, failed
from gateway.work import OutboxReader, Settled, WorkStore
from gateway.work.store import WORK
from gateway.worker.crew import Crew
from gateway.worker.intake import Intake

T = TypeVar("T")

MEMORY: Final = Path("/dev/shm")  # noqa: S108 -- a new folder is made in it
"""Files here need no disk: they last no longer than the test anyway."""
LOOK_EVERY: Final = 0.5  # seconds between looks for a handler that nothing can stop
HANG: Final = 0.2  # seconds until the fake Evolution cuts a connection that it was told not to answer
GRACE: Final = 1.0  # seconds for what still runs at the end


class Clock:
    """Unix seconds that pass when a test says so."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


class Stage:
    """Open it, have events come, wait until all has settled; all of it on one loop."""

    def __init__(self, config: Config, loaded: Loaded, clock: Clock) -> None:
        self.clock = clock
        self.problems: list[BotFailure] = []
        """What went wrong since somebody last looked."""
        self.failures: list[HandlerFailed] = []
        """All attempts that raised, in their order."""
        self.dead_letters: list[DeadLetter] = []
        self.server = EvolutionServer(typing_scale=0, hang=HANG, clock=clock, inbox=self.receive)
        self._config = config
        self._loaded = loaded
        self._counted: dict[int, int] = {}
        self._unsent: set[int] = set()
        self._stack = AsyncExitStack()

    @property
    def plugins(self) -> list[str]:
        """Their names."""
        return [each.plugin.name for each in self._loaded.plugins]

    async def open(self) -> None:
        """Begin to work; whatever was begun is ended if something fails."""
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise

    async def close(self) -> None:
        """Stop as a worker that is asked to, and leave nothing behind."""
        await self._stack.aclose()

    async def _open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gateway-bot-", dir=MEMORY if MEMORY.is_dir() else None))
        self._stack.callback(shutil.rmtree, self.folder)
        await self._stack.enter_async_context(self.server)
        self.server.point(f"{self.server.url}/webhook", base64=True)
        self._journal = Journal(self.folder, clock=self.clock)
        self._stack.push_async_callback(self._journal.close)
        self._outbox = OutboxReader(self.folder / WORK)
        self._stack.callback(self._outbox.close)
        self._unopened: asyncio.Future[BotFailure] = asyncio.get_running_loop().create_future()
        self._crew = Crew(
            self._configured(),
            self._loaded,
            WorkStore(self.folder),
            await Intake.open(self.folder, LOOK_EVERY),
            changed=lambda _seqs: None,
            trouble=self._note_trouble,
            settled=self._note,
            clock=self.clock,
        )
        await self._crew.begin()
        self._running = asyncio.create_task(self._crew.engine.run())
        self._stack.push_async_callback(self._stop)

    async def _stop(self) -> None:
        await self._crew.engine.drain(GRACE)
        await self._running
        await self._crew.close(GRACE)

    def _configured(self) -> Config:
        """The test's settings, for this folder and this Evolution, and without a person's pace."""
        config = self._config
        evolution = msgspec.structs.replace(config.evolution, url=self.server.url, apikey=Secret(self.server.apikey))
        outbox = msgspec.structs.replace(config.outbox, pace="off")
        return msgspec.structs.replace(config, data=self.folder, evolution=evolution, outbox=outbox)

    async def receive(self, body: bytes) -> None:
        """Accept an event, as the receiver does with one that was posted."""
        await self._journal.append(Arrival(read_envelope(body, None), body, None, None, time.perf_counter()))
        self._crew.wake()

    async def settle(self) -> None:
        """Return once nothing is left to do before the clock moves on: events, handlers, messages and their echoes.

        Raises:
            BotFailure: a handler can be stopped by nothing.
        """
        while True:
            last = self._journal.last
            await self._unless_stuck(self._crew.until_quiet(last))
            await self.server.settled()
            if self._journal.last == last:
                break
        self._note_unsent()

    async def advance(self, until: float) -> None:
        """Let the time pass, and stop at each moment at which something is due."""
        await self.settle()
        while (due := self._crew.next_due()) is not None and due <= until:
            self._move(max(due, self.clock.now))
            await self.settle()
        self._move(until)
        await self.settle()

    def _move(self, now: float) -> None:
        self.clock.now = now
        self._crew.wake()

    async def _unless_stuck(self, work: Coroutine[Any, Any, None]) -> None:
        settling = asyncio.ensure_future(work)
        ends: list[asyncio.Future[Any]] = [settling, self._running, self._unopened]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not settling.done():
            settling.cancel()
            if self._unopened.done():
                raise self._unopened.result()
            raise self.problems.pop() if self.problems else BotFailure("the bot has stopped working")

    def _note_trouble(self, about: str, sentence: str | None) -> None:
        """Of all that a person should know, a lifespan that fails is what keeps a test from going on."""
        if sentence and about.endswith(" lifespan") and not self._unopened.done():
            self._unopened.set_result(BotFailure(sentence))

    def _note_unsent(self) -> None:
        for number, plugin, kind, error in self._outbox.dead():
            if number not in self._unsent:
                self._unsent.add(number)
                self.problems.append(NotSent(f"a message of {plugin} ({kind}) was not sent: {error}"))

    def _note(self, batch: Sequence[Settled]) -> None:
        for each in batch:
            delivery = each.delivery
            if each.status == "dead" or delivery.failures > self._counted.get(delivery.id, 0):
                self._counted[delivery.id] = delivery.failures
                self.failures.append(failed(each))
                self.problems.append(self.failures[-1])
            if each.status == "dead":
                self.dead_letters.append(dead_letter(each))
