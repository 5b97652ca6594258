"""One connection to a server, which carries one request after the other."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from gateway.evolution.incoming import Incoming

_PIECE: Final = 2**18  # bytes written at once, and bytes of content that may wait to be taken


class Connection(asyncio.Protocol):
    """Made by `loop.create_connection`. Not for two requests at once."""

    def __init__(self) -> None:
        self.answer = Incoming()
        """What came back to the last request, as far as it has come."""
        self.idle_since = 0.0
        """The loop's time at which it was set aside."""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._lost: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_full = self._is_cut = False

    @property
    def is_open(self) -> bool:
        """It can carry a request."""
        return self._lost is None and not self._transport.is_closing()

    async def ask(self, head: bytes, body: bytes, within: float) -> None:
        """Send a request, and return once the head of its answer is here; `within` so many seconds the whole must be.

        Raises:
            ConnectionError: it was lost, or took too long.
        """
        self.answer = Incoming()
        self._timer = self._loop.call_later(within, self.lose, f"not within {within:g} s")
        self._transport.resume_reading()
        self._transport.write(head + body[:_PIECE])
        for start in range(_PIECE, len(body), _PIECE):
            while self._is_full and not self.answer.has_begun:
                await self._wait()
            if self.answer.has_begun:  # it refuses what it has not read
                self._is_cut = True
                break
            self._transport.write(body[start : start + _PIECE])
        while not self.answer.has_begun:
            await self._wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer's content as it comes.

        Raises:
            ConnectionError: it was lost, or took too long.
        """
        while True:
            if piece := self.answer.take():
                yield piece
            elif self.answer.is_whole:
                return
            else:
                self._transport.resume_reading()
                await self._wait()

    async def read(self) -> bytes:
        """All of it. Raises as `pieces`."""
        if self.answer.is_whole:
            return self.answer.take()
        return b"".join([piece async for piece in self.pieces()])

    def done(self) -> bool:
        """Nobody waits for an answer any more; True when another request may follow."""
        if self._timer:
            self._timer.cancel()
        if self.is_open and self.answer.lets_go_on and not self._is_cut:
            return True
        self.lose("it was closed")
        return False

    def lose(self, why: str) -> None:
        """Close it; whoever waits for an answer hears why."""
        if self._lost is None:
            self._lost = why
        self._transport.abort()
        self._wake()

    async def _wait(self) -> None:
        """Return once something has come, or gone."""
        if self._lost is not None:
            raise ConnectionError(self._lost)
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # From here on: called by the loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- a stream's
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Something has come; unasked, it ends the connection."""
        try:
            self.answer.feed(data)
        except ConnectionError as error:
            self.lose(str(error))
        if self.answer.waiting > _PIECE:
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """It is closed."""
        try:
            self.answer.end()
        except ConnectionError as early:
            self._lost = self._lost or str(error or early)
        self._lost = self._lost or "it was closed"
        self._wake()

    def pause_writing(self) -> None:
        """More is written than has left."""
        self._is_full = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._is_full = False
        self._wake()
