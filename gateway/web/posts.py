"""Take plain posts straight from the socket.

What the gateway is for is one kind of request, a hundred bytes of head and a body, thousands of times a second; a web
server's request objects, router and tasks would cost several times as much as storing it. Whatever is not plain, or is
not answered 2xx, is handed over with its connection to the web server, which knows all of HTTP.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, cast

from gateway.journal import Arrival, Receipt
from gateway.web.heads import Fields, answer_head
from gateway.web.problems import PROBLEM_JSON, Problem
from gateway.web.reception import Reception
from gateway.web.tickets import END, Ticket, Tickets
from gateway.web.webhook import BODY_PAUSE, body_paused

LONGEST_HEAD: Final = 65_536
"""Bytes without the end of a head, from which on the web server is to judge it."""
_AHEAD: Final = 65_536  # bytes that a sender may send before it is answered
_METHOD: Final = b"POST "
_JSON: Final = "application/json"


class Gate:
    """What all connections of a listener share. `others` makes the web server's protocol for one."""

    def __init__(self, reception: Reception, others: Callable[[], asyncio.Protocol]) -> None:
        self.reception = reception
        self.others = others
        self.connections: set[PostConnection] = set()
        self.none_left = asyncio.Event()
        self.none_left.set()
        self.tickets = Tickets(reception)

    def add(self, connection: "PostConnection") -> None:
        """A connection was opened."""
        self.connections.add(connection)
        self.none_left.clear()

    def discard(self, connection: "PostConnection") -> None:
        """A connection was closed, or is the web server's."""
        self.connections.discard(connection)
        if not self.connections:
            self.none_left.set()


class PostConnection(asyncio.Protocol):
    """One sender's connection, as long as it sends plain posts: one after the other, each answered before the next."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._reception = gate.reception
        self._transport = cast("asyncio.Transport", None)
        self._peer: str | None = None
        self._moment = time.monotonic()
        """Since when there is neither a whole head nor a further byte of a body."""
        self._parts: list[bytes] = []
        """The beginning of a request."""
        self._size = 0
        self._ticket: Ticket | None = None
        """Of the request whose body is being read."""
        self._is_busy = False
        """A request is being answered."""
        self._is_stalled = False
        """The sender does not read its answers."""
        self._is_last = False
        """Nothing more is read after the next answer."""
        self._has_ended = False
        """The sender sends no more."""
        self._later = b""
        """What came before the answer to the last request was given."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember who it is."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if peer else None
        self._gate.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        """An event that is being stored is stored all the same."""
        self._gate.discard(self)
        self._forget_body()

    def eof_received(self) -> bool:
        """The sender sends no more; it may still wait for answers."""
        self._has_ended = True
        return self._is_busy

    def pause_writing(self) -> None:
        """Read no further requests while their answers are not taken."""
        self._is_stalled = True

    def resume_writing(self) -> None:
        """Go on."""
        self._is_stalled = False
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._is_busy or self._is_stalled:
            self._later += data
            if len(self._later) > _AHEAD:
                self._transport.pause_reading()
        else:
            self._read(data)

    def look(self, now: float, idle: float) -> None:
        """Close it if nothing has happened on it for too long, by monotonic clock. To be called every few seconds."""
        quiet = now - self._moment
        if self._ticket:
            if quiet > BODY_PAUSE:
                self._forget_body()
                self._is_last = True
                self._refuse(body_paused())
        elif quiet > idle and not self._is_busy:
            self._transport.abort()

    def finish(self) -> None:
        """Close it after what is being read and answered."""
        self._is_last = True
        if not (self._is_busy or self._ticket):
            self._transport.close()

    def abort(self) -> None:
        """Close it now."""
        self._transport.abort()

    def _read(self, data: bytes) -> None:
        if self._ticket:
            self._read_body(self._ticket, data)
        elif self._parts:
            self._begin(b"".join((*self._take_parts(), data)))
        else:
            self._begin(data)

    def _begin(self, data: bytes) -> None:
        """Read a request from its first byte on."""
        end = data.find(END)
        if end < 0 and data[: len(_METHOD)] == _METHOD[: len(data)] and len(data) < LONGEST_HEAD:
            self._parts = [data]
            return
        ticket = self._gate.tickets.of(data, end, self._peer) if end > 0 and data.startswith(_METHOD) else None
        if ticket is None:
            self._hand_over(data)
        elif len(data) < ticket.end:
            self._ticket = ticket
            self._read_body(ticket, data)
        else:
            self._take(ticket, data)

    def _read_body(self, ticket: Ticket, data: bytes) -> None:
        self._parts.append(data)
        try:
            self._reception.hold(len(data))
        except Problem:
            self._hand_over(b"".join(self._take_parts()))
            return
        self._size += len(data)
        self._moment = time.monotonic()
        if self._size >= ticket.end:
            self._take(ticket, b"".join(self._take_parts()))

    def _take(self, ticket: Ticket, data: bytes) -> None:
        """Have a whole request's body stored."""
        body = data[ticket.body : ticket.end]
        self._is_busy = True
        try:
            self._reception.hold(len(body))
            try:
                self._reception.take(body, ticket.sender, time.perf_counter(), self._told)
            except BaseException:
                self._reception.let_go(len(body))
                raise
        except Exception:  # noqa: BLE001 -- whatever is in the way, the web server finds it again, and says so
            self._is_busy = False
            self._hand_over(data)
            return
        self._is_last = self._is_last or ticket.is_last
        self._later = data[ticket.end :]

    def _told(self, arrival: Arrival, receipt: Receipt | BaseException) -> None:
        self._reception.let_go(len(arrival.body))
        self._is_busy = False
        try:
            answer = self._reception.answer(arrival, receipt)
        except Problem as refused:
            self._refuse(refused)
        else:
            self._write(answer.status, _JSON, answer.body)

    def _refuse(self, refused: Problem) -> None:
        self._reception.refuse(refused, "POST")
        self._write(refused.status, PROBLEM_JSON, refused.body, tuple(refused.headers.items()))

    def _write(self, status: int, kind: str, body: bytes, headers: Fields = ()) -> None:
        if self._transport.is_closing():
            return
        self._is_last = self._is_last or (self._has_ended and not self._later)
        if self._is_last:
            headers = (*headers, ("Connection", "close"))
        self._transport.write(answer_head(int(time.time()), status, kind, len(body), headers) + body)
        self._moment = time.monotonic()
        if self._is_last:
            self._transport.close()
        elif self._later:
            self._go_on()

    def _go_on(self) -> None:
        """Read what came meanwhile."""
        if self._is_busy or self._is_stalled or not self._later:
            return
        data, self._later = self._later, b""
        self._transport.resume_reading()
        self._read(data)

    def _hand_over(self, data: bytes) -> None:
        """Let the web server have the connection, and what came on it since the last answer."""
        self._gate.discard(self)
        others = self._gate.others()
        self._transport.set_protocol(others)
        others.connection_made(self._transport)
        others.data_received(data)

    def _take_parts(self) -> list[bytes]:
        parts = self._parts
        self._forget_body()
        return parts

    def _forget_body(self) -> None:
        if self._ticket:
            self._reception.let_go(self._size)
        self._parts, self._size, self._ticket = [], 0, None
