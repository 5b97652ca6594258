"""Carry requests to one Evolution server and bring back its answers, or the error that says what is known.

The one place with sockets, and with the server's key. What may be done after a failure depends on how far a request
came, so nothing is ever sent twice here: no redirect is followed, no connection is used again.
"""

import asyncio
import io
import json
from collections.abc import Mapping
from typing import Any, Final, Literal

import aiohttp
import orjson
from yarl import URL

from gateway.evolution.call import Call, Request, Version, spell
from gateway.evolution.errors import EvolutionError, EvolutionUnreachable, EvolutionUnsure, UnsupportedCall
from gateway.evolution.refusal import is_refusal, refused
from gateway.redact import Redactor, redact_url

TIMEOUT: Final = 60.0  # seconds, beyond what a call takes by its nature
CONNECT_WITHIN: Final = 5.0  # seconds

_DONE: Final = 2  # what the status of an answer begins with that did not fail
_VERSIONS: Final[Mapping[str, Version]] = {"1": 1, "2": 2}
_WELCOME: Final = Request(method="GET", path="/", is_question=True)


class Server:
    """One Evolution API server. Close it with `close()`.

    Its version is asked for (`GET /`) before the first call and after each one that failed: a server that is back may
    be another version.
    """

    def __init__(
        self,
        url: str,
        apikey: str,
        *,
        version: Literal["auto", "1", "2"] = "auto",
        timeout: float = TIMEOUT,
        connect_within: float = CONNECT_WITHIN,
    ) -> None:
        self._url = url.rstrip("/")
        self._shown = redact_url(self._url)
        self._redactor = Redactor((apikey,))
        self._configured: Version | None = _VERSIONS.get(version)
        self._found: Version | None = None
        self._asking = asyncio.Lock()
        self._timeout = timeout
        self._connect_within = connect_within
        self._session = aiohttp.ClientSession(
            # Node closes idle connections after 5 s: a request that crosses it on one would count as unsure.
            connector=aiohttp.TCPConnector(force_close=True),
            headers={"apikey": apikey},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def version(self) -> Version:
        """1 or 2, as configured or as the server says; 2 for one that answers without saying.

        Raises:
            EvolutionError: the server does not answer, or is not usable; nothing was sent.
        """
        if self._configured is not None:
            return self._configured
        async with self._asking:
            if self._found is None:
                self._found = _read_version(await self._welcome())
            return self._found

    async def welcome(self) -> object:
        """What the server says of itself.

        Raises:
            EvolutionError: it does not answer, or is not usable.
        """
        return await self._exchange(_WELCOME)

    async def ask(self, call: Call) -> Any:  # noqa: ANN401 -- JSON
        """Make one call; gives the answer's JSON.

        Raises:
            EvolutionError: it came to nothing, or may have.
        """
        try:
            return await self._exchange(spell(call, await self.version()))
        except EvolutionError:
            self._found = None
            raise

    async def _welcome(self) -> object:
        try:
            return await self.welcome()
        except UnsupportedCall:  # a proxy that lets only the calls through
            return None

    async def _exchange(self, request: Request) -> object:
        try:
            status, content, location = await self._carry(request)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            why = getattr(error, "os_error", None) or "no connection in time"
            raise EvolutionUnreachable(f"Evolution does not answer at {self._shown}: {why}") from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            lost = EvolutionUnreachable if request.is_question else EvolutionUnsure
            raise lost(f"no answer from {self._shown}: {type(error).__name__} {error}".rstrip()) from error
        answer = _read(content)
        if isinstance(answer, str) and status // 100 == _DONE:
            what = UnsupportedCall if request.is_question else EvolutionUnsure
            raise what(f"it is no JSON: does evolution.url ({self._shown}) lead to Evolution API?", status=status)
        if status // 100 == _DONE and not is_refusal(answer):
            return answer
        answer = self._redactor.json(answer)  # a server may repeat the key it was given
        raise refused(status, answer, is_question=request.is_question, location=redact_url(location))

    async def _carry(self, request: Request) -> tuple[int, bytes, str]:
        """Status, content and `Location` of the answer."""
        content = None if request.body is None else io.BytesIO(_encode(request.body))
        async with self._session.request(
            request.method,
            URL(self._url + request.path, encoded=True),
            data=content,
            headers={"Content-Type": "application/json"} if content else None,
            timeout=aiohttp.ClientTimeout(total=self._timeout + request.extra, sock_connect=self._connect_within),
            allow_redirects=False,  # a POST would arrive as a GET and count as sent
        ) as response:
            return response.status, await response.read(), response.headers.get("Location", "")


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half of an emoji, which JavaScript and `json` write and orjson refuses
        return json.dumps(body).encode()


def _read(content: bytes) -> Any:  # noqa: ANN401 -- JSON
    """The JSON of an answer, or its text when it is none; None when it is empty."""
    if not content.strip():
        return None
    try:
        return orjson.loads(content)
    except ValueError:
        pass
    try:
        return json.loads(content)  # which takes half an emoji
    except ValueError:
        return content.decode(errors="replace")


def _read_version(welcome: object) -> Version:
    said = welcome.get("version") if isinstance(welcome, dict) else None
    return 1 if isinstance(said, str) and said.lstrip("v").startswith("1.") else 2
