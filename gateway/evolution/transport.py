"""Carry requests over HTTP, and say what is known when no answer comes. The one place with sockets and with the key.

What may be done after a failure depends on how far a request came, so no message is sent twice here: no redirect is
followed, and a connection that is lost before the answer says nothing of its request, be it new or used before. Only
what HTTP calls idempotent (GET, PUT, DELETE) is asked once more, by aiohttp. A module of its own, because aiohttp takes
long to import and most commands never speak to Evolution.
"""

import io
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, NamedTuple

import aiohttp
import orjson
from yarl import URL

from gateway.evolution.call import Request
from gateway.evolution.errors import EvolutionUnreachable, EvolutionUnsure
from gateway.redact import redact_url

KEPT: Final = 1.0
"""Seconds for which an idle connection may be used again: Node closes one after 5, and what crosses that is lost."""


class Answer(NamedTuple):
    """What came back."""

    status: int
    content: bytes
    location: str
    """Where a redirect leads; "" without one."""


class Transport:
    """Connections to one server. Close it with `close()`."""

    def __init__(self, url: str, apikey: str, *, timeout: float, connect_within: float) -> None:
        self._url = url
        self._where = redact_url(url)
        self._timeout = timeout
        self._connect_within = connect_within
        self._session = aiohttp.ClientSession(
            # Who asks limits how much is under way: a limit for all would let instances that hang hold up the others.
            connector=aiohttp.TCPConnector(keepalive_timeout=KEPT, limit=0),
            headers={"apikey": apikey},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def carry(self, request: Request) -> Answer:
        """Send a request and wait for its answer, whatever that says.

        Raises:
            EvolutionUnreachable: no connection came about, or a question stayed without answer.
            EvolutionUnsure: the request left, and no answer came.
        """
        try:
            async with self._send(request) as response:
                return Answer(response.status, await response.read(), response.headers.get("Location", ""))
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise self._unanswered(request, error) from error

    @asynccontextmanager
    async def opened(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request, and give its answer before its content is read. Raises as `carry`, also while that is."""
        try:
            async with self._send(request) as response:
                yield response
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise self._unanswered(request, error) from error

    def _send(self, request: Request) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        body = None if request.body is None else io.BytesIO(_encode(request.body))
        return self._session.request(
            request.method,
            URL(self._url + request.path, encoded=True),
            data=body,
            headers={"Content-Type": "application/json"} if body else None,
            timeout=aiohttp.ClientTimeout(total=self._timeout + request.extra, sock_connect=self._connect_within),
            allow_redirects=False,  # a POST would arrive as a GET and count as sent
        )

    def _unanswered(self, request: Request, error: Exception) -> EvolutionUnreachable | EvolutionUnsure:
        if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            why = getattr(error, "os_error", None) or "no connection in time"
            return EvolutionUnreachable(f"Evolution does not answer at {self._where}: {why}")
        lost = EvolutionUnreachable if request.is_question else EvolutionUnsure
        return lost(f"no answer from {self._where}: {type(error).__name__} {error}".rstrip())


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half of an emoji, which JavaScript and `json` write and orjson refuses
        return json.dumps(body).encode()
