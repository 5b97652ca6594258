"""The worker process from its first breath to its last."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from gateway.config import Config, secrets
from gateway.errors import GatewayError, PluginError
from gateway.evolution import Evolution
from gateway.log import log
from gateway.owner import Owner
from gateway.plugins import Handler
from gateway.plugins.loader import Loaded, load_folder
from gateway.redact import Redactor
from gateway.work import Batch, Settled, WorkStore
from gateway.worker.effects import describe
from gateway.worker.engine import Engine
from gateway.worker.intake import Intake
from gateway.worker.link import WorkerLink
from gateway.worker.outbox import Outbox

GRACE: Final = 5.0
"""Seconds that handlers and requests under way get when the worker is asked to stop."""
LOCK_PATIENCE: Final = 10.0
"""Seconds to wait for an earlier worker that is on its way out."""
EXIT_FAILED: Final = 1
EXIT_STUCK: Final = 4
"""A handler could be stopped by nothing; another worker goes on without it."""
EXIT_UNUSABLE: Final = 3
"""The plugins can't be loaded, on a gateway that has never run: better not to begin."""
SWITCH: Final = 0.0005
"""Seconds a handler that only computes keeps the interpreter from the other threads; Python's own 5 ms add up."""
POLL_LINKED: Final = 5.0
POLL_ALONE: Final = 0.25
"""Seconds between looks at the journal: with a receiver that wakes the worker, and without."""


def work(config: Config, descriptor: int | None = None) -> int:
    """Run plugins until asked to stop; gives the exit code. `descriptor` is the socket to the receiver, if it has one.

    The process ends here, whatever its plugins' threads are doing.
    """
    sys.setswitchinterval(SWITCH)
    with Owner(config.data, "worker", patience=LOCK_PATIENCE if descriptor is not None else 0):
        code = EXIT_FAILED
        try:
            code = asyncio.run(_work(config, descriptor))
        except GatewayError as error:
            log.error("worker_not_started", error=str(error))
        except KeyboardInterrupt:
            log.info("stopping")
        except Exception:  # noqa: BLE001 -- whatever it was: a thread of a plugin would keep the process from ending
            log.error("worker_failed", exc_info=True)
        for stream in (sys.stdout, sys.stderr):  # what plugins print waits there when nobody watches
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


async def _work(config: Config, descriptor: int | None) -> int:
    store = WorkStore(config.data)
    loaded = _load(config, is_first_start=not store.has_run())
    if loaded is None:
        await store.close()
        return EXIT_UNUSABLE
    link = await WorkerLink.open(descriptor) if descriptor is not None else None
    intake = await Intake.open(config.data, POLL_LINKED if link else POLL_ALONE)
    say = link.changed if link else _say_nothing
    outbox = _open_outbox(config, store, say)

    def settled(batch: Sequence[Settled]) -> None:
        for each in batch:
            _log(each)
            if outbox:
                outbox.add([message for message in each.messages if message.status == "queued"])
        say([each.delivery.seq for each in batch])

    engine = Engine(
        config=config,
        plugins=[each.plugin for each in loaded.plugins],
        store=store,
        intake=intake,
        redactor=Redactor(secrets(config)),
        settled=settled,
    )
    await store.write(Batch(facts=facts(loaded)))
    if outbox:
        await outbox.recover()
    if link:
        link.ready([each.plugin.name for each in loaded.plugins], len(loaded.errors))
    await _until_stopped(engine, link)
    await engine.stop(GRACE)
    if outbox:
        await outbox.close(GRACE)
    await intake.close()
    await store.close()
    return EXIT_STUCK if engine.stuck else 0


def _load(config: Config, *, is_first_start: bool) -> Loaded | None:
    """The plugins that load. None if that is not good enough: a start may leave broken ones out, but not the first."""
    try:
        loaded = load_plugins(config)
    except PluginError as error:
        log.error("plugins_not_loaded", error=str(error))
        return None
    return None if loaded.errors and is_first_start else loaded


def load_plugins(config: Config) -> Loaded:
    """Load the folder of plugins, without those that are disabled, and log what is broken.

    Raises:
        PluginError: there is no such folder.
    """
    loaded = load_folder(config.routes)
    for error in loaded.errors:
        log.error("plugin_left_out", file=str(error.file), line=error.line, error=error.text)
    enabled = tuple(each for each in loaded.plugins if config.plugin(each.plugin.name).enabled)
    return Loaded(enabled, loaded.errors)


def facts(loaded: Loaded) -> dict[str, object]:
    """What the page and the command line show of the plugins."""
    return {
        "plugins": [
            {
                "name": each.plugin.name,
                "file": each.file.name,
                "handlers": [_handler(handler) for handler in each.plugin.handlers],
            }
            for each in loaded.plugins
        ],
        "load_errors": [{"file": error.file.name, "line": error.line, "text": error.text} for error in loaded.errors],
    }


def _handler(handler: Handler) -> dict[str, object]:
    return {
        "name": handler.name,
        "line": handler.line,
        "events": [event.__name__ for event in handler.events],
        "filters": [repr(each) for each in handler.filters],
    }


def _open_outbox(config: Config, store: WorkStore, changed: Callable[[Sequence[int]], None]) -> Outbox | None:
    """None without a key: then messages are only shown."""
    if not config.evolution.apikey:
        return None
    evolution = Evolution(config.evolution.url, config.evolution.apikey.reveal())
    return Outbox(store, evolution, expire=config.outbox.expire, changed=changed)


async def _until_stopped(engine: Engine, link: WorkerLink | None) -> None:
    """Work until a signal, the end of the receiver, or a handler that nothing can stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    waits = [asyncio.create_task(engine.run()), asyncio.create_task(stop.wait())]
    if link:
        waits.append(asyncio.create_task(link.listen(engine.wake)))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    await engine.drain(GRACE)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(waits[0], GRACE)
    for task in waits:
        task.cancel()
    await asyncio.gather(*waits, return_exceptions=True)


def _log(settled: Settled) -> None:
    write = {"dead": log.error, "waiting": log.warning, "skipped": log.debug}.get(settled.status, log.info)
    write("handled" if settled.status == "done" else f"delivery_{settled.status}", **describe(settled))


def _say_nothing(_seqs: Sequence[int]) -> None:
    """Nobody listens: the receiver is run apart, and looks by itself."""


def data_folder(config: Config) -> Path:
    """The data folder, made with mode 0700 where it is missing.

    Raises:
        GatewayError: it can't be made.
    """
    try:
        config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise GatewayError(f"the data folder {config.data} can't be made: {error.strerror}") from error
    return config.data
