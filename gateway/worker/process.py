"""The worker process from its first breath to its last."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, Final, Literal

from gateway.config import Config
from gateway.errors import GatewayError
from gateway.garbage import settle_down
from gateway.log import log
from gateway.owner import Owner
from gateway.plugins.loader import Loaded
from gateway.work import WorkStore
from gateway.work.retention import work_retention
from gateway.worker.crew import Crew
from gateway.worker.engine import Engine
from gateway.worker.exits import EXIT_FAILED, EXIT_OUTGROWN, EXIT_STUCK, EXIT_UNUSABLE
from gateway.worker.intake import Intake
from gateway.worker.link import WorkerLink
from gateway.worker.loading import load_plugins, log_errors, report
from gateway.worker.memory import resident, until_above
from gateway.worker.sharing import Sharing

GRACE: Final = 5.0
"""Seconds that handlers and requests under way get when the worker is asked to stop."""
SHORT_GRACE: Final = 1.0
"""Seconds that handlers get when another worker waits to take over, or memory runs out; the rest is run anew."""
LOCK_PATIENCE: Final = 10.0
"""Seconds to wait for an earlier worker that is on its way out."""
POLL_LINKED: Final = 5.0
POLL_ALONE: Final = 0.25
"""Seconds between looks at the journal: with a receiver that wakes the worker, and without."""

Why = Literal["stuck", "asked", "line", "memory"]
"""What ended the work."""


def work(config: Config, descriptor: int | None = None) -> int:
    """Run plugins until asked to stop; gives the exit code. `descriptor` is the socket to the receiver, if it has one.

    The process ends here, whatever its plugins' threads are doing, and holds its lock until then.
    """
    with contextlib.ExitStack() as held:
        if descriptor is None:
            held.enter_context(Owner(config.data, "worker"))
        code = EXIT_FAILED
        try:
            loaded = load_plugins(config)
            code = asyncio.run(_start(config, loaded, descriptor, held))
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


async def _start(config: Config, loaded: Loaded, descriptor: int | None, held: contextlib.ExitStack) -> int:
    """Under a receiver, wait for its word first: an earlier worker may be at work, and these plugins no good."""
    if descriptor is None:
        return await _work(config, loaded, None)
    link = await WorkerLink.open(descriptor)
    if not await link.may_go(report(config, loaded)):
        return 0
    held.enter_context(Owner(config.data, "worker", patience=LOCK_PATIENCE))
    return await _work(config, loaded, link)


async def _work(config: Config, loaded: Loaded, link: WorkerLink | None) -> int:
    store = WorkStore(config.data, waited=Sharing().note)
    log_errors(loaded)
    if loaded.errors and (not store.has_run() or not config.routes.is_dir()):
        await store.close()
        return EXIT_UNUSABLE
    intake = await Intake.open(config.data, POLL_LINKED if link else POLL_ALONE)
    crew = Crew(
        config,
        loaded,
        store,
        intake,
        changed=link.changed if link else _say_nothing,
        trouble=link.trouble if link else _say_no_trouble,
    )
    await crew.begin()
    if link:
        link.ready([each.plugin.name for each in loaded.plugins], len(loaded.errors))
    settle_down()
    async with work_retention(config.data, store):
        why = await _until_stopped(crew.engine, link, config.worker.memory)
    await crew.close(GRACE, suspects=why == "memory")
    if link:
        link.flush()
    return EXIT_STUCK if crew.engine.stuck else EXIT_OUTGROWN if why == "memory" else 0


async def _until_stopped(engine: Engine, link: WorkerLink | None, limit: int) -> Why:
    """Work until a signal, the receiver's word or end, too much memory, or a handler that nothing can stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = asyncio.create_task(engine.run())
    waits: dict[Why, asyncio.Task[Any]] = {"stuck": running, "asked": asyncio.create_task(stop.wait())}
    if link:
        waits["line"] = asyncio.create_task(link.listen(engine.wake))
    if limit and _leaves_room(limit):
        waits["memory"] = asyncio.create_task(until_above(limit))
    await asyncio.wait(waits.values(), return_when=asyncio.FIRST_COMPLETED)
    why = next(each for each, task in waits.items() if task.done())
    if why == "memory":
        log.error("worker_outgrown", held=waits["memory"].result(), limit=limit, running=engine.under_way())
    await engine.drain(SHORT_GRACE if why == "memory" or (link and link.is_leaving) else GRACE)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(running, GRACE)
    for task in waits.values():
        task.cancel()
    await asyncio.gather(*waits.values(), return_exceptions=True)
    return why


def _leaves_room(limit: int) -> bool:
    """A limit that is reached before anything has run would only replace one worker by the next, for ever."""
    if (held := resident()) <= limit:
        return True
    log.error("worker_memory_ignored", held=held, limit=limit, todo="raise worker.memory: loading takes more")
    return False


def _say_nothing(_seqs: Sequence[int]) -> None:
    """Nobody listens: the receiver is run apart, and looks by itself."""


def _say_no_trouble(_about: str, _sentence: str | None) -> None:
    """Nobody listens: the log says it too."""
