"""Which addresses this machine has, and which of them another place may know it by.

An Evolution in a container has a loopback of its own: what it is told to post to has to be an address of the bridge
between the two, or the name that Docker gives to the host.
"""

import fcntl
import socket
import struct
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

DOCKER_HOST: Final = "host.docker.internal"
"""The host, as containers call it: always with Docker Desktop, on Linux where `extra_hosts` says so."""
DOCKER_BRIDGE: Final = "172.17.0.1"
"""The host's address on Docker's first bridge, unless somebody changed it."""
_BRIDGES: Final = ("docker", "br-", "podman", "cni-", "virbr")
_SIOCGIFADDR: Final = 0x8915  # linux/sockios.h


def bridges() -> list[str]:
    """This machine's addresses on the bridges to its containers, Docker's first one first."""
    names = sorted((name for _, name in socket.if_nameindex()), key=lambda name: (name != "docker0", name))
    return [address for name in names if name.startswith(_BRIDGES) for address in _address_of(name)]


def towards(host: str) -> str | None:
    """This machine's address as seen from the way to a host; nothing is sent."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(place)
            return str(probe.getsockname()[0])
    except OSError:
        return None


def is_here(host: str) -> bool:
    """Whether a name or address leads to this machine's own loopback."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ip_address(str(place[0]).partition("%")[0]).is_loopback for *_, place in found)


def is_known(host: str) -> bool:
    """Whether this machine knows a name."""
    try:
        return bool(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    except OSError:
        return False


def host_of(url: str) -> str:
    """The host in a URL; empty if there is none."""
    return urlsplit(url).hostname or ""


def in_url(host: str) -> str:
    """A host as URLs write it."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _address_of(name: str) -> Iterator[str]:
    """The IPv4 address of an interface, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        except OSError:
            return
        yield socket.inet_ntoa(answer[20:24])
