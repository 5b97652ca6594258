"""One Evolution server: which version it is, and what its answers mean."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Literal

import orjson

from gateway.evolution.call import Call, Request, Version, spell
from gateway.evolution.errors import EvolutionError, EvolutionUnsure, Unauthorized, UnsupportedCall
from gateway.evolution.refusal import is_refusal, refused
from gateway.redact import Redactor, redact_url

TIMEOUT: Final = 60.0  # seconds, beyond what a call takes by its nature
CONNECT_WITHIN: Final = 5.0  # seconds

_PIECE: Final = 2**16  # bytes
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
        """Open nothing yet; needs a running event loop.

        Args:
            url: where it answers.
            apikey: the server's key, or that of one instance.
            version: of its API; `auto` asks the server.
            timeout: seconds to wait for an answer, beyond what a call takes by its nature.
            connect_within: seconds to wait for a connection.
        """
        from gateway.evolution.transport import Transport  # noqa: PLC0415 -- most commands never speak to Evolution

        self._url = url.rstrip("/")
        self._redactor = Redactor((apikey,))
        self._configured: Version | None = _VERSIONS.get(version)
        self._found: Version | None = None
        self._asking = asyncio.Lock()
        self._transport = Transport(self._url, apikey, timeout=timeout, connect_within=connect_within)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def version(self) -> Version:
        """1 or 2, as configured or as the server says; 2 for one that answers without saying.

        Raises:
            EvolutionError: the server does not answer, or is not usable; nothing was sent.
        """
        if known := self._configured or self._found:
            return known
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

    async def stream(self, call: Call) -> AsyncGenerator[bytes, None]:
        """Make one call that asks for much; gives the answer's JSON as it comes.

        Raises:
            EvolutionError: it came to nothing; also while it comes.
        """
        request = spell(call, await self.version())
        async with self._transport.opened(request) as response:
            if response.status // 100 != _DONE:
                raise self._refusal(request, response.status, _read(await response.read()), "")
            async for piece in response.content.iter_chunked(_PIECE):
                yield piece

    async def _welcome(self) -> object:
        try:
            return await self.welcome()
        except (UnsupportedCall, Unauthorized):  # a proxy that lets only the calls through: Evolution shows this to all
            return None

    async def _exchange(self, request: Request) -> object:
        status, content, location = await self._transport.carry(request)
        answer = _read(content)
        is_done = status // 100 == _DONE
        if is_done and isinstance(answer, str):
            what = UnsupportedCall if request.is_question else EvolutionUnsure
            shown = redact_url(self._url)
            raise what(f"it is no JSON: does evolution.url ({shown}) lead to Evolution API?", status=status)
        if is_done and not is_refusal(answer):
            return answer
        raise self._refusal(request, status, answer, location)

    def _refusal(self, request: Request, status: int, answer: Any, location: str) -> EvolutionError:  # noqa: ANN401 -- JSON
        answer = self._redactor.json(answer)  # a server may repeat the key it was given
        return refused(status, answer, is_question=request.is_question, location=redact_url(location))


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
