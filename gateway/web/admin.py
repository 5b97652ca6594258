"""Compose the second listener: live page, JSON API, metrics and health.

Read this file to know every route and everything a request passes on its way to one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp_jinja2
import jinja2
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.config import Config
from gateway.web import api, controls, live
from gateway.web.entry import LOGINS, post_link, post_login, post_logout, require_login
from gateway.web.feed import FEED, Feed
from gateway.web.login import Logins
from gateway.web.look import Look
from gateway.web.openapi import openapi
from gateway.web.security import STATIC, add_headers, errors_as_problems, guard, hosts_of

_HERE: Final = Path(__file__).parent
_BODY_LIMIT: Final = 64 * 2**10  # bytes; nothing posted here is larger than a token

ROUTES: Final = (
    web.get("/", live.home),
    web.get("/live", live.page),
    web.get("/live/stream", live.stream, allow_head=False),
    web.post("/login", post_login),
    web.post("/logout", post_logout),
    web.get("/api/openapi.json", openapi),
    web.post("/api/login-link", post_link),
    web.get("/api/events", api.events),
    web.get(r"/api/events/{id:\d{1,19}}", api.event),
    web.post(r"/api/events/{id:\d{1,19}}/reveal", api.reveal),
    web.get("/api/dead", api.dead),
    web.get("/api/refused", api.refused),
    web.post("/api/dead/retry", controls.asking("retry")),
    web.post("/api/dead/drop", controls.asking("drop")),
    web.post("/api/replay", controls.asking("replay")),
    web.post("/api/explain", controls.asking("explain")),
    web.post("/api/dry-run", controls.asking("rehearse")),
    web.post("/api/pause", controls.asking("pause")),
    web.post("/api/resume", controls.asking("resume")),
    web.get(r"/api/controls/{id:\d{1,19}}", controls.control),
    web.get("/api/counters", api.counters),
    web.get("/api/outbox", api.outbox),
    web.get("/api/plugins", api.plugins),
    web.get("/api/instances", api.instances),
    web.get("/api/instances/{name}/qr", api.qr),
    web.get("/metrics", api.metrics),
    web.get("/health/live", api.is_live),
    web.get("/health/ready", api.is_ready),
)


def admin_app(
    *,
    config: Config,
    look: Look,
    feed: Feed,
    logins: Logins,
    status: api.Status,
    registry: CollectorRegistry,
    welcome: live.Welcome | None = None,
    keep: controls.Keep | None = None,
) -> web.Application:
    """The application of the page's listener. It runs `feed` and closes `look` with itself.

    Args:
        config: all settings; `admin` says which hosts are allowed.
        look: reads what is stored.
        feed: told of changes by the receiver with `notify`.
        logins: who may see.
        status: `ready` (bool) is what /health/ready answers; `reasons` (texts) stand above the list.
        registry: what /metrics shows.
        welcome: what the empty page says to do; made from the settings when left out.
        keep: writes down what the worker is asked for, and gives its id; without it, nothing can be asked.
    """
    app = web.Application(
        middlewares=[errors_as_problems, guard(hosts_of(config)), require_login], client_max_size=_BODY_LIMIT
    )
    app[api.LOOK], app[FEED], app[LOGINS] = look, feed, logins
    app[api.STATUS], app[api.REGISTRY] = status, registry
    app[live.WELCOME] = welcome or welcome_of(config)
    app[api.CONFIG] = config
    controls.set_up(app, config, keep)
    aiohttp_jinja2.setup(app, loader=jinja2.FileSystemLoader(_HERE / "templates"))
    app.router.add_routes(ROUTES)
    app.router.add_static(STATIC, _HERE / "static")
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    app.cleanup_ctx.append(_feeding)
    return app


def welcome_of(config: Config) -> live.Welcome:
    """The webhook's address as configured; a path secret is not in it."""
    host = "127.0.0.1" if config.webhook.host in {"0.0.0.0", "::"} else config.webhook.host  # noqa: S104 -- compared
    host = f"[{host}]" if ":" in host else host
    return live.Welcome(
        webhook_url=f"http://{host}:{config.webhook.port}{config.webhook.base_path}",
        try_it="gateway simulate --text ping",
    )


async def _end_streams(app: web.Application) -> None:
    app[FEED].end()


async def _feeding(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[FEED].run(), name="feed")
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await app[api.LOOK].close()
