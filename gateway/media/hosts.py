"""Which URLs may be fetched, and which addresses connected to.

The URLs stand in messages that strangers send. Fetched without rules, they would let anybody reach what only this
machine can reach.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from gateway.errors import MediaUnavailable

_HTTPS: Final = 443
_NAT64: Final = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class Hosts:
    """What `media.hosts` and the built-in rules allow."""

    def __init__(
        self,
        listed: Sequence[str],
        *,
        is_allowed: Callable[[Address], bool] | None = None,
        lookup: Callable[[], AbstractResolver] = ThreadedResolver,
    ) -> None:
        """`is_allowed` and `lookup` are for tests, whose servers stand on this machine."""
        self._listed = tuple(name.lower() for name in listed)
        self._is_allowed = is_allowed or is_public
        self._lookup = lookup

    def check(self, text: str) -> URL:
        """The URL, when it may be fetched.

        Raises:
            MediaUnavailable: it may not; the text names the host and what to do.
        """
        try:
            url = URL(text)
            host, port = (url.host or "").lower().rstrip("."), url.port
        except ValueError:
            raise MediaUnavailable("its URL can't be read") from None
        if url.scheme not in ("http", "https") or not host or url.user is not None:
            raise MediaUnavailable("its URL is no plain http or https URL")
        if not self._is_listed(host) and not (_is_whatsapps(host) and url.scheme == "https" and port == _HTTPS):
            hint = "if it is your S3 server, list it there"
            raise MediaUnavailable(f"{host} is neither WhatsApp's by https nor in media.hosts; {hint}")
        if (address := _literal(host)) and not self._is_allowed(address):  # the connector resolves no literal
            raise MediaUnavailable(f"{host} is no public address, and such are never fetched from")
        return url

    def resolver(self) -> AbstractResolver:
        """What the connector has to look names up with."""
        return _Resolver(self._lookup(), self._is_allowed)

    def _is_listed(self, host: str) -> bool:
        return any(_fits(host, pattern) for pattern in self._listed)


class _Resolver(AbstractResolver):
    """Gives the connector allowed addresses only.

    It connects to exactly what it is given, so a name that changes its mind between check and use (DNS rebinding)
    gains nothing.
    """

    def __init__(self, inner: AbstractResolver, is_allowed: Callable[[Address], bool]) -> None:
        self._inner = inner
        self._is_allowed = is_allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError when no allowed address is left."""
        found = await self._inner.resolve(host, port, family)
        allowed = [each for each in found if (address := _literal(each["host"])) and self._is_allowed(address)]
        if not allowed:
            shown = ", ".join(each["host"] for each in found)
            raise OSError(f"{shown} is no public address, and such are never fetched from")
        return allowed

    async def close(self) -> None:
        """Close the inner one."""
        await self._inner.close()


def is_public(address: Address) -> bool:
    """Whether an address leads to the public Internet, whatever IPv6 wraps it in."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_whatsapps(host: str) -> bool:
    return host.endswith(".whatsapp.net")


def _fits(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
