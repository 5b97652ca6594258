"""The receiver's parts, and how they are opened and closed.

Read `open` to know what there is, and in which order it begins and ends: the journal first and last, for nothing may
be answered without it.
"""

import contextlib
import socket
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from functools import partial
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.config import Config, secrets
from gateway.errors import GatewayError
from gateway.journal import Journal, StoredEvent
from gateway.journal.controls import Kind
from gateway.journal.retention import Retention
from gateway.redact import Redactor
from gateway.serve.lag import Lag
from gateway.serve.supervisor import Supervisor
from gateway.web.admin import admin_app
from gateway.web.feed import Feed
from gateway.web.listener import PostSite
from gateway.web.live import Welcome
from gateway.web.login import Logins, admin_token
from gateway.web.look import Look
from gateway.web.posts import PostConnection
from gateway.web.reaper import Reaper
from gateway.web.reception import Reception
from gateway.web.traffic import Traffic
from gateway.web.webhook import webhook_app
from gateway.work import highest_seq
from gateway.work.controls import highest_control
from gateway.work.store import WORK

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: Evolution opens one for every event it holds."""
KEEP_ALIVE: Final = 30.0  # seconds; Evolution closes idle connections after 5
LONGEST_LINE: Final = 32_768  # bytes of a request's first line or of one header
STOP_WITHIN: Final = 10.0
"""Seconds that requests being answered get when the gateway is asked to stop."""


class Gateway:
    """The receiver's parts, and what they tell each other."""

    def __init__(self, config: Config, supervisor: Supervisor | None) -> None:
        self._config = config
        self._supervisor = supervisor
        self._retention: Retention | None = None
        self._registry = CollectorRegistry()
        self._traffic = Traffic(self._registry)
        self._has_begun = False
        token = admin_token(config)
        self._logins = Logins(token)
        self._look = Look(config.data, Redactor((*secrets(config), token.reveal())))
        self._feed = Feed(self._look, self._status)

    @contextlib.asynccontextmanager
    async def open(self, try_it: str) -> AsyncIterator[tuple[str, str, Logins]]:
        """Run everything. Gives the webhook's URL, the page's, and who may see it."""
        config = self._config
        async with contextlib.AsyncExitStack() as stack:
            floor = highest_seq(config.data)
            journal = Journal(
                config.data,
                floor=floor,
                control_floor=highest_control(config.data / WORK),
                min_free=config.data_min_free,
                dedupe=config.dedupe,
                accepted=self._on_accepted,
            )
            stack.push_async_callback(journal.close)
            self._retention = Retention(journal, config.retention)
            await stack.enter_async_context(self._retention.sweep)
            if self._supervisor:
                self._supervisor.on_changed = partial(self._on_changed, Lag(journal))
                await stack.enter_async_context(self._supervisor)
            reception = Reception(config, journal, self._traffic)
            stack.callback(reception.tell)
            hooks = webhook_app(reception, is_ready=self._accepts)
            base = await stack.enter_async_context(
                _listen(hooks, config.webhook.host, config.webhook.port, "webhook", reception)
            )
            webhook_url = base + config.webhook.base_path
            page = self._page(Welcome(webhook_url=webhook_url, try_it=try_it), journal)
            page_url = await stack.enter_async_context(_listen(page, config.admin.host, config.admin.port, "admin"))
            yield webhook_url, page_url + "/live", self._logins

    def _page(self, welcome: Welcome, journal: Journal) -> web.Application:
        async def keep(kind: Kind, payload: str) -> int:
            number = await journal.control(kind, payload)
            if self._supervisor:
                self._supervisor.wake()
            return number

        return admin_app(
            config=self._config,
            look=self._look,
            feed=self._feed,
            logins=self._logins,
            status=self._status,
            registry=self._registry,
            welcome=welcome,
            keep=keep,
        )

    def _on_accepted(self, seqs: Sequence[int], events: Sequence[StoredEvent]) -> None:
        self._feed.notify(seqs)
        if self._supervisor:
            self._supervisor.wake(events)

    def _on_changed(self, lag: Lag, seqs: Collection[int]) -> None:
        self._feed.notify(seqs)
        if seqs:
            lag.note(seqs)

    def _accepts(self) -> bool:
        """Ready for webhooks: from the first worker on, whatever becomes of it, for events wait in the journal."""
        self._has_begun = self._has_begun or self._is_ready()
        return self._has_begun

    def _is_ready(self) -> bool:
        return self._supervisor is None or self._supervisor.is_ready

    def _status(self) -> dict[str, object]:
        parts = (self._supervisor, self._traffic, self._retention)
        return {"ready": self._is_ready(), "reasons": [text for part in parts if part for text in part.problems()]}


@contextlib.asynccontextmanager
async def _listen(
    app: web.Application, host: str, port: int, key: str, reception: Reception | None = None
) -> AsyncIterator[str]:
    """Serve an application; gives its URL. On leaving, what is being answered is finished first.

    With a `reception` plain posts go there straight away.
    """
    reaper = Reaper()
    app.middlewares.insert(0, reaper.middleware)
    runner = web.AppRunner(
        app,
        access_log=None,  # it would print path secrets
        keepalive_timeout=KEEP_ALIVE,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
        shutdown_timeout=STOP_WITHIN,
    )
    await runner.setup()
    try:
        posts: Collection[PostConnection] = ()
        site: web.BaseSite
        if reception:
            site = PostSite(runner, reception, host, port, backlog=BACKLOG, stop_within=STOP_WITHIN)
            posts = site.gate.connections
        else:
            site = web.TCPSite(runner, host, port, backlog=BACKLOG)
        with _port_errors(host, port, key):
            await site.start()
        assert runner.server  # noqa: S101 -- set up above
        async with reaper.watch(runner.server, posts):
            yield _url(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


def _url(host: str, port: int) -> str:
    """The address to paste elsewhere: a listener on every address is shown as this machine's own."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 -- compared
    return f"http://{name}:{port}"


@contextlib.contextmanager
def _port_errors(host: str, port: int, key: str) -> Iterator[None]:
    try:
        yield
    except (OSError, socket.gaierror) as error:
        raise GatewayError(
            f"can't listen on {host}:{port} ({error.strerror or error}): stop what uses it, or set {key}.host and "
            f"{key}.port in config.yaml"
        ) from error
