"""What every answer of the page's listener carries, and who may ask: headers, Host, Origin, errors.

One module for what holds on every route, so that a new route cannot forget it.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.config import Config
from gateway.log import log
from gateway.web.problems import problem

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATIC: Final = "/static/"

_READING: Final = frozenset({"GET", "HEAD"})
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on an answer just before it leaves, streams and errors included (`on_response_prepare`)."""
    if request.path.startswith(STATIC):
        response.headers["Cache-Control"] = "no-cache"  # kept, and asked about each time: an update shows at once
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.popall("Server", None)


def hosts_of(config: Config) -> frozenset[str]:
    """The names a request's Host may carry: any other one is a page elsewhere that had its name point here."""
    return frozenset(_bare(host) for host in (*_LOCAL, config.admin.host, *config.admin.allowed_hosts))


def guard(hosts: Iterable[str]) -> Middleware:
    """Refuse strange hosts (DNS rebinding) and changes asked for by other sites' pages."""
    allowed = frozenset(hosts)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/health/") and _host(request) not in allowed:
            return problem(403, "this Host is not allowed here; if it is yours, add it to admin.allowed_hosts")
        if request.method not in _READING and not _is_own(request):
            return problem(403, "a change must come from this page itself (Origin)")
        return await handler(request)

    return check


@web.middleware
async def errors_as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every error the same form; a store that can't be read just now is 503."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return problem(error.status, error.text or error.reason, **allow)
    except sqlite3.Error as error:
        log.warning("store_read_failed", path=request.path, error=str(error))
        return problem(503, "the data can't be read just now", Retry_After="1")


def _host(request: web.Request) -> str:
    try:
        return _bare(urlsplit(f"//{request.headers.get('Host', '')}").hostname or "")
    except ValueError:
        return ""


def _bare(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def _is_own(request: web.Request) -> bool:
    """Whether a change comes from this origin, or from no browser at all (no Origin, no Sec-Fetch-Site)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
