"""The JSON API: the same data the page shows, for scripts and for `gateway` commands."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from gateway.config import Config
from gateway.log import log
from gateway.web.asked import LARGEST_ID, limit_of, number_of, query_of, words_of
from gateway.web.live import WELCOME
from gateway.web.look import Look
from gateway.web.outbox import STATUSES
from gateway.web.problems import problem

Status = Callable[[], Mapping[str, Any]]

LOOK: Final = web.AppKey("look", Look)
STATUS: Final[web.AppKey[Status]] = web.AppKey("status")
CONFIG: Final = web.AppKey("config", Config)
REGISTRY: Final = web.AppKey("registry", CollectorRegistry)


async def events(request: web.Request) -> web.Response:
    """GET /api/events: events that fit, newest first; `next` is the `before` of the page that follows."""
    look = request.app[LOOK]
    found = await look.finder.find(
        query_of(request),
        limit_of(request),
        before=number_of(request, "before") or None,
        after=number_of(request, "after"),
        is_wanted=lambda: request.transport is not None,
    )
    reached = await look.accepted_at(found.low) if found.low is not None else None
    following = str(found.next) if found.next is not None else None
    return _json({"events": await look.rows_of(found.seqs), "next": following, "reached": reached})


async def event(request: web.Request) -> web.Response:
    """GET /api/events/{id}: one event, what became of it, and its JSON."""
    seq = int(request.match_info["id"])
    found = await request.app[LOOK].event(seq) if seq <= LARGEST_ID else None
    if found is None:
        return _no_event(seq)
    base = request.app[WELCOME].webhook_url
    return _json(msgspec.structs.replace(found, endpoint=f"{base}/{quote(found.suffix)}" if found.suffix else base))


async def reveal(request: web.Request) -> web.Response:
    """POST /api/events/{id}/reveal: its JSON with the keys and tokens that are redacted everywhere else."""
    seq = int(request.match_info["id"])
    found = await request.app[LOOK].reveal(seq) if seq <= LARGEST_ID else None
    if found is None:
        return _no_event(seq)
    log.warning("event_revealed", id=str(seq), address=request.remote)
    return _json(found)


async def dead(request: web.Request) -> web.Response:
    """GET /api/dead: dead letters, newest first; `next` as in /api/events."""
    limit = limit_of(request)
    letters = await request.app[LOOK].dead(limit, number_of(request, "before") or None, request.query.get("plugin"))
    return _json({"dead": letters, "next": letters[-1].id if len(letters) == limit else None})


async def outbox(request: web.Request) -> web.Response:
    """GET /api/outbox: messages that wait, are on their way or could not be sent, newest first."""
    statuses = words_of(request, "status", STATUSES)
    before = number_of(request, "before") or None
    return _json(await request.app[LOOK].outbox(statuses, limit_of(request), before))


async def counters(request: web.Request) -> web.Response:
    """GET /api/counters: the numbers above the list."""
    return _json(await request.app[LOOK].counts())


async def plugins(request: web.Request) -> web.Response:
    """GET /api/plugins: loaded plugins and how they do, and files that could not be loaded."""
    return _json(await request.app[LOOK].plugins(request.app[CONFIG]))


async def instances(request: web.Request) -> web.Response:
    """GET /api/instances: Evolution's instances, as their events show them."""
    return _json({"instances": await request.app[LOOK].instances.all()})


async def qr(request: web.Request) -> web.Response:
    """GET /api/instances/{name}/qr: the picture to scan, while the instance is pairing."""
    name = request.match_info["name"]
    picture = await request.app[LOOK].instances.qr(name)
    if picture is None:
        return problem(404, f"instance {name[:80]} has no code to scan now")
    return web.Response(body=picture, content_type="image/png")


async def refused(request: web.Request) -> web.Response:
    """GET /api/refused: the newest posts that were answered 400, with the beginning of each."""
    return _json({"refused": await request.app[LOOK].refused(limit_of(request))})


async def metrics(request: web.Request) -> web.Response:
    """GET /metrics: for Prometheus."""
    return web.Response(body=generate_latest(request.app[REGISTRY]), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def is_live(_: web.Request) -> web.Response:
    """GET /health/live: the process answers."""
    return _json({"status": "live"})


async def is_ready(request: web.Request) -> web.Response:
    """GET /health/ready: events are accepted now."""
    if request.app[STATUS]().get("ready", True):
        return _json({"status": "ready"})
    return problem(503, "not ready", Retry_After="1")


def _no_event(seq: int) -> web.Response:
    return problem(404, f"there is no event {seq}; it may be older than retention.days")


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")
