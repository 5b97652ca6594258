"""Where the server stands: which host leads where from there.

One in a container has a loopback of its own, and knows this machine by a bridge's address or by Docker's name for it.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from yarl import URL

NOWHERE: Final = "http://127.0.0.1:9/"  # the port of `discard`, where nobody has listened for decades


class Place(msgspec.Struct, frozen=True):
    """A view of the network."""

    hosts: Mapping[str, str | None] = {}
    """What a host leads to instead, as this machine would call it; None: to nothing that listens."""

    def way_to(self, url: str) -> str:
        """The URL by which this machine reaches what the server reaches by another."""
        host = URL(url).host or ""
        if host not in self.hosts:
            return url
        leads_to = self.hosts[host]
        return url.replace(host, leads_to, 1) if leads_to else NOWHERE


HERE: Final = Place()
"""On this machine itself."""
CONTAINER: Final = Place(
    {
        "127.0.0.1": None,
        "localhost": None,
        "172.17.0.1": "127.0.0.1",
        "host.docker.internal": "127.0.0.1",
    }
)
"""A container whose host is told to it (`extra_hosts: host.docker.internal:host-gateway`), on Docker's first bridge."""
LONELY_CONTAINER: Final = Place({"127.0.0.1": None, "localhost": None, "host.docker.internal": None})
"""One that is told nothing, and a gateway that listens on loopback alone."""
