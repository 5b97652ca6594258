"""One plugin's thread, with an event loop of its own: a handler that blocks holds up its own plugin and nothing else.

Jobs and results cross between the loops in batches, for each crossing costs more than an attempt.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar, TypeVarTuple

from gateway import config
from gateway.log import log
from gateway.plugins import Plugin
from gateway.redact import Redactor
from gateway.work.state import StateReader
from gateway.worker.around import Around
from gateway.worker.attempt import Attempts, Job
from gateway.worker.eager import EagerLoop
from gateway.worker.explain import PluginAnswer
from gateway.worker.rehearsal import Rehearsed, rehearsed
from gateway.worker.resource import Resource
from gateway.worker.results import Results
from gateway.worker.verdict import Ended

TURN: Final = 0.005
"""Seconds for which attempts begin one after the other; then results go home, and the loop has its turn."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Host:
    """Runs one plugin's attempts; `ended` is called on the loop that made the host: somebody waits for a result."""

    def __init__(
        self,
        plugin: Plugin[Any, Any],
        settings: config.Delivery,
        redactor: Redactor,
        ended: Callable[[], None],
        *,
        state: StateReader,
        around: Around,
        lifespan: Callable[[str | None], None] = lambda _sentence: None,
    ) -> None:
        self.plugin = plugin
        self._home = asyncio.get_running_loop()
        self._tell = ended
        self._reported: list[Ended] = []
        self.results = Results()
        self._beginning: int | None = None
        self._tasks: dict[asyncio.Task[None], int] = {}
        """Those that wait for something, with their deliveries."""
        self._at_once = settings.concurrency
        self._waiting: deque[Job] = deque()
        """Handed over and not begun, while as many run as may at once."""
        self._begun: dict[int, float] = {}
        self._threads = ThreadPoolExecutor(settings.concurrency, thread_name_prefix=f"{plugin.name}-def")
        self._state = state
        make = partial(
            Attempts,
            plugin,
            timeout=settings.timeout,
            redactor=redactor,
            threads=self._threads,
            state=state,
        )
        self._attempts, self._trials = make(around=around), make(around=around.without_traces())
        """What is settled, and what leaves no trace."""
        self._loop = EagerLoop()
        self._resource: Resource | None = None
        self._living: asyncio.Task[None] | None = None
        self.is_ready = plugin.lifespan is None
        """What the plugin needs is open, so that attempts may start."""
        if plugin.lifespan is not None:
            self._resource = Resource(
                plugin,
                timeout=settings.timeout,
                redactor=redactor,
                told=lambda sentence: self._at_home(lifespan, sentence),
            )
            self._loop.call_soon(self._open)
        self._is_stopping = False
        self._given = self._returned = 0
        # Daemonic: a handler that never ends must not keep a worker that was told to stop.
        self._thread = threading.Thread(target=self._serve, name=f"plugin-{plugin.name}", daemon=True)
        self._thread.start()

    @property
    def thread(self) -> int:
        """Identity of the plugin's thread."""
        return self._thread.ident or 0

    @property
    def is_busy(self) -> bool:
        """Some attempt has not ended, or the plugin's lifespan is being opened."""
        return self._given != self._returned or not self.is_ready

    @property
    def holder(self) -> int | None:
        """The delivery whose handler has the plugin's thread at this moment; None if its loop waits."""
        task = asyncio.current_task(self._loop)
        return self._beginning or (self._tasks.get(task) if task else None)

    @property
    def waiting(self) -> Collection[int]:
        """The deliveries that wait until fewer attempts run."""
        return {job.delivery.id for job in self._waiting.copy()}

    @property
    def begun(self) -> Mapping[int, float]:
        """The deliveries whose attempts have begun and not ended, and when, by monotonic clock."""
        return self._begun.copy()

    def call(self, function: Callable[[], None]) -> None:
        """Have the plugin's loop call a function, once it gets to it."""
        with contextlib.suppress(RuntimeError):  # stopped
            self._loop.call_soon_threadsafe(function)

    def start(self, jobs: Sequence[Job]) -> None:
        """Hand attempts over. They begin in order, as soon as fewer run than may at once. Called on the home loop."""
        self._given += len(jobs)
        self._loop.call_soon_threadsafe(self._begin, jobs)

    async def explain(self, job: Job) -> PluginAnswer:
        """Which handler would take the event, and why."""
        return await self._ask(self._trials.explain(job))

    async def rehearse(self, job: Job) -> Rehearsed:
        """What the plugin would do with the event. Nothing of it is sent or saved."""
        return await self._ask(self._rehearse(job))

    async def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Have something run by the plugin's loop beside the attempts, and wait for it on the home loop."""
        self._given += 1
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(question, self._loop))
        finally:
            self._given -= 1

    def stop(self) -> None:
        """Take nothing more up. What runs goes on until the process ends."""
        self._is_stopping = True
        with contextlib.suppress(RuntimeError):  # stopped before
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def close(self, grace: float) -> None:
        """Give what the plugin has open `grace` seconds to close, and stop; where nothing is open, just stop."""
        if self._resource is not None or self._attempts.is_connected:
            ending = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            try:
                await asyncio.wait_for(asyncio.wrap_future(ending), grace)
            except TimeoutError:
                log.error("plugin_not_closed", plugin=self.plugin.name, after_seconds=grace)
        self.stop()

    # From here on: the plugin's thread.

    def _open(self) -> None:
        assert self._resource is not None  # noqa: S101 -- the caller has made it
        self._living = self._loop.create_task(self._resource.live(self._use))

    def _use(self, value: object) -> None:
        self._attempts.desk.resource = self._trials.desk.resource = value
        self.is_ready = True

    async def _end(self) -> None:
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        await self._attempts.close()
        if self._resource and self._living:
            self._resource.stop()
            if not self.is_ready:
                self._living.cancel()
            await asyncio.wait({self._living})

    def _serve(self) -> None:
        """Run the loop until `stop`, whatever handlers do to it."""
        while not self._is_stopping:
            try:
                self._loop.run_forever()
            except BaseException:  # noqa: BLE001 -- a task that a handler left behind raised SystemExit
                log.error("plugin_loop_broken", plugin=self.plugin.name, exc_info=True)
            if not self._is_stopping:
                log.error("plugin_loop_resumed", plugin=self.plugin.name)
        if not self._tasks:  # what still runs may yet report to its loop
            self._loop.close()
            self._state.close()

    def _begin(self, jobs: Sequence[Job]) -> None:
        self._waiting += jobs
        self._go_on()

    def _go_on(self) -> None:
        """Run attempts up to where each first waits, most of them to their end, until as many wait as may at once."""
        until = time.monotonic() + TURN
        while self._may_begin and time.monotonic() < until:
            self._begin_one(self._waiting.popleft())
        self._beginning = None
        self._flush()
        if self._may_begin:
            self._loop.call_soon(self._go_on)

    @property
    def _may_begin(self) -> bool:
        return bool(self._waiting) and len(self._tasks) < self._at_once

    def _begin_one(self, job: Job) -> None:
        self._beginning = job.delivery.id
        self._begun[job.delivery.id] = time.monotonic()
        outcome = self._attempts.at_once(job)
        if isinstance(outcome, Ended):
            self._report(outcome)
            return
        task = self._loop.begin(self._finish(outcome), name=self.plugin.name)
        if not task.done():
            self._tasks[task] = job.delivery.id
            task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if self._waiting:
            self._loop.call_soon(self._go_on)

    async def _finish(self, running: Coroutine[Any, Any, Ended]) -> None:
        self._report(await running)

    async def _rehearse(self, job: Job) -> Rehearsed:
        outcome = self._trials.at_once(job)
        return rehearsed(outcome if isinstance(outcome, Ended) else await outcome, self._state)

    def _report(self, ended: Ended) -> None:
        self._returned += 1
        del self._begun[ended.delivery.id]
        if not self._reported and self._beginning is None:
            self._loop.call_soon(self._flush)
        self._reported.append(ended)

    def _flush(self) -> None:
        reported, self._reported = self._reported, []
        if reported and self.results.put(reported):
            self._at_home(self._tell)

    def _at_home(self, function: Callable[[*Ts], None], *values: *Ts) -> None:
        """Have the home loop call a function."""
        try:
            self._home.call_soon_threadsafe(function, *values)
        except RuntimeError:  # the worker is closing; its next start tries these deliveries again
            log.debug("results_came_too_late", plugin=self.plugin.name)
