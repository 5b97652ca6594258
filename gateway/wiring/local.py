"""This gateway as Evolution is to see it: the URLs it may be reached by, and what shows that Evolution may post."""

import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from gateway.config import Auth, Config, is_loopback
from gateway.config.kept import WEBHOOK_TOKEN, make_token
from gateway.errors import DataFolderBusy
from gateway.owner import Owner
from gateway.simulate.request import make_token as make_token_of
from gateway.simulate.request import origin, target_of
from gateway.wiring.addresses import DOCKER_HOST, bridges, host_of, in_url, is_here, is_known, towards

FIRST_JWT: Final = (2, 3, 0)
"""The first Evolution that makes tokens of a webhook header named `jwt_key`."""
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 -- compared, not listened on
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What Evolution has to show."""

    said: str
    """In words, without the secret."""
    headers: Mapping[str, str] = {}
    path: str = ""
    """A segment behind the base path."""


def credential_of(config: Config, version: tuple[int, ...]) -> Credential:
    """The one that this version can carry, of those configured; where there is none, the gateway's own token.

    Raises:
        OSError: the token can't be kept in the data folder.
    """
    auth = config.webhook.auth
    if auth == "none":
        return Credential(said="no credential (auth: none)")
    if version[:1] == (1,):
        return _old_credential(config, auth)
    if auth.header:
        return Credential(said="secret header", headers={auth.header.name: auth.header.values[0].reveal()})
    if auth.jwt_key and version >= FIRST_JWT:
        return Credential(said="jwt_key", headers={"jwt_key": auth.jwt_key[0].reveal()})
    if auth.path_secret:
        return Credential(said="secret path", path=auth.path_secret[0].reveal())
    token = make_token(config.data / WEBHOOK_TOKEN)
    return Credential(said="secret header", headers={"X-Webhook-Token": token.reveal()})


def _old_credential(config: Config, auth: Auth) -> Credential:
    """For 1.x, whose webhooks carry no headers."""
    if not auth.is_set or (auth.allow and not auth.path_secret):
        return Credential(said="no credential")
    path = auth.path_secret[0] if auth.path_secret else make_token(config.data / WEBHOOK_TOKEN)
    return Credential(said="secret path", path=path.reveal())


def urls_of(config: Config, evolution: str) -> list[str]:
    """The webhook's URLs by which Evolution may reach it, the likeliest first; without a secret path."""
    hosts = dict.fromkeys(_hosts(config.webhook.host, host_of(evolution)))
    return [f"http://{in_url(host)}:{config.webhook.port}{config.webhook.base_path}" for host in hosts]


def is_running(config: Config) -> bool:
    """Whether a receiver runs on this data folder."""
    try:
        with Owner(config.data, "receiver"):
            return False
    except DataFolderBusy:
        return True
    except OSError:  # no folder yet
        return False


def local_origin(config: Config) -> str:
    """Scheme, host and port by which this machine reaches the webhook's listener."""
    return origin(target_of(config).url)


async def is_listening(config: Config) -> bool:
    """Whether a gateway answers where this one is configured to listen."""
    health = f"{local_origin(config)}/health/live"
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(health) as answer:
            return answer.status == HTTPStatus.OK and "live" in await answer.text()
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


async def knock(url: str, headers: Mapping[str, str]) -> int | None:
    """What Evolution's posts would be answered there, without posting; None: nobody answers.

    204: a gateway would take an event. 401: the credential is wrong. 421: the path is.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.head(url, headers=as_sent(headers), allow_redirects=False) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None


def as_sent(headers: Mapping[str, str]) -> dict[str, str]:
    """A webhook's headers as Evolution makes them: one named `jwt_key` becomes a signed token."""
    sent = dict(headers)
    if jwt_key := sent.pop("jwt_key", ""):
        sent["Authorization"] = f"Bearer {make_token_of(jwt_key, time.time())}"
    return sent


def from_here(config: Config, url: str) -> str:
    """The URL as this machine reaches it: a name that only containers know leads to this gateway itself."""
    host = host_of(url)
    if host != DOCKER_HOST and is_known(host):
        return url
    return url.replace(origin(url), local_origin(config), 1)


def shown(url: str) -> str:
    """A URL without what may be a secret: its query, and all behind the first part of its path."""
    parts = urlsplit(url)
    first, rest = parts.path.lstrip("/").partition("/")[::2]
    query = "?..." if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{first}{'/...' if rest else ''}{query}"


def _hosts(listening: str, evolution: str) -> Iterator[str]:
    everywhere = listening in _EVERYWHERE
    if not everywhere:
        yield listening
    if is_here(evolution):  # on this machine, or in a container of it whose port is published here
        yield from ["127.0.0.1", *bridges()] if everywhere else []
        yield from [DOCKER_HOST] if everywhere or is_loopback(listening) else []  # Docker Desktop leads it to loopback
    elif everywhere and (seen := towards(evolution)):
        yield seen
