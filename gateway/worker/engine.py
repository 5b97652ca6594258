"""The worker's heart: take events up, start what may start, settle what has ended.

One loop, one commit at a time: what ended since the last commit is settled in the next, together with the start of the
attempts that follow. So an attempt is on disk before its handler runs, and a handler's effects are on disk or are not.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from gateway.config import Config
from gateway.journal import StoredEvent
from gateway.plugins import Plugin
from gateway.redact import Redactor
from gateway.work import Batch, Delivery, Message, OutboxReader, Settled, WorkStore
from gateway.work.begun import Begun
from gateway.work.state import StateReader
from gateway.work.store import WORK
from gateway.worker.around import Around
from gateway.worker.bell import Bell
from gateway.worker.controls import Controls
from gateway.worker.handover import Handover
from gateway.worker.hearing import Hearing
from gateway.worker.host import Host
from gateway.worker.intake import Intake
from gateway.worker.lanes import Lanes
from gateway.worker.left import Left, put_back, steady_clock
from gateway.worker.questions import Questions
from gateway.worker.running import Running
from gateway.worker.settling import Settling
from gateway.worker.stats import WRITE_EVERY
from gateway.worker.suspects import Suspects
from gateway.worker.unsent import Unsent
from gateway.worker.uptake import Uptake
from gateway.worker.watchdog import Watchdog
from gateway.worker.writing import Writing

MANY: Final = 64
"""Attempts begun by one commit that make the next one wait for more: a delivery costs less in a larger commit."""
GATHER: Final = 0.02  # seconds from the start of such a commit to that of the next: one delivery of a chat a commit


class Engine:
    """Runs the deliveries of all loaded plugins."""

    def __init__(
        self,
        *,
        config: Config,
        plugins: Sequence[Plugin[Any, Any]],
        store: WorkStore,
        intake: Intake,
        redactor: Redactor,
        settled: Callable[[Sequence[Settled]], None],
        trouble: Callable[[str, str | None], None] = lambda _plugin, _sentence: None,
        clock: Callable[[], float] | None = None,
        requeued: Callable[[Sequence[Message]], None] = lambda _messages: None,
    ) -> None:
        self._config = config
        self._intake = intake
        self._say = trouble
        self.now = clock or steady_clock()
        """Unix seconds that pass evenly."""
        self._wall = clock or time.time
        self._bell = Bell()
        self._left = Left.by(store, config.data)
        self._begun = Begun(config.data)
        self.own_messages = OutboxReader(config.data / WORK)
        """What the outbox holds, for whoever has to tell own messages from others'."""
        self._around = Around.of(config, self.own_messages, self._wall)
        self._running = {plugin.name: self._prepare(plugin, redactor) for plugin in plugins}
        self._suspects = Suspects(self._running)
        self._settling = Settling(
            config, store, self._running, self._suspects, trouble=trouble, now=self.now, wall=self._wall
        )
        self._uptake = Uptake(intake, self._running, store.last_ids()[0] + 1)
        self._questions = Questions(
            intake, self._running, redactor, woken=self._bell.ring, stuck=self._settling.give_up
        )
        unsent = Unsent(intake, config.data / WORK, self.now)
        self._controls = Controls(
            store, intake, config.data, self._running, add=self._uptake.add, questions=self._questions, unsent=unsent
        )
        self._watchdog = Watchdog([each.host for each in self._running.values()], trouble)
        self._draining = self._halted = self._is_busy = False
        self._batch = Batch()
        """What the next commit writes."""
        self._writing = Writing(store, self._begun, settled=settled, requeued=requeued)
        self._hearing = Hearing(self._running, self._bell)
        self._handover = Handover(self._running)
        self._idle = asyncio.Event()
        self._is_resting = self._has_begun = False
        self._rested = asyncio.Event()

    @property
    def stuck(self) -> bool:
        """A handler could be stopped by nothing: the process has to be replaced."""
        return self._settling.is_stuck

    def wake(self, events: Sequence[StoredEvent] = ()) -> None:
        """There may be something to do: with these events and nothing else in the journal, if there are any."""
        self._intake.offer(events)
        self._uptake.wake()
        self._bell.ring()

    async def begin(self) -> None:
        """Take up what an earlier worker left: what waited goes on, what ran when it died is a suspect.

        From here on a plugin that is new to this gateway misses nothing: whoever is told that it is loaded may post.
        """
        if self._has_begun:
            return
        self._has_begun = True
        newest = await self._intake.last() if self._left.has_run else 0
        batch = self._left.hand_on(self._running, newest, self._intake.generation)
        again = await self._uptake.again(self._left.noted, batch)
        for delivery in (*self._left.cut_off, *again):
            if delivery.plugin in self._running:
                self._suspects.add(delivery, batch)
        await self._writing.write(batch)

    async def run(self) -> None:
        """Work until `drain` or `stuck`. Starts with what an earlier worker left behind."""
        await self.begin()
        watching = asyncio.create_task(self._watchdog.run())
        try:
            while not (self.stuck or self._halted):
                began = time.monotonic()
                self._bell.reset()
                more = await self._step()
                if self._is_busy or more:
                    self._handover.go()
                    await asyncio.sleep(max(0.0, began + GATHER - time.monotonic()) if self._is_busy else 0)
                else:
                    await self._rest()
        finally:
            watching.cancel()

    async def until_settled(self, seq: int) -> None:
        """Return once all plugins have taken up the events to this number, and nothing runs or could start now."""
        with self._hearing.hurried():
            while not self._has_settled(seq):
                self._rested.clear()
                await self._rested.wait()

    def next_due(self) -> float | None:
        """Unix seconds at which a delivery that waits is tried again; None when none does."""
        dues = [due for each in self._running.values() if (due := each.next_due()) is not None]
        return min(dues, default=None)

    async def drain(self, grace: float) -> None:
        """Take nothing more up, give what runs `grace` seconds to end, settle it, and let `run` return."""
        self._draining = True
        self._bell.ring()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        self._halted = True
        self._bell.ring()

    async def stop(self, grace: float, *, suspects: bool = False) -> None:
        """After `run`: settle what has ended, and note that what still runs was stopped on purpose.

        That counts as no attempt. A store that can't be written for `grace` seconds is not waited for: what it holds
        as running is then run again. With `suspects` it is left so on purpose: one of them had to be stopped, and the
        next worker runs them alone to find out which.
        """
        batch = self._batch
        self._hearing.tell_hosts(is_pressed=True)
        self._settling.take(batch, at_the_end=self._halted)
        self._questions.stop()
        if not suspects:
            for one in self._running.values():
                for each in one.lanes.in_flight():
                    batch.settle(put_back(each))
        await asyncio.gather(
            self._writing.write_last(batch, grace), *(each.host.close(grace) for each in self._running.values())
        )
        self._begun.close()

    def under_way(self) -> dict[str, list[int]]:
        """By plugin, the events whose handlers run now."""
        running = {name: [each.seq for each in one.lanes.in_flight()] for name, one in self._running.items()}
        return {name: seqs for name, seqs in running.items() if seqs}

    def _prepare(self, plugin: Plugin[Any, Any], redactor: Redactor) -> Running:
        settings = self._config.delivery_of(plugin.name)
        return Running(
            plugin=plugin,
            host=Host(
                plugin,
                settings,
                redactor,
                self._bell.ring,
                state=StateReader(self._config.data),
                around=self._around,
                lifespan=partial(self._on_lifespan, plugin.name),
            ),
            lanes=Lanes(settings.order),
            concurrency=settings.concurrency,
            retry=settings.retry,
            overdue=settings.timeout + self._config.worker.stuck,
        )

    async def _step(self) -> bool:
        """One commit's worth of work. True if there may be more at once."""
        self._is_busy = False
        found = await self._uptake.look(self.now(), takes_up=self._takes_up, control=self._controls.last)
        batch = self._batch
        is_due = self._hearing.end()
        self._settling.take(batch, at_the_end=self._halted)
        if self._draining and not any(each.lanes.running for each in self._running.values()):
            self._idle.set()
        more = self._uptake.take(found, batch)
        more = await self._controls.step(batch, found.controls, may_add=self._takes_up) or more
        started = self._start(batch)
        is_quiet = batch.is_quiet
        if started or (batch and is_quiet):
            self._hearing.begin()
        self._hearing.tell_hosts(is_pressed=not self._takes_up)
        events = await self._intake.events_of(started)
        if is_quiet and self._begun.note(started):
            batch.begin()
            self._handover.add(started, events)
            started = []
            if not is_due:
                return more
            self._handover.go()
        if batch:
            await self._commit(started, events)
        return more

    async def _commit(self, started: Sequence[Delivery], events: Mapping[int, StoredEvent]) -> None:
        """Write the batch, and let begin what it starts."""
        batch, self._batch = self._batch, Batch()
        await self._writing.write(batch)
        waiting = sum(each.lanes.waiting for each in self._running.values())
        self._is_busy = len(started) >= max(MANY, waiting)  # where more wait, a pause would only hold their lanes up
        self._handover.add(started, events)

    @property
    def _takes_up(self) -> bool:
        return not (self._suspects.pressing() or self._draining or self.stuck)

    def _start(self, batch: Batch) -> list[Delivery]:
        started: list[Delivery] = []
        now = self.now()
        if not (self._draining or self.stuck):
            if self._suspects.pressing():
                started = self._suspects.start(now)
            if not self._suspects.pressing():
                started = [delivery for running in self._running.values() for delivery in running.start(now)]
        at = time.time()
        batch.started = [(delivery, at) for delivery in started]
        return started

    def _on_lifespan(self, plugin: str, trouble: str | None) -> None:
        self._say(f"{plugin} lifespan", trouble)
        self._bell.ring()

    async def _rest(self) -> None:
        """Wait until there is something to do, a closed lane opens, or it is time for the next slow look."""
        self._is_resting = True
        self._rested.set()
        if (left := self._hearing.left) is not None:  # first, for it is the soonest: a later one then sets no timer
            self._bell.ring_within(left)
        if (due := self.next_due()) is not None:
            self._bell.ring_within(max(0.0, due - self.now()))
        self._bell.ring_within(min(self._intake.poll, WRITE_EVERY) if self._settling.has_news else self._intake.poll)
        self._handover.go()
        await self._bell.wait()
        self._is_resting = False

    def _has_settled(self, seq: int) -> bool:
        due = self.next_due()
        return (
            self._is_resting
            and not self._batch
            and (due is None or due > self.now())
            and all(
                each.host.is_ready and each.position >= seq and not each.lanes.running
                for each in self._running.values()
            )
        )
