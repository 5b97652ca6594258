"""The line between receiver and worker: a socket pair that the worker inherits.

The receiver's words are single bytes; the worker's are JSON lines that say what changed. When one side dies the other
sees the end of the line at once, so a worker never outlives its receiver.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

LINE_LIMIT: Final = 2**20  # bytes of one line
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


class WorkerLink:
    """The worker's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._troubles: dict[str, str] = {}
        self.is_leaving = False
        """The receiver has another worker waiting."""

    @classmethod
    async def open(cls, descriptor: int) -> "WorkerLink":
        """Take over an inherited socket."""
        return cls(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor), limit=LINE_LIMIT))

    async def may_go(self, loaded: LoadReport) -> bool:
        """Say what is loaded and wait for the word to take over; False when the receiver is gone instead."""
        self._say({"loaded": loaded})
        with contextlib.suppress(ConnectionError):
            while word := await self._reader.read(1):
                if word == GO:
                    return True
        return False

    def ready(self, plugins: Sequence[str], errors: int) -> None:
        """Work begins."""
        self._say({"ready": {"plugins": plugins, "errors": errors}})

    def changed(self, seqs: Sequence[int]) -> None:
        """These events' deliveries or messages changed, on disk."""
        if seqs:
            self._say({"changed": seqs})

    def trouble(self, key: str, sentence: str | None) -> None:
        """A person should know something, or need no longer."""
        self._troubles.pop(key, None)
        if sentence:
            self._troubles[key] = sentence
        self._say({"troubles": list(self._troubles.values())})

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever the receiver has something; return when it asks to leave, or is gone."""
        with contextlib.suppress(ConnectionError):
            while words := await self._reader.read(4096):
                self.is_leaving = LEAVE in words
                if self.is_leaving:
                    return
                wake()

    def _say(self, message: object) -> None:
        if not self._writer.is_closing():
            self._writer.write(msgspec.json.encode(message) + b"\n")
