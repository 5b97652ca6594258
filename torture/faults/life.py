"""What else happens to a process that runs for months: edits, a clock that is set, no descriptors left."""

import asyncio
import resource
from contextlib import AsyncExitStack
from typing import Final

from tests.support.waiting import until
from torture.bot import NAME, SOURCE
from torture.fault import Fault
from torture.stage import Stage

HOUR: Final = 3600
DESCRIPTORS: Final = 64
CONNECTIONS: Final = 200
WRONG_CLOCK: Final = """
import time
from pathlib import Path

right, offset = time.time, Path("offset").absolute()


def wrong():
    try:
        return right() + float(offset.read_text() or 0)
    except OSError:
        return right()


time.time = wrong
"""
"""Imported by both processes before anything else."""
FAILING: Final = """
@plugin.message(f.text("message 3", "message 5"))
async def fail_once(event, ctx):
    record(ctx)
    if ctx.delivery.attempt == 1:
        raise RuntimeError("the first time")
"""


async def reload(stage: Stage) -> None:
    """The bot is saved again and again while events come in: the next worker takes over, and nothing runs twice."""
    stage.calls_once = True
    await stage.gateway.start()
    saved = 0

    async def strike() -> None:
        nonlocal saved
        saved += 1
        stage.gateway.plugin(NAME, SOURCE + f"# edit {saved}\n")
        await until(lambda: len(stage.gateway.logged("plugins_reloaded")) >= saved, "it is reloaded", within=60)

    await stage.under_load(strike)
    stage.expect(not stage.gateway.logged("worker_died"), "a worker died")
    stage.expect(not stage.sender.refused and not stage.sender.unanswered, "accepting was disturbed")


async def clock(stage: Stage) -> None:
    """The system's clock jumps an hour forth and back under load, in both processes."""
    offset = stage.gateway.folder / "offset"
    (stage.gateway.folder / "sitecustomize.py").write_text(WRONG_CLOCK)
    stage.gateway.plugin("failing", FAILING)
    stage.gateway.settings(delivery={"retry": [0.5]})
    await stage.gateway.start()
    turns = iter([HOUR, -HOUR, 0] * stage.rounds)

    async def strike() -> None:
        offset.write_text(str(next(turns)))

    await stage.under_load(strike)
    await stage.gateway.settled(within=60)
    stage.expect(
        not [row for row in stage.gateway.deliveries() if row.status == "dead"], "a retry became a dead letter"
    )
    shifted = {round(summary.accepted_at / HOUR) for summary in stage.gateway.summaries()}
    stage.expect(len(shifted) > 1, "the clock was not moved")
    stage.notes.append("time.time() of both processes, not the kernel's clock")


async def descriptors(stage: Stage) -> None:
    """No descriptor is left while many connect; once they leave, it goes on by itself."""
    await stage.gateway.start()
    pid = stage.gateway.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)

    async def strike() -> None:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, usual[1]))
        async with AsyncExitStack() as stack:
            for _ in range(CONNECTIONS):
                _, writer = await asyncio.open_connection(*stage.gateway.address)
                stack.callback(writer.close)
            await asyncio.sleep(stage.random.uniform(0.5, 2))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)

    await stage.under_load(strike)
    stage.expect("Too many open files" in stage.gateway.log_file.read_text(), "there were always descriptors left")


FAULTS: Final = (
    Fault("reload under load", 10, reload),
    Fault("clock jumps an hour", 10, clock),
    Fault(f"out of descriptors ({DESCRIPTORS})", 5, descriptors),
)
