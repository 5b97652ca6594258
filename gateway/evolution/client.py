"""Send through Evolution API 2.x.

The three ways a call can fail are three classes, because what may be done next differs: a refused call may be made
again by its rules, one that never reached the server may be made again at once, and one whose answer is missing must
not be made again blindly, for the message may have left.
"""

from typing import Any, Final
from urllib.parse import quote

import aiohttp

from gateway.errors import GatewayError

TIMEOUT: Final = 60.0  # seconds; sendText waits for the typing delay it was asked for
CONNECT_WITHIN: Final = 5.0  # seconds

_PROXY_GAVE_UP: Final = frozenset({502, 504, 520, 524})
"""A proxy's words for an Evolution that took the request and did not answer it (520 and 524: Cloudflare's)."""


class EvolutionError(GatewayError):
    """The server answered with an error of its own: nothing was sent."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"Evolution answered {status}: {text}")
        self.status = status

    @property
    def passing(self) -> bool:
        """The same call may succeed later."""
        return self.status in (408, 429) or self.status >= 500  # noqa: PLR2004 -- HTTP's own numbers


class EvolutionUnreachable(GatewayError):
    """No connection came about: nothing was sent."""


class EvolutionUnsure(GatewayError):
    """The request left and Evolution's answer did not come: whether the message was sent is unknown."""


class Evolution:
    """One Evolution API server. Close it with `close()`."""

    def __init__(
        self, url: str, apikey: str, *, timeout: float = TIMEOUT, connect_within: float = CONNECT_WITHIN
    ) -> None:
        self._url = url.rstrip("/")
        self._session = aiohttp.ClientSession(
            # Node closes idle connections after 5 s: a request that crosses it on one would count as unsure.
            connector=aiohttp.TCPConnector(force_close=True),
            headers={"apikey": apikey},
            timeout=aiohttp.ClientTimeout(total=timeout, sock_connect=connect_within),
        )

    async def send_text(self, instance: str, number: str, text: str, *, mentions: tuple[str, ...] = ()) -> str | None:
        """`POST /message/sendText/{instance}`; gives WhatsApp's id of the message, if the answer names one.

        Raises:
            EvolutionError: refused.
            EvolutionUnreachable: no connection.
            EvolutionUnsure: no answer.
        """
        body: dict[str, Any] = {"number": number, "text": text}
        if mentions:
            body["mentioned"] = list(mentions)
        answer = await self._post(f"/message/sendText/{quote(instance, safe='')}", body)
        key = answer.get("key")
        if isinstance(key, dict):
            found = key.get("id")
            return found if isinstance(found, str) else None
        if "code" in answer and "message" in answer:  # on the Business channel Meta's refusal comes with a 201
            raise EvolutionError(400, _complaint(answer))
        return None

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            # No redirect is followed: a POST would arrive as a GET and count as sent.
            async with self._session.post(self._url + path, json=body, allow_redirects=False) as response:
                answer = await _read(response)
        except aiohttp.ClientConnectorError as error:
            raise EvolutionUnreachable(f"Evolution does not answer at {self._url}: {error.os_error}") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise EvolutionUnreachable(f"Evolution does not answer at {self._url}: no connection in time") from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise EvolutionUnsure(f"no answer from {self._url}: {type(error).__name__} {error}".rstrip()) from error
        if response.status in _PROXY_GAVE_UP:
            raise EvolutionUnsure(f"a proxy before {self._url} answered {response.status}: {_complaint(answer)}")
        if response.status // 100 == 3:  # noqa: PLR2004 -- HTTP's own numbers
            raise EvolutionError(
                response.status, f"it redirects to {response.headers.get('Location')}: set evolution.url"
            )
        if response.status // 100 != 2:  # noqa: PLR2004 -- HTTP's own numbers
            raise EvolutionError(response.status, _complaint(answer))
        return answer if isinstance(answer, dict) else {}


async def _read(response: aiohttp.ClientResponse) -> object:
    try:
        return await response.json(content_type=None)
    except ValueError:
        return None


def _complaint(answer: object) -> str:
    """The server's own words, out of the shapes it puts them in."""
    if answer and isinstance(answer, dict):
        inner = answer.get("response")
        words = inner.get("message") if isinstance(inner, dict) else None
        return _flat(words or answer.get("message") or answer.get("error") or answer)
    return _flat(answer) if answer else "no reason given"


def _flat(words: object) -> str:
    if isinstance(words, dict) and words.get("exists") is False:
        return "this number is not on WhatsApp"
    return "; ".join(map(_flat, words)) if isinstance(words, list) else str(words)[:500]
