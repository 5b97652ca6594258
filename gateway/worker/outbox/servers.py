"""The Evolution servers that messages go through: the configured one, and those that an event may name."""

import asyncio
from importlib import import_module
from types import ModuleType
from typing import Final

from gateway import config
from gateway.evolution import Evolution
from gateway.play import Played

_TRANSPORT: Final = "gateway.evolution.transport"


class Servers:
    """A client for each, made when first needed. Every server gets the configured key."""

    def __init__(self, settings: config.Evolution) -> None:
        self._settings = settings
        self._clients: dict[str, Evolution] = {}
        self._loading: asyncio.Future[ModuleType] | None = None

    @property
    def is_open(self) -> bool:
        """Some client was made."""
        return bool(self._clients)

    def client(self, server: str | None = None) -> Evolution:
        """The client of a server; None: of the configured one."""
        url = server or self._settings.url
        if url not in self._clients:
            self._clients[url] = Evolution(url, self._settings.apikey.reveal(), version=self._settings.version)
        return self._clients[url]

    async def reach(self, server: str | None = None) -> Evolution:
        """The same for a loop that must go on: an HTTP client takes a fifth of a second to load, so a thread does."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(import_module, _TRANSPORT))
        await asyncio.shield(self._loading)  # others wait for it too
        return self.client(server)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()

    def refusal(self, server: str | None) -> str | None:
        """Why nothing may leave through a server any more; None if it may."""
        if server in (None, self._settings.url, *self._settings.allow_servers):
            return None
        return f"It was for {server}: a play that has ended, or a server taken off evolution.allow_servers."


def allowed(settings: config.Evolution, server_url: str | None) -> str | None:
    """The server that an answer is bound to; None: whichever is configured when it leaves.

    A play keeps its own, so that no phone ever rings for it. Else it is the one that the event names, if it is allowed.
    """
    if isinstance(settings, Played):
        return settings.url
    found = (server_url or "").rstrip("/")
    return found if found in settings.allow_servers and found != settings.url else None
