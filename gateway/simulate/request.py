"""What goes around a body: URL, suffix, headers in Evolution's order, and its token.

No I/O; the one header missing here, Host, is the connection's.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gateway import names
from gateway.config import Config
from gateway.errors import GatewayError

USER_AGENT: Final = "axios/1.12.2"
TOKEN_SECONDS: Final = 600
"""How long a token of Evolution's lasts."""

_BARE: Final = frozenset({"error", "new.jwt"})  # posted to the URL as it is, by events or not
_BLOCK: Final = 64  # bytes; HMAC-SHA256 fills a shorter key up to this with zeros itself
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- compared, not listened on

Headers = tuple[tuple[str, str], ...]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where to, and what shows that we may."""

    url: str
    """As it would be pasted into Evolution."""
    headers: Headers = ()
    """The webhook's own ones."""
    jwt_key: str = ""
    """Evolution's webhook header of this name; empty: no token."""
    by_events: bool = True
    """Whether the event's suffix is glued to the URL."""


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One request, the same in every attempt."""

    url: str
    headers: Headers
    body: bytes
    expected: int | None = None
    """The status that is right where it is not 2xx: of a body that was spoilt on purpose."""


def target_of(config: Config) -> Target:
    """This gateway's own webhook, with the first credential its settings name.

    Raises:
        GatewayError: nobody can know the address.
    """
    webhook, auth = config.webhook, config.webhook.auth
    if webhook.port == 0:
        raise GatewayError("webhook.port is 0, so nobody knows the address; say where to with --url")
    host = _EVERYWHERE.get(webhook.host, webhook.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    url = f"http://{host}:{webhook.port}{webhook.base_path}"
    if auth == "none":
        return Target(url=url)
    if auth.header:
        return Target(url=url, headers=((auth.header.name, auth.header.values[0].reveal()),))
    if auth.jwt_key:
        return Target(url=url, jwt_key=auth.jwt_key[0].reveal())
    return Target(url=f"{url}/{auth.path_secret[0].reveal()}" if auth.path_secret else url)


def make_post(
    target: Target,
    event: str,
    body: bytes,
    clock: Callable[[], float] = time.time,
    *,
    expected: int | None = None,
) -> Post:
    """One event's request; `clock` gives unix seconds, `expected` is as in `Post`."""
    token = (("Authorization", f"Bearer {make_token(target.jwt_key, clock())}"),) if target.jwt_key else ()
    headers = (
        ("Accept", "application/json, text/plain, */*"),
        ("Content-Type", "application/json"),
        *target.headers,
        *token,
        ("User-Agent", USER_AGENT),
        ("Content-Length", str(len(body))),
        ("Accept-Encoding", "gzip, compress, deflate, br"),
        ("Connection", "keep-alive"),
    )
    return Post(url=post_url(target, event), headers=headers, body=body, expected=expected)


def post_url(target: Target, event: str) -> str:
    """The URL with the event's suffix glued to its very end, behind a slash or a query as they stand."""
    if not target.by_events or event in _BARE:
        return target.url
    known = names.EVENTS.get(event)
    return f"{target.url}/{known.suffix if known else names.spell(event)}"


def make_token(key: str, now: float) -> str:
    """The token Evolution makes of a webhook header named `jwt_key`."""
    import jwt  # noqa: PLC0415 -- a tenth of the start of whoever makes none

    claims = {"iat": int(now), "exp": int(now) + TOKEN_SECONDS, "app": "evolution", "action": "webhook"}
    return jwt.encode(claims, key.encode().ljust(_BLOCK, b"\0"), algorithm="HS256")


def with_host(headers: Sequence[tuple[str, str]], host: str) -> Headers:
    """The headers with Host where Evolution's HTTP library writes it: just before Connection."""
    kept = [pair for pair in headers if pair[0].lower() != "host"]
    at = next((at for at, (name, _) in enumerate(kept) if name.lower() == "connection"), len(kept))
    return (*kept[:at], ("Host", host), *kept[at:])


def origin(url: str) -> str:
    """Scheme and address of a URL: all of it that is safe to print."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
