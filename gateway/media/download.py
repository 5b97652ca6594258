"""Get one URL's bytes in pieces, within the rules of `hosts`."""

from collections.abc import AsyncGenerator
from typing import Final

import aiohttp

from gateway.errors import MediaTooLarge, MediaUnavailable
from gateway.media.hosts import Hosts

_PIECE: Final = 2**16  # bytes
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
"""Seconds to connect and between two pieces; the whole is limited by the handler's own `delivery.timeout`."""
_OK: Final = 200
_HEADERS: Final = {"Origin": "https://web.whatsapp.com", "Accept-Encoding": "identity"}
"""WhatsApp's servers expect their own page's origin; the bytes are wanted as they are stored."""


class Downloads:
    """Downloads from allowed hosts."""

    def __init__(self, hosts: Hosts, max_size: int) -> None:
        self._hosts = hosts
        self._max_size = max_size

    async def pieces(self, text: str) -> AsyncGenerator[bytes, None]:
        """The bytes behind a URL. A connection of its own: handlers run on loops of their own, and files are rare.

        Raises:
            MediaUnavailable: it may not be fetched, does not answer, redirects, refuses, or ends early.
            MediaTooLarge: the server announces more than the limit.
        """
        url = self._hosts.check(text)
        connector = aiohttp.TCPConnector(resolver=self._hosts.resolver(), use_dns_cache=False, force_close=True)
        session = aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, headers=_HEADERS)
        try:
            # No redirect is followed: it would lead past the check.
            async with session, session.get(url, allow_redirects=False) as response:
                _check(response, url.host or "", self._max_size)
                async for piece in response.content.iter_chunked(_PIECE):
                    yield piece
        except aiohttp.ClientPayloadError as error:
            raise MediaUnavailable(f"{url.host} ended before the file did") from error
        except aiohttp.ClientConnectorError as error:
            raise MediaUnavailable(f"no connection to {url.host}: {error.os_error}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # aiohttp's own words can have the whole URL, and with it the signature that opens the file
            raise MediaUnavailable(f"{url.host} does not answer ({type(error).__name__})") from None


def _check(response: aiohttp.ClientResponse, host: str, max_size: int) -> None:
    if response.status != _OK:
        gone = " (its link has expired)" if response.status in (403, 404, 410) else ""
        moved = "; redirects are not followed" if response.status // 100 == 3 else ""  # noqa: PLR2004 -- HTTP's own
        raise MediaUnavailable(f"{host} answered {response.status}{gone}{moved}")
    if response.content_length is not None and response.content_length > max_size:
        raise MediaTooLarge.above(max_size)
