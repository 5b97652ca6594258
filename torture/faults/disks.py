"""A disk with no room, for one process at a time; it goes on by itself once there is more."""

import asyncio
from pathlib import Path
from typing import Final

from tests.support import records
from tests.support.damage import no_room
from tests.support.waiting import until
from torture.fault import Fault
from torture.stage import Stage

REST: Final = 0.1
"""Seconds between the posts of one connection: logs and records must stay smaller than the databases."""
WARM_UP: Final = 1_500  # messages after which that is so
ROOM: Final = 100_000  # bytes; more than is recorded meanwhile


async def full_for_receiver(stage: Stage) -> None:
    """The receiver can't write: 503, and never a 202 for what is not stored."""
    await _begin(stage)

    async def strike() -> None:
        await _fill(stage, stage.gateway.process.pid, stage.gateway.log_file)

    await stage.under_load(strike, pause=REST)
    stage.expect(stage.sender.refused, "the disk was never full")
    stage.notes.append(f"{len(stage.sender.refused)} answers 503")


async def full_for_worker(stage: Stage) -> None:
    """The worker can't settle: it waits, and calls no handler again."""
    await _begin(stage)

    async def strike() -> None:
        worker = await until(lambda: stage.gateway.worker, "there is a worker")
        await _fill(stage, worker, stage.gateway.folder / records.FILE)

    await stage.under_load(strike, pause=REST)
    full = len(stage.gateway.logged("work_store_unavailable"))
    stage.expect(full, "the disk was never full")
    stage.expect(not stage.sender.refused, "accepting was disturbed")
    stage.notes.append(f"full {full} times")


async def _begin(stage: Stage) -> None:
    stage.calls_once = True
    stage.gateway.settings(log={"level": "error"})
    await stage.gateway.start()
    await stage.post(WARM_UP)


async def _fill(stage: Stage, pid: int, grows: Path) -> None:
    """`grows` must have room left, for it is not of the gateway; its databases are larger by now, so they have none."""
    with no_room(pid, grows, left=ROOM):
        await asyncio.sleep(stage.random.uniform(0.5, 1.5))


FAULTS: Final = (
    Fault("disk full for the receiver", 5, full_for_receiver),
    Fault("disk full for the worker", 5, full_for_worker),
)
