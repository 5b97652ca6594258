"""The line between receiver and worker: a socket pair that the worker inherits.

The receiver's words are single bytes, one of which events follow; the worker's are JSON lines that say what changed.
When one side dies the other sees the end of the line at once, so a worker never outlives its receiver.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import msgspec

from gateway.journal import StoredEvent

LINE_LIMIT: Final = 2**20  # bytes of one line
MOMENT: Final = 0.05
"""Seconds in which what changed gathers until the receiver is told: a page is told five times a second at most."""
LOOK: Final = b"."
"""There may be something new in the journal."""
EVENTS: Final = b"e"
"""There are new events in the journal, which follow; so nobody has to look."""
LONGEST: Final = 32_768
"""Bytes of events on this line up to which they follow."""
_ROOM: Final = 2**16  # bytes read at once
_SIZE: Final = struct.Struct("<I")  # of what follows, in bytes
GO: Final = b"g"
"""The plugins are good enough: take over."""
LEAVE: Final = b"l"
"""Another worker is waiting to take over."""
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[StoredEvent])


class LoadReport(msgspec.Struct, frozen=True):
    """What a worker has loaded; the first thing it says."""

    plugins: Mapping[str, str]
    """Name by file."""
    errors: Mapping[str, str]
    """By file: place and message."""


def telling(events: Sequence[StoredEvent]) -> bytes:
    """The word that there are these events."""
    packed = _encoder.encode(events)
    return b"".join((EVENTS, _SIZE.pack(len(packed)), packed)) if len(packed) <= LONGEST else LOOK


class WorkerLink(asyncio.BufferedProtocol):
    """The worker's end. A protocol and no stream: the receiver says something with every commit of its own."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._words = memoryview(bytearray(_ROOM))
        """Read into, for a stream's transport makes room for 256 KiB each time."""
        self._held = 0
        """Bytes of it that begin some events and wait for the rest."""
        self._transport: asyncio.WriteTransport | None = None
        self._going: asyncio.Future[bool] = loop.create_future()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._wake: Callable[[Sequence[StoredEvent]], None] = _say_nothing
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

    async def listen(self, wake: Callable[[Sequence[StoredEvent]], None]) -> None:
        """Call `wake` whenever the receiver has something; return when it asks to leave, or is gone.

        It gets the events that are new in the journal, or none: then there may be anything.
        """
        self._wake = wake
        await self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line is there."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the receiver's words go."""
        del sizehint
        return self._words[self._held :]

    def buffer_updated(self, nbytes: int) -> None:
        """The receiver's words, several at once where this end was slow."""
        end = self._held + nbytes
        at = 0
        while at < end and (after := self._hear(at, end)):
            at = after
        self._held = end - at
        self._words[: self._held] = self._words[at:end]

    def _hear(self, at: int, end: int) -> int:
        """Heed one word; gives where the next begins, 0 if this one is not there as a whole."""
        word = self._words[at]
        if word == EVENTS[0]:
            begin = at + 1 + _SIZE.size
            if begin > end:
                return 0
            after: int = begin + _SIZE.unpack(self._words[at + 1 : begin])[0]
            if after <= end:
                self._wake(_decoder.decode(self._words[begin:after]))
            return after if after <= end else 0
        if word == GO[0] and not self._going.done():
            self._going.set_result(True)
        if word == LEAVE[0]:
            self.is_leaving = True
            self._end()
        self._wake(())
        return at + 1

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


def _say_nothing(_events: Sequence[StoredEvent]) -> None:
    """Nobody works yet."""
