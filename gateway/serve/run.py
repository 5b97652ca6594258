"""What `gateway serve` and `gateway receive` run, from the lock on the data folder to the last word.

The worker's process is started first: it loads its plugins while this one loads its web server.
"""

import asyncio
import contextlib
import resource
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from gateway.config import Config, refuse_open_listener
from gateway.garbage import settle_down
from gateway.log import log
from gateway.owner import Owner
from gateway.serve.supervisor import Supervisor

if TYPE_CHECKING:
    from gateway.serve.receiver import Gateway


class Started(msgspec.Struct, frozen=True):
    """What a person needs once the gateway runs."""

    webhook_url: str
    page_url: str
    login_code: str
    plugins: Sequence[str]
    """Names of what the worker loaded; empty where none runs."""


async def serve(
    config: Config,
    *,
    config_file: Path | None,
    with_worker: bool,
    try_it: str,
    announce: Callable[[Started], None],
) -> None:
    """Run until SIGTERM or SIGINT. `try_it` is the command that the page shows to somebody who has no event yet.

    Raises:
        GatewayError: it can't start; the text says why and what to do.
    """
    refuse_open_listener(config)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _raise_descriptor_limit()
    with Owner(config.data, "receiver"):
        async with contextlib.AsyncExitStack() as stack:
            supervisor = Supervisor(config, config_file) if with_worker else None
            if supervisor:
                stack.push_async_exit(supervisor)  # should anything keep the gateway from opening
                await supervisor.begin()
            opened = _gateway()(config, supervisor).open(try_it)
            webhook_url, page_url, logins = await stack.enter_async_context(opened)
            plugins = await supervisor.first_ready(unless=stop) if supervisor else ()
            settle_down()
            if not stop.is_set():
                announce(Started(webhook_url, page_url, logins.new_code(), plugins))
            await stop.wait()
            log.info("stopping")


def _gateway() -> "type[Gateway]":
    """Loading it takes a third of a second."""
    from gateway.serve.receiver import Gateway  # noqa: PLC0415

    return Gateway


def _raise_descriptor_limit() -> None:
    """One connection is one descriptor, and Evolution opens one for each event: take all the system grants."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
