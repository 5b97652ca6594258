"""Keep one worker alive beside the receiver: start it, wake it, hear it, replace it when it dies or a file changes."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import orjson

from gateway.config import Config
from gateway.errors import GatewayError
from gateway.log import log
from gateway.serve.watch import Watch
from gateway.worker.link import LINE_LIMIT
from gateway.worker.process import EXIT_UNUSABLE

PAUSES: Final = (0.0, 0.2, 1.0, 2.0, 5.0)
"""Seconds before the worker is started again, by how often it died in a row."""
CALM: Final = 30.0
"""Seconds of life after which a worker's death begins a new row."""
STOP_WITHIN: Final = 15.0
"""Seconds a worker gets to stop until it is killed; its own grace is shorter."""
TRIAL_WITHIN: Final = 60.0
"""Seconds that loading changed plugin files may take."""
LAST_WORDS: Final = 1.0
"""Seconds to hear a worker out that has ended, should a process it left behind keep the line open."""
NOT_STARTED: Final = -1000
"""Stands for the exit code of a worker that could not even be started."""


class Supervisor:
    """Runs the worker while it is entered."""

    def __init__(self, config: Config, config_file: Path | None) -> None:
        self._config = config
        self._config_file = config_file
        self._process: asyncio.subprocess.Process | None = None
        self._line: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._deaths = 0
        self._is_stopping = False
        self._is_reloading = False
        self._trouble = ""
        self._first: asyncio.Future[Sequence[str]] = asyncio.get_running_loop().create_future()
        self.is_ready = False
        """The worker has loaded its plugins and works."""
        self.on_changed: Callable[[Iterable[int]], None] = lambda _seqs: None
        """Hears which events' deliveries changed."""

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._watch())]
        for task in self._tasks:
            task.add_done_callback(_complain)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_stopping = True
        await self._stop_worker()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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

    def wake(self) -> None:
        """There are new events. A worker that does not read its line is not written to: it will look anyway."""
        if self._line is not None and not self._line.transport.get_write_buffer_size():
            self._line.write(b".")

    def problems(self) -> list[str]:
        """What a person should know, in full sentences."""
        return [self._trouble] if self._trouble else []

    async def _keep_alive(self) -> None:
        while not self._is_stopping:
            await asyncio.sleep(PAUSES[min(self._deaths, len(PAUSES) - 1)])
            began = time.monotonic()
            code = await self._run_once()
            if self._give_up(code):
                return
            if self._is_reloading:
                self._is_reloading, self._deaths = False, 0
                continue
            self._deaths = 1 if time.monotonic() - began > CALM else self._deaths + 1
            often = "once" if self._deaths == 1 else f"{self._deaths} times in a row"
            self._trouble = f"The worker died {often} ({_cause(code)}); it is started again."
            log.error("worker_died", cause=_cause(code), times=self._deaths)

    def _give_up(self, code: int) -> bool:
        """Whether another worker would be of no use: the gateway stops, or has never had plugins that load."""
        if code == EXIT_UNUSABLE and not self._first.done():
            self._first.set_exception(GatewayError("not started: mend what is named above, or see `gateway check`"))
        return self._is_stopping or (code == EXIT_UNUSABLE and self._first.exception() is not None)

    async def _run_once(self) -> int:
        """One worker, from its start to its end; gives its exit code."""
        try:
            reader = await self._start()
        except OSError as error:  # out of descriptors, processes or memory: that may pass
            log.error("worker_not_started", error=str(error))
            return NOT_STARTED
        process, listening = self._process, asyncio.create_task(self._listen(reader))
        assert process is not None  # noqa: S101 -- just started
        try:
            # Not the end of the line: a process that a plugin forked holds a copy of it, and of the worker's lock.
            code = await process.wait()
            _kill_group(process.pid)
            await asyncio.wait({listening}, timeout=LAST_WORDS)
            return code
        finally:
            self.is_ready = False
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            if self._line:
                self._line.close()
            self._line = None

    async def _start(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                command = self._command("--link", str(theirs.fileno()))
                self._process = await asyncio.create_subprocess_exec(
                    *command, pass_fds=(theirs.fileno(),), start_new_session=True
                )
            except BaseException:
                ours.close()
                raise
        reader, self._line = await asyncio.open_connection(sock=ours, limit=LINE_LIMIT)
        return reader

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hear the worker out; returns when it has ended."""
        with contextlib.suppress(ConnectionError):
            while True:
                try:
                    line = await reader.readline()
                    if not line:
                        return
                    self._hear(orjson.loads(line))
                except ValueError as error:  # cut off by the worker's death, or too long; the page looks anyway
                    log.debug("worker_line_not_read", error=str(error))

    def _hear(self, message: dict[str, Any]) -> None:
        if "changed" in message:
            self.on_changed(message["changed"])
        if "ready" in message:
            self.is_ready = True
            self._trouble = "" if not self._deaths else self._trouble
            self.wake()
            plugins = message["ready"]["plugins"]
            log.info("worker_ready", plugins=", ".join(plugins) or "none")
            if not self._first.done():
                self._first.set_result(plugins)

    def _command(self, *more: str) -> Sequence[str]:
        where = ["--config", str(self._config_file)] if self._config_file else []
        return [sys.executable, "-m", "gateway", "work", *where, *more]

    async def _watch(self) -> None:
        """Replace the worker when a plugin file changes, unless the new files can't be loaded."""
        async for changed in Watch(self._config.routes):
            if self._is_stopping:
                return
            started = time.monotonic()
            complaint = await self._try_load()
            if complaint:
                self._trouble = f"Not reloaded, the old plugins keep running: {complaint}"
                log.error("plugins_not_reloaded", files=", ".join(changed), error=complaint)
                continue
            self._trouble = ""
            # Without a worker there is none to replace: the next one, already on its way, loads the new files.
            self._is_reloading = self._process is not None and self._process.returncode is None
            await self._stop_worker()
            log.info("plugins_reloaded", files=", ".join(changed), seconds=round(time.monotonic() - started, 2))

    async def _try_load(self) -> str:
        """Load the changed files in a process of their own; gives what is wrong with them, or nothing."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command("--try"), stdout=asyncio.subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            return f"no process to try them in: {error}"
        try:
            output, _ = await asyncio.wait_for(process.communicate(), TRIAL_WITHIN)
        except TimeoutError:
            return f"loading them took longer than {TRIAL_WITHIN:g} s"
        finally:
            _kill_group(process.pid)
        if not process.returncode:
            return ""
        lines = output.decode(errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "")  # above it stands what plugins print
        return said or f"loading them ended the process ({_cause(process.returncode)})"

    async def _stop_worker(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN)
        except TimeoutError:
            log.error("worker_killed", after_seconds=STOP_WITHIN)
            _kill_group(process.pid)
            await process.wait()


def _complain(task: asyncio.Task[None]) -> None:
    """Nobody awaits these tasks before the end: an error of ours in one must not pass unheard."""
    if not task.cancelled() and (error := task.exception()):
        log.error("supervision_failed", exc_info=error)


def _kill_group(leader: int) -> None:
    """End whatever a worker, or a trial, has left behind: it may hold the worker's lock and line."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _cause(code: int) -> str:
    if code == NOT_STARTED:
        return "it could not be started"
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
