"""The end of a process, announced or not, at random moments under load."""

import asyncio
import os
import signal
from typing import Final

from torture.fault import Fault
from torture.stage import Stage

STOP_WITHIN: Final = 15.0  # seconds; handlers get 5
REST: Final = 0.15
"""Seconds between the posts of one connection where the worker is down most of the time."""
START: Final = 0.8
"""Seconds within which a starting receiver is killed."""


async def kill_receiver(stage: Stage) -> None:
    """`kill -9` of the receiver; every fourth one hits it while it starts."""
    await stage.gateway.start()
    struck = 0

    async def strike() -> None:
        nonlocal struck
        struck += 1
        await stage.gateway.kill()
        stage.gateway.spawn()
        if struck % 4 == 0:
            await asyncio.sleep(stage.random.uniform(0, START))
            await stage.gateway.kill()
            stage.gateway.spawn()

    await stage.under_load(strike)
    _say_what_was_hit(stage)


async def kill_worker(stage: Stage) -> None:
    """`kill -9` of the worker while handlers run."""
    await stage.gateway.start()
    await stage.under_load(lambda: _kill_busy_worker(stage), pause=REST)
    stage.notes.append(f"{_repeated_calls(stage)} calls repeated")


async def kill_both(stage: Stage) -> None:
    """`kill -9` of all processes at one moment, as a power cut or the kernel's OOM killer does."""
    await stage.gateway.start()

    async def strike() -> None:
        await stage.handlers_run()
        await asyncio.sleep(stage.random.uniform(0, 0.05))
        for pid in stage.gateway.processes:
            os.kill(pid, signal.SIGKILL)
        await stage.gateway.ended(within=5)
        stage.gateway.spawn()

    await stage.under_load(strike)
    _say_what_was_hit(stage)


async def stop(stage: Stage) -> None:
    """SIGTERM under load: it ends by itself in time, leaves no process, and repeats nothing."""
    stage.calls_once = True
    await stage.gateway.start()

    async def strike() -> None:
        await stage.handlers_run()
        code = await stage.gateway.stop(within=STOP_WITHIN)
        stage.expect(code == 0, f"it ended with {code}")
        stage.expect(not stage.gateway.processes, "it left a process behind")
        stage.gateway.spawn()

    await stage.under_load(strike)
    _say_what_was_hit(stage)


async def _kill_busy_worker(stage: Stage) -> None:
    await stage.handlers_run()
    await asyncio.sleep(stage.random.uniform(0, 0.05))
    await stage.gateway.kill_worker()


def _repeated_calls(stage: Stage) -> int:
    records = stage.gateway.records
    return len(records) - len({record.seq for record in records})


def _say_what_was_hit(stage: Stage) -> None:
    stage.expect(stage.sender.unanswered, "no request was hit")
    stage.notes.append(f"{stage.sender.unanswered} tries unanswered, {_repeated_calls(stage)} calls repeated")


FAULTS: Final = (
    Fault("kill -9 of the receiver", 20, kill_receiver),
    Fault("kill -9 of the worker", 20, kill_worker),
    Fault("kill -9 of both", 20, kill_both),
    Fault("SIGTERM", 20, stop),
)
