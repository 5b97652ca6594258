"""The line between receiver and worker: a socket pair that the worker inherits.

The receiver's bytes only mean "look again"; the worker's are JSON lines that say what changed. When one side dies the
other sees the end of the line at once, so a worker never outlives its receiver.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Final

import orjson

LINE_LIMIT: Final = 2**20  # bytes of one line


class WorkerLink:
    """The worker's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, descriptor: int) -> "WorkerLink":
        """Take over an inherited socket."""
        return cls(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor), limit=LINE_LIMIT))

    def ready(self, plugins: Sequence[str], errors: int) -> None:
        """The plugins are loaded and work begins."""
        self._say({"ready": {"plugins": plugins, "errors": errors}})

    def changed(self, seqs: Sequence[int]) -> None:
        """These events' deliveries or messages changed, on disk."""
        if seqs:
            self._say({"changed": seqs})

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever the receiver has something; return when the receiver is gone."""
        try:
            while await self._reader.read(4096):
                wake()
        except ConnectionError:
            return

    def _say(self, message: object) -> None:
        if not self._writer.is_closing():
            self._writer.write(orjson.dumps(message) + b"\n")
