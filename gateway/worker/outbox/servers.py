"""The Evolution servers that messages go through: the configured one, and those that an event may name."""

from gateway import config
from gateway.evolution import Evolution


class Servers:
    """A client for each, made when first needed. Every server gets the configured key."""

    def __init__(self, settings: config.Evolution) -> None:
        self._settings = settings
        self._clients: dict[str, Evolution] = {}

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

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            await client.close()


def allowed(settings: config.Evolution, server_url: str | None) -> str | None:
    """The server that an answer goes through when an event names one: only if it is on the list, else None."""
    found = (server_url or "").rstrip("/")
    return found if found in settings.allow_servers and found != settings.url else None
