"""Carry requests over HTTP, and say what is known when no answer comes. The one place with sockets and with the key.

What may be done after a failure depends on how far a request came, so nothing is ever sent twice here: no redirect is
followed, and a connection that is lost before the answer says nothing of its request, be it new or used before.
"""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson

from gateway.evolution.call import Request
from gateway.evolution.connection import Connection
from gateway.evolution.errors import EvolutionUnreachable, EvolutionUnsure
from gateway.redact import redact_url

KEPT: Final = 1.0
"""Seconds for which an idle connection may be used again: Node closes one after 5, and what crosses that is lost."""

_PORTS: Final = {"http": 80, "https": 443}
_SECOND_FAMILY: Final = 0.25
"""Seconds after which a host that has both is tried over the other version of IP."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    content: bytes
    location: str
    """Where a redirect leads; "" without one."""


class Transport:
    """Connections to one server, as many as there are requests at once. Close it with `close()`."""

    def __init__(self, url: str, apikey: str, *, timeout: float, connect_within: float) -> None:
        """Raises ValueError for a URL that leads nowhere, or a key that no header can hold."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or not apikey.isprintable():
            raise ValueError("Evolution needs the http or https URL of a server, and a key of printable characters")
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._path = parts.path
        self._headers = _headers(parts.netloc, apikey)
        self._where = redact_url(url)
        self._timeout = timeout
        self._connect_within = connect_within
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._idle: list[Connection] = []
        self._sweep: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def close(self) -> None:
        """Close the connections."""
        self._is_closed = True
        if self._sweep:
            self._sweep.cancel()
        while self._idle:
            self._idle.pop().lose("it was closed")
        await asyncio.sleep(0)  # the loop lets go of them with its next turn

    async def carry(self, request: Request) -> Answer:
        """Send a request and wait for its answer, whatever that says.

        Raises:
            EvolutionUnreachable: no connection came about, or a question stayed without answer.
            EvolutionUnsure: the request left, and no answer came.
        """
        async with self.opened(request) as connection:
            content = await connection.read()
            return Answer(connection.answer.status, content, connection.answer.headers.get("location", ""))

    @asynccontextmanager
    async def opened(self, request: Request) -> AsyncIterator[Connection]:
        """Send a request, and give its answer before its content is read. Raises as `carry`, also while that is."""
        body = b"" if request.body is None else _encode(request.body)
        connection = self._reusable() or await self._connect()
        try:
            await connection.ask(self._head(request, body), body, self._timeout + request.extra)
            yield connection
        except ConnectionError as error:
            lost = EvolutionUnreachable if request.is_question else EvolutionUnsure
            raise lost(f"no answer from {self._where}: {error}") from error
        finally:
            self._set_aside(connection)

    def _head(self, request: Request, body: bytes) -> bytes:
        about = "" if request.body is None else "Content-Type: application/json\r\n"
        return (
            f"{request.method} {self._path}{request.path} HTTP/1.1\r\n{self._headers}{about}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()

    async def _connect(self) -> Connection:
        connecting = asyncio.get_running_loop().create_connection(
            Connection, self._host, self._port, ssl=self._tls, happy_eyeballs_delay=_SECOND_FAMILY
        )
        try:
            async with asyncio.timeout(self._connect_within):
                return (await connecting)[1]
        except OSError as error:
            why = "no connection in time" if isinstance(error, TimeoutError) else error
            raise EvolutionUnreachable(f"Evolution does not answer at {self._where}: {why}") from error

    def _reusable(self) -> Connection | None:
        """The connection that was idle for the shortest time."""
        oldest = asyncio.get_running_loop().time() - KEPT
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.idle_since > oldest:
                return connection
            connection.lose("it was idle")
        return None

    def _set_aside(self, connection: Connection) -> None:
        if not connection.done():
            return
        if self._is_closed:
            connection.lose("it was closed")
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(KEPT, self._close_idle)

    def _close_idle(self) -> None:
        """Let none stay open that will not be used again."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - KEPT
        idle, self._idle = self._idle, []
        for connection in idle:
            if connection.idle_since > oldest:
                self._idle.append(connection)
            else:
                connection.lose("it was idle")
        self._sweep = loop.call_later(KEPT, self._close_idle) if self._idle else None


def _headers(netloc: str, apikey: str) -> str:
    login, _, host = netloc.rpartition("@")
    basic = base64.b64encode(unquote(login).encode()).decode()
    allowed = f"Authorization: Basic {basic}\r\n" if login else ""
    return f"Host: {host}\r\napikey: {apikey}\r\n{allowed}Accept: */*\r\nUser-Agent: evolution-gateway\r\n"


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half of an emoji, which JavaScript and `json` write and orjson refuses
        return json.dumps(body).encode()
