"""How long it takes to begin: until events are accepted, until they are handled, and until a command says anything."""

import asyncio
import compileall
import statistics
import sys
import time
from typing import Final

from bench import targets
from bench.accept import folder
from bench.result import Goal, Result
from bench.scale import Scale
from tests.support.gateway import ROOT, Gateway

COLUMNS: Final = ("what", "median s", "lowest s", "highest s")


async def starting(scale: Scale) -> Result:
    """Starts of the gateway, and of its command beside Python alone, in turns.

    With bytecode at hand, as an installed package has it: a fresh clone has none, and may be told to write none.
    """
    compileall.compile_dir(ROOT / "gateway", quiet=1)
    accepts, works = await _starts(scale)
    bare: list[float] = []
    help_: list[float] = []
    for _ in range(scale.starts + 2):
        bare.append(await _command("-c", "pass"))
        help_.append(await _command("-m", "gateway", "--help"))
    over = statistics.median(theirs - plain for theirs, plain in zip(help_, bare, strict=True))
    times = {
        "gateway serve, until events are accepted": accepts,
        "gateway serve, until they are handled": works,
        "python -c pass": bare,
        "gateway --help": help_,
    }
    return Result(
        title="Start",
        columns=COLUMNS,
        rows=[[what, statistics.median(all_), min(all_), max(all_)] for what, all_ in times.items()],
        goals=[
            Goal(name="ready, in seconds", value=statistics.median(works), goal=1, at_most=True),
            Goal(name="gateway --help over Python's own start, ms", value=over * 1000, goal=150, at_most=True),
        ],
    )


async def _starts(scale: Scale) -> tuple[list[float], list[float]]:
    accepts: list[float] = []
    works: list[float] = []
    async with folder() as where, Gateway(where / "starting") as one:
        one.plugin("bot", targets.IDLE)
        for _ in range(scale.starts):
            began = time.monotonic()
            one.spawn()
            await one.accepts()
            accepts.append(time.monotonic() - began)
            await one.works()
            works.append(time.monotonic() - began)
            await one.stop()
    return accepts, works


async def _command(*arguments: str) -> float:
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    await process.wait()
    return time.monotonic() - began
