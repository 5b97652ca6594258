"""The line between receiver and worker: a socket pair that the worker inherits.

The receiver's words are single bytes; the worker's are JSON lines that say what changed. When one side dies the other
sees the end of the line at once, so a worker never outlives its receiver.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import msgspec

LINE_LIMIT: Final = 2**20  # bytes of one line
MOMENT: Final = 0.05
"""Seconds in which what changed gathers until the receiver is told: a page is told five times a second at most."""
LOOK: Final = b"."
"""There may be new events."""
GO: Final = b"g"
"""The plugins are good enough: take over."""
LEAVE: Final = b"l"
"""Another worker is waiting to take over."""


class LoadReport(msgspec.Struct, frozen=True):
    """What a worker has loaded; the first thing it says."""

    plugins: Mapping[str, str]
    """Name by file."""
    errors: Mapping[str, str]
    """By file: place and message."""


class WorkerLink(asyncio.BufferedProtocol):
    """The worker's end. A protocol and no stream: the receiver says something with every commit of its own."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._words = bytearray(256)
        """Read into, for a stream's transport makes room for 256 KiB each time."""
        self._transport: asyncio.WriteTransport | None = None
        self._going: asyncio.Future[bool] = loop.create_future()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._wake: Callable[[], None] = _say_nothing
        self._changed: list[int] = []
        self._troubles: dict[str, str] = {}
        self.is_leaving = False
        """The receiver has another worker waiting."""

    @classmethod
    async def open(cls, descriptor: int) -> "WorkerLink":
        """Take over an inherited socket."""
        _, link = await asyncio.get_running_loop().create_connection(cls, sock=socket.socket(fileno=descriptor))
        return link

    async def may_go(self, loaded: LoadReport) -> bool:
        """Say what is loaded and wait for the word to take over; False when the receiver is gone instead."""
        self._say({"loaded": loaded})
        return await self._going

    def ready(self, plugins: Sequence[str], errors: int) -> None:
        """Work begins."""
        self._say({"ready": {"plugins": plugins, "errors": errors}})

    def changed(self, seqs: Sequence[int]) -> None:
        """These events' deliveries or messages changed, on disk. Said in a moment, with what changes until then."""
        if seqs and not self._changed:
            asyncio.get_running_loop().call_later(MOMENT, self.flush)
        self._changed += seqs

    def flush(self) -> None:
        """Say now what changed."""
        if self._changed:
            self._say({"changed": self._changed})
            self._changed = []

    def trouble(self, key: str, sentence: str | None) -> None:
        """A person should know something, or need no longer."""
        self._troubles.pop(key, None)
        if sentence:
            self._troubles[key] = sentence
        self._say({"troubles": list(self._troubles.values())})

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever the receiver has something; return when it asks to leave, or is gone."""
        self._wake = wake
        await self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is there."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the receiver's words go."""
        del sizehint
        return self._words

    def buffer_updated(self, nbytes: int) -> None:
        """The receiver's words, several at once where this end was slow."""
        data = self._words[:nbytes]
        if GO in data and not self._going.done():
            self._going.set_result(True)
        if LEAVE in data:
            self.is_leaving = True
            self._end()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The receiver is gone."""
        del exc
        self._end()

    def _end(self) -> None:
        if not self._going.done():
            self._going.set_result(False)
        if not self._ended.done():
            self._ended.set_result(None)

    def _say(self, message: object) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(msgspec.json.encode(message) + b"\n")


def _say_nothing() -> None:
    """Nobody works yet."""
