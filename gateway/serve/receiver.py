"""The receiver: what `gateway serve` and `gateway receive` run.

Read `_open` to know what there is, and in which order it begins and ends: the journal first and last, for nothing may
be answered without it.
"""

import asyncio
import contextlib
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.config import Config, refuse_open_listener, secrets
from gateway.errors import GatewayError
from gateway.journal import Journal
from gateway.log import log
from gateway.owner import Owner
from gateway.redact import Redactor
from gateway.serve.supervisor import Supervisor
from gateway.web.admin import admin_app
from gateway.web.feed import Feed
from gateway.web.login import Logins, admin_token
from gateway.web.look import Look
from gateway.web.reaper import Reaper
from gateway.web.traffic import Traffic
from gateway.web.webhook import Receiver, webhook_app
from gateway.work import highest_seq

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: Evolution opens one for every event it holds."""
KEEP_ALIVE: Final = 30.0  # seconds; Evolution closes idle connections after 5
LONGEST_LINE: Final = 32_768  # bytes of a request's first line or of one header
STOP_WITHIN: Final = 10.0
"""Seconds that requests being answered get when the gateway is asked to stop."""


class Started(msgspec.Struct, frozen=True):
    """What a person needs once the gateway runs."""

    webhook_url: str
    page_url: str
    login_code: str
    plugins: Sequence[str]
    """Names of what the worker loaded; empty where none runs."""


async def serve(
    config: Config, *, config_file: Path | None, with_worker: bool, announce: Callable[[Started], None]
) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        GatewayError: it can't start; the text says why and what to do.
    """
    refuse_open_listener(config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _raise_descriptor_limit()
    with Owner(config.data, "receiver"):
        async with _open(config, config_file, stop, with_worker=with_worker) as started:
            if not stop.is_set():
                announce(started)
            await stop.wait()
            log.info("stopping")


@contextlib.asynccontextmanager
async def _open(
    config: Config, config_file: Path | None, stop: asyncio.Event, *, with_worker: bool
) -> AsyncIterator[Started]:
    async with contextlib.AsyncExitStack() as stack:
        floor = highest_seq(config.data)
        journal = Journal(config.data, floor=floor, min_free=config.data_min_free, dedupe=config.dedupe)
        stack.push_async_callback(journal.close)
        registry = CollectorRegistry()
        look = Look(config.data, Redactor(secrets(config)))
        supervisor = Supervisor(config, config_file) if with_worker else None
        feed = Feed(look, lambda: {"reasons": supervisor.problems() if supervisor else []})

        def accepted(seq: int) -> None:
            feed.notify((seq,))
            if supervisor:
                supervisor.wake()

        def is_ready() -> bool:
            return supervisor is None or supervisor.is_ready

        receiver = Receiver(config, journal, Traffic(registry), accepted)
        logins = Logins(admin_token(config))
        if supervisor:
            supervisor.on_changed = feed.notify
            await stack.enter_async_context(supervisor)
        page = admin_app(
            config=config,
            look=look,
            feed=feed,
            logins=logins,
            status=lambda: {"ready": is_ready(), "reasons": supervisor.problems() if supervisor else []},
            registry=registry,
        )
        page_url = await stack.enter_async_context(_listen(page, config.admin.host, config.admin.port, "admin"))
        hooks = webhook_app(config, receiver, is_ready=is_ready)
        hook_url = await stack.enter_async_context(_listen(hooks, config.webhook.host, config.webhook.port, "webhook"))
        plugins = await supervisor.first_ready(unless=stop) if supervisor else ()
        yield Started(hook_url + config.webhook.base_path, page_url + "/live", logins.new_code(), plugins)


@contextlib.asynccontextmanager
async def _listen(app: web.Application, host: str, port: int, key: str) -> AsyncIterator[str]:
    """Serve an application; gives its URL. On leaving, what is being answered is finished first."""
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
        with _port_errors(host, port, key):
            site = web.TCPSite(runner, host, port, backlog=BACKLOG)
            await site.start()
        assert runner.server  # noqa: S101 -- set up above
        async with reaper.watch(runner.server):
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


def _raise_descriptor_limit() -> None:
    """One connection is one descriptor, and Evolution opens one for each event: take all the system grants."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
