"""One worker process and the line to it, from its start to the last it has to say."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import orjson

from gateway.journal import StoredEvent
from gateway.log import log
from gateway.serve.cores import Cores
from gateway.worker.link import GO, LEAVE, LINE_LIMIT, LOOK, LoadReport, telling

STOP_WITHIN: Final = 15.0
"""Seconds a worker gets to stop until it is killed; its own grace is shorter."""
LAST_WORDS: Final = 1.0
"""Seconds to hear a worker out that has ended, should a process it left behind keep the line open."""

Hear = Callable[[dict[str, Any]], None]


class Child:
    """A worker. It loads its plugins, says so, and begins when it is told to."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        line: asyncio.StreamWriter,
        hear: Hear,
        cores: Cores,
    ) -> None:
        self._process = process
        self._cores = cores
        self._line = line
        self._hear = hear
        self._loaded: asyncio.Future[LoadReport | None] = asyncio.get_running_loop().create_future()
        self._end = asyncio.create_task(self._see_off(reader))
        self.began = time.monotonic()
        """When it was told to begin; before that, when it was started."""
        self.is_dismissed = False
        """Its end was asked for."""
        self._is_to_look = False
        """The last word that waits until it reads on says so."""

    @classmethod
    async def start(cls, command: Sequence[str], hear: Hear, cores: Cores) -> "Child":
        """Start one; `hear` gets all it says once it works. The command is completed with its end of the line.

        `cores` says where it runs.

        Raises:
            OSError: out of descriptors, processes or memory.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command, "--link", str(theirs.fileno()), pass_fds=(theirs.fileno(),), start_new_session=True
                )
            except BaseException:
                ours.close()
                raise
        cores.add(process.pid)
        try:
            reader, line = await asyncio.open_connection(sock=ours, limit=LINE_LIMIT)
        except BaseException:
            cores.discard(process.pid)
            _kill_group(process.pid)
            raise
        return cls(process, reader, line, hear, cores)

    @property
    def report(self) -> LoadReport | None:
        """What it has loaded, as far as it has said."""
        return self._loaded.result() if self._loaded.done() else None

    async def loaded(self) -> LoadReport | None:
        """Wait for what it has loaded; None when it ended without a word."""
        return await asyncio.shield(self._loaded)

    async def ended(self) -> int:
        """Wait until it and all it left behind is gone and all it said is heard; gives its exit code."""
        return await asyncio.shield(self._end)

    def go(self) -> None:
        """Let it take over."""
        self.began = time.monotonic()
        self._line.write(GO)

    def wake(self, events: Sequence[StoredEvent] = ()) -> None:
        """There is something new in the journal: these events and nothing else, if there are any.

        A worker that does not read its line is written to no more than that it shall look.
        """
        if self._end.done():
            return
        if not self._line.transport.get_write_buffer_size():
            self._is_to_look = False
            self._line.write(telling(events) if events else LOOK)
        elif not self._is_to_look:
            self._is_to_look = True
            self._line.write(LOOK)

    async def leave(self) -> None:
        """Make room for the next one: what runs gets a moment."""
        self._line.write(LEAVE)
        await self._gone()

    async def stop(self) -> None:
        """Stop: what runs gets its time."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._gone()

    async def kill(self) -> None:
        """End it now."""
        self.is_dismissed = True
        _kill_group(self._process.pid)
        await self.ended()

    async def _gone(self) -> None:
        self.is_dismissed = True
        try:
            await asyncio.wait_for(self.ended(), STOP_WITHIN)
        except TimeoutError:
            log.error("worker_killed", after_seconds=STOP_WITHIN)
            await self.kill()

    async def _see_off(self, reader: asyncio.StreamReader) -> int:
        listening = asyncio.create_task(self._listen(reader))
        # Not the end of the line: a process that a plugin forked holds a copy of it, and of the worker's lock.
        code = await self._process.wait()
        self._cores.discard(self._process.pid)
        _kill_group(self._process.pid)
        await asyncio.wait({listening}, timeout=LAST_WORDS)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        if not self._loaded.done():
            self._loaded.set_result(None)
        self._line.close()
        return code

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hear the worker out; returns when it has ended."""
        with contextlib.suppress(ConnectionError):
            while True:
                try:
                    line = await reader.readline()
                    if not line:
                        return
                    self._take(orjson.loads(line))
                except ValueError as error:  # cut off by the worker's death, or too long; the page looks anyway
                    log.debug("worker_line_not_read", error=str(error))

    def _take(self, message: dict[str, Any]) -> None:
        if "loaded" not in message:
            self._hear(message)
        elif not self._loaded.done():
            self._loaded.set_result(msgspec.convert(message["loaded"], LoadReport))


def _kill_group(leader: int) -> None:
    """End whatever a worker has left behind: it may hold the worker's lock and line."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
