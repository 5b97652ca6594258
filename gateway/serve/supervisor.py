"""Keep one worker alive beside the receiver: start it, wake it, hear it, replace it when it dies or a file changes.

A changed file is loaded by the next worker, which then waits. The one at work makes room only if that brought no new
error, so an edit that can't be loaded never stops a plugin.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gateway.config import Config
from gateway.errors import GatewayError
from gateway.journal import StoredEvent
from gateway.log import log
from gateway.play import FILE as PLAY
from gateway.serve.child import Child
from gateway.serve.cores import Cores
from gateway.serve.restarts import CALM, Restarts
from gateway.serve.watch import Watch
from gateway.worker.exits import EXIT_OUTGROWN, EXIT_UNUSABLE
from gateway.worker.link import LoadReport

LOAD_WITHIN: Final = 60.0
"""Seconds that loading changed plugin files may take."""
NOT_STARTED: Final = -1000
"""Stands for the exit code of a worker that could not even be started."""


class Supervisor:
    """Runs the worker while it is entered."""

    def __init__(self, config: Config, config_file: Path | None) -> None:
        self._config = config
        self._config_file = config_file
        self._cores = Cores()
        self._worker: Child | None = None
        self._next: Child | None = None
        self._choosing = asyncio.Lock()
        """Held while a worker is started to work, so that a reload knows which one it replaces."""
        self._hurry = asyncio.Event()
        self._handover: Handover | None = None
        self._restarts = Restarts()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_started = asyncio.Event()
        """A worker's process has been started, or could not be."""
        self._is_entered = asyncio.Event()
        self._is_stopping = False
        self._death = ""
        self._not_reloaded = ""
        self._troubles: list[str] = []
        self._first: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        self.is_ready = False
        """The worker has loaded its plugins and works."""
        self.on_changed: Callable[[Collection[int]], None] = lambda _seqs: None
        """Hears which events' deliveries changed."""

    async def begin(self) -> None:
        """Start a worker's process. It loads its plugins; it works as soon as this is entered."""
        self._run(self._keep_alive())
        await self._is_started.wait()

    async def __aenter__(self) -> Self:
        self._is_entered.set()
        for work in (self._watch(), self._cores.watch()):
            self._run(work)
        if not self._is_started.is_set():
            await self.begin()
        return self

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_complain)
        self._tasks.append(task)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_stopping:
            return
        self._is_stopping = True
        if self._worker:
            await self._worker.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for child in (self._worker, self._next):
            if child:
                await child.kill()

    async def first_ready(self, unless: asyncio.Event) -> Sequence[str]:
        """Wait for the first worker; gives the names of its plugins, or nothing when `unless` is set before.

        Raises:
            GatewayError: the plugins can't be used at all; the worker has said why.
        """
        giving_up = asyncio.create_task(unless.wait())
        either: set[asyncio.Future[Any]] = {self._first, giving_up}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        giving_up.cancel()
        return self._first.result() if self._first.done() else ()

    def wake(self, events: Sequence[StoredEvent] = ()) -> None:
        """There is something new in the journal: these events and nothing else, if there are any."""
        if self._worker:
            self._worker.wake(events)

    def problems(self) -> list[str]:
        """What a person should know, in full sentences."""
        is_calm = self._worker is not None and self.is_ready and time.monotonic() - self._worker.began > CALM
        death = "" if is_calm else self._death
        return [each for each in (self._not_reloaded, death, *self._troubles) if each]

    async def _keep_alive(self) -> None:
        while not self._is_stopping:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._restarts.pause)
            code = await self._run_once()
            if self._give_up(code):
                return

    async def _run_once(self) -> int:
        """One worker, from its first word to its end; gives its exit code."""
        try:
            async with self._choosing:
                self._hurry.clear()
                self._worker, self._next = self._next or await self._start(), None
                self._is_started.set()
                await self._is_entered.wait()
                self._worker.go()
        except OSError as error:  # out of descriptors, processes or memory: that may pass
            self._is_started.set()
            log.error("worker_not_started", error=str(error))
            self._note_death(NOT_STARTED, 0.0)
            return NOT_STARTED
        code = await self._worker.ended()
        self._note_end(self._worker, code)
        return code

    def _note_end(self, worker: Child, code: int) -> None:
        self.is_ready = False
        self._troubles = []
        lived = time.monotonic() - worker.began
        if worker.is_dismissed:
            self._restarts.replaced()
        elif code == EXIT_OUTGROWN:
            self._restarts.outgrew(lived)
            self._death = "The worker was replaced: it held more memory than worker.memory allows; see the log."
        else:
            self._note_death(code, lived)

    def _note_death(self, code: int, lived: float) -> None:
        self._restarts.died(lived)
        deaths = self._restarts.deaths
        often = "once" if deaths == 1 else f"{deaths} times in a row"
        self._death = f"The worker died {often} ({_cause(code)}); it is started again."
        log.error("worker_died", cause=_cause(code), times=deaths)

    def _give_up(self, code: int) -> bool:
        """Whether another worker would be of no use: the gateway stops, or has never had plugins that load."""
        if code == EXIT_UNUSABLE and not self._first.done():
            self._first.set_exception(GatewayError("not started: mend what is named above, or see `gateway check`"))
        return self._is_stopping or (code == EXIT_UNUSABLE and self._first.exception() is not None)

    def _hear(self, message: dict[str, Any]) -> None:
        if "changed" in message:
            self.on_changed(message["changed"])
        if "troubles" in message:
            self._troubles = message["troubles"]
            self.on_changed(())
        if "ready" in message:
            self._note_ready(message["ready"]["plugins"])

    def _note_ready(self, plugins: Sequence[str]) -> None:
        self.is_ready = True
        self.wake()
        log.info("worker_ready", plugins=", ".join(plugins) or "none")
        if self._handover:
            self._handover.log()
            self._handover = None
        else:
            self._not_reloaded = ""  # no old plugins are left: it has loaded what there is
        self.on_changed(())
        if not self._first.done():
            self._first.set_result(plugins)

    async def _start(self) -> Child:
        where = ["--config", str(self._config_file)] if self._config_file else []
        return await Child.start([sys.executable, "-m", "gateway", "work", *where], self._hear, self._cores)

    async def _watch(self) -> None:
        async for changed in Watch(self._config.routes, [self._config.data / PLAY]):
            await self._reload(changed)

    async def _reload(self, changed: Sequence[str]) -> None:
        """Start the next worker, and have it take over if it could load what is loaded now."""
        try:
            fresh = await self._start()
        except OSError as error:
            self._refuse(changed, f"no process to load them in: {error}")
            return
        try:
            complaint = await self._complaint(fresh)
            if complaint:
                self._refuse(changed, complaint)
            else:
                await self._hand_over(fresh, changed)
        finally:
            if fresh is not self._next and fresh is not self._worker:
                await fresh.kill()

    async def _complaint(self, fresh: Child) -> str:
        """Why a worker must not take over; nothing if it may."""
        try:
            report = await asyncio.wait_for(fresh.loaded(), LOAD_WITHIN)
        except TimeoutError:
            return f"loading them took longer than {LOAD_WITHIN:g} s"
        if report is None:
            return f"loading them ended the process ({_cause(await fresh.ended())})"
        known = self._worker.report.errors if self._worker and self._worker.report else {}
        return "; ".join(text for file, text in report.errors.items() if file not in known)

    def _refuse(self, changed: Sequence[str], complaint: str) -> None:
        self._not_reloaded = f"Not reloaded, the old plugins keep running: {complaint}"
        log.error("plugins_not_reloaded", result="the old ones keep running", files=", ".join(changed), error=complaint)
        self.on_changed(())

    async def _hand_over(self, fresh: Child, changed: Sequence[str]) -> None:
        self._not_reloaded = self._death = ""
        async with self._choosing:
            old, passed_over = self._worker, self._next
            self._next = fresh
            self._handover = Handover(changed, fresh.report, old.report if old else None)
            self._hurry.set()
        if passed_over:
            await passed_over.kill()
        if old:
            await old.leave()


class Handover:
    """One reload, from when the old worker is asked to leave."""

    def __init__(self, files: Sequence[str], after: LoadReport | None, before: LoadReport | None) -> None:
        self._files = files
        self._after = after.plugins if after else {}
        self._before = before.plugins if before else {}
        self._began = time.monotonic()

    def log(self) -> None:
        """The new worker works."""
        seconds = time.monotonic() - self._began
        names = [self._after.get(file) or self._before.get(file) or file for file in self._files if file != PLAY]
        log.info(
            "plugins_reloaded",
            plugin=", ".join(names or self._after.values()),
            result=f"worker restarted in {seconds:.1f} s",
            files=", ".join(self._files),
            seconds=round(seconds, 2),
        )


def _complain(task: asyncio.Task[None]) -> None:
    """Nobody awaits these tasks before the end: an error of ours in one must not pass unheard."""
    if not task.cancelled() and (error := task.exception()):
        log.error("supervision_failed", exc_info=error)


def _cause(code: int) -> str:
    if code == NOT_STARTED:
        return "it could not be started"
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
