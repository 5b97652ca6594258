"""Read what a request asks for from its URL, and say what is wrong with it."""

import math
from typing import Final

from aiohttp import web

from gateway import names
from gateway.search import STATES, Query

PAGE_SIZE: Final = 50
LARGEST_PAGE: Final = 500
LARGEST_ID: Final = 2**63 - 1


def limit_of(request: web.Request) -> int:
    """How many.

    Raises:
        web.HTTPBadRequest: `limit` is no number, or 0.
    """
    limit = number_of(request, "limit", PAGE_SIZE)
    if limit == 0:
        raise web.HTTPBadRequest(text="limit must be at least 1")
    return min(limit, LARGEST_PAGE)


def number_of(request: web.Request, name: str, default: int = 0) -> int:
    """A whole number.

    Raises:
        web.HTTPBadRequest: it is none.
    """
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST_ID):
        raise web.HTTPBadRequest(text=f"{name} must be a whole number from 0, got {text[:40]!r}")
    return int(text)


def query_of(request: web.Request) -> Query:
    """What events are looked for.

    Raises:
        web.HTTPBadRequest: a state nobody knows, or a moment that is no number.
    """
    event = request.query.get("event")
    return Query(
        event=(names.canonical(event) or event) if event else None,
        states=words_of(request, "state", STATES),
        since=_moment(request, "since"),
        until=_moment(request, "until"),
        **{name: request.query.get(name) or None for name in ("instance", "chat", "plugin", "error", "text")},
    )


def words_of(request: web.Request, name: str, known: tuple[str, ...]) -> frozenset[str]:
    """Some of a few words, with commas between.

    Raises:
        web.HTTPBadRequest: one of them is none of these.
    """
    words = frozenset(word for word in request.query.get(name, "").split(",") if word)
    if strange := sorted(words - set(known)):
        raise web.HTTPBadRequest(text=f"{name} can be {', '.join(known)}; got {strange[0][:40]!r}")
    return words


def _moment(request: web.Request, name: str) -> float | None:
    text = request.query.get(name)
    if not text:
        return None
    try:
        moment = float(text)
    except ValueError:
        moment = math.nan
    if not math.isfinite(moment):
        raise web.HTTPBadRequest(text=f"{name} must be unix seconds, got {text[:40]!r}")
    return moment
