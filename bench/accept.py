"""How many events a second are accepted: servers in turn, A B A B, so that a busy minute hits them all."""

import shutil
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from bench import targets
from bench.bodies import USUAL, template
from bench.client import Outcome
from bench.load import flood
from bench.result import Goal, Result, spread
from bench.scale import Scale
from bench.targets import Target
from bench.viewers import watching
from tests.support.gateway import Gateway
from tests.support.waiting import until
from torture.bot import NAME
from torture.history import CHATS, add_history

CONNECTIONS: Final = 64
COLUMNS: Final = ("case", "server", "events/s", "of the first", "lowest", "highest", "p50 ms", "p99 ms", "behind s")
BARE: Final = "bare aiohttp"
USUAL_WAY: Final = "FastAPI + pydantic"
RECEIVER: Final = "receiver alone"
ONE: Final = "receiver + worker, 1 plugin"
THREE: Final = "receiver + worker, 3 plugins"
IN_MEMORY: Final = f"{ONE}, in memory"

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 -- where Linux has one
_ROOM: Final = 2**30  # bytes that it has to offer
_CAUGHT_UP_WITHIN: Final = 60.0  # seconds


class Turns(msgspec.Struct):
    """One server's turns."""

    target: Target
    outcomes: list[Outcome] = msgspec.field(default_factory=list)
    behind: list[float] = msgspec.field(default_factory=list)
    """After each turn: seconds of its own load that its worker has still to handle."""

    def of(self, first: "Turns") -> list[float]:
        """Its rate as a part of another's in the same turn."""
        return [mine.rate / theirs.rate for mine, theirs in zip(self.outcomes, first.outcomes, strict=True)]


async def take_turns(
    servers: Sequence[Target], scale: Scale, *, connections: int = CONNECTIONS, size: int = USUAL, wait: bool = True
) -> list[Turns]:
    """Load each server in its turn, while the others are frozen. With `wait` its worker catches up before the next."""
    form = template(size)
    found = [Turns(each) for each in servers]
    for _ in range(scale.turns):
        for turns in found:
            with turns.target.awake():
                outcome = await flood(turns.target.port, form, connections=connections, seconds=scale.seconds)
                turns.outcomes.append(outcome)
                turns.behind.append(turns.target.behind() / outcome.rate)
                if wait:
                    await until(partial(_has_caught_up, turns.target), "it caught up", within=_CAUGHT_UP_WITHIN)
    return found


def _has_caught_up(target: Target) -> bool:
    return not target.behind()


def rows(case: str, found: Sequence[Turns]) -> list[list[str | float]]:
    """The table's rows: medians, and each rate as a part of the first server's."""
    return [_row(case, turns, found[0]) for turns in found]


def _row(case: str, turns: Turns, first: Turns) -> list[str | float]:
    rates, parts = [each.rate for each in turns.outcomes], turns.of(first)
    wrong = sum(each.failed + each.refused for each in turns.outcomes)
    behind = f"{max(turns.behind):.2f}" if turns.target.has_worker else ""
    return [
        case,
        turns.target.name + (f" ({wrong} not accepted)" if wrong else ""),
        round(statistics.median(rates)),
        spread(parts, 2),
        round(min(rates)),
        round(max(rates)),
        statistics.median(each.p50 for each in turns.outcomes),
        statistics.median(each.p99 for each in turns.outcomes),
        behind,
    ]


async def accept(scale: Scale) -> Result:
    """The whole comparison at 64 connections; without FastAPI where that is not installed."""
    result = Result(title="Accepting, 64 connections", columns=COLUMNS)
    async with folder() as where, AsyncExitStack() as stack:
        enter = stack.enter_async_context
        bare = await enter(targets.program(BARE, "bare", where))
        usual = [await enter(targets.program(USUAL_WAY, "usual", where))] if find_spec("fastapi") else []
        receiver = await enter(targets.gateway(RECEIVER, where))
        one = await enter(targets.gateway(ONE, where, targets.IDLE))
        apart = await enter(in_memory(IN_MEMORY, targets.IDLE))
        three = await enter(targets.gateway(THREE, where, *targets.THREE))
        found = await take_turns([bare, *usual, receiver, one, *apart, three], scale)
    result.rows = rows(f"{USUAL} bytes", found)
    by_name = {turns.target.name: turns for turns in found}
    one_turns = by_name[ONE]
    result.goals = [
        Goal(name=f"{ONE}, of {BARE}", value=statistics.median(one_turns.of(by_name[BARE])), goal=0.65),
        Goal(name=f"{ONE}: behind at the end, in seconds of load", value=max(one_turns.behind), goal=1, at_most=True),
    ]
    if USUAL_WAY in by_name:
        value = statistics.median(one_turns.of(by_name[USUAL_WAY]))
        result.goals.append(Goal(name=f"{ONE}, of {USUAL_WAY}", value=value, goal=2.2))
    return result


async def connections(scale: Scale) -> Result:
    """Few connections and many."""
    result = Result(title="Accepting, by connections", columns=COLUMNS)
    async with _three_servers() as servers:
        for count in scale.connections:
            found = await take_turns(servers, _shorter(scale), connections=count)
            result.rows += rows(f"{count:,} connections", found)
    return result


async def bodies(scale: Scale) -> Result:
    """Small bodies and large ones."""
    result = Result(title="Accepting, by size of body", columns=COLUMNS)
    async with _three_servers() as servers:
        for size in scale.sizes:
            result.rows += rows(f"{size:,} bytes", await take_turns(servers, _shorter(scale), size=size))
    return result


async def uvloop(scale: Scale) -> Result:
    """Python's own event loop and uvloop's."""
    result = Result(title="Accepting, by event loop", columns=COLUMNS)
    async with folder() as where, AsyncExitStack() as stack:
        enter = stack.enter_async_context
        servers = [
            await enter(targets.program(BARE, "bare", where)),
            await enter(targets.program(f"{BARE}, uvloop", "bare", where, uvloop=True)),
            await enter(targets.gateway(ONE, where, targets.IDLE)),
            await enter(targets.gateway(f"{ONE}, uvloop", where, targets.IDLE, uvloop=True)),
        ]
        result.rows = rows("asyncio and uvloop", await take_turns(servers, scale))
    return result


async def history(scale: Scale) -> Result:
    """A journal with a past beside one without."""
    result = Result(title="Accepting, by what the journal holds", columns=COLUMNS)
    async with folder() as where, AsyncExitStack() as stack:
        none = await stack.enter_async_context(targets.gateway("no events", where, targets.IDLE))
        past = await stack.enter_async_context(with_past(scale.history, where))
        found = await take_turns([none, past], msgspec.structs.replace(scale, turns=scale.history_turns))
    result.rows = rows("receiver + worker", found)
    value = statistics.median(found[1].of(found[0]))
    result.goals = [Goal(name=f"{scale.history:,} events in the journal, of none", value=value, goal=0.9)]
    return result


async def plugins(scale: Scale) -> Result:
    """Many plugins, each of which is given every event; they are not waited for, for the rate is that of accepting."""
    result = Result(title="Accepting, by plugins subscribed", columns=COLUMNS)
    async with folder() as where, AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(targets.gateway(f"{count} plugins", where, *[targets.IDLE] * count))
            for count in scale.plugins
        ]
        found = await take_turns(servers, scale, wait=False)
    result.rows = rows("receiver + worker", found)
    value = statistics.median(found[-1].of(found[0]))
    result.goals = [Goal(name=f"{scale.plugins[-1]} plugins, of {scale.plugins[0]}", value=value, goal=0.8)]
    return result


async def viewers(scale: Scale) -> Result:
    """The live page open in many browsers, and in none."""
    result = Result(title="Accepting, by open live pages", columns=COLUMNS)
    async with folder() as where, AsyncExitStack() as stack:
        none = await stack.enter_async_context(targets.gateway("no page open", where, targets.IDLE))
        many = await stack.enter_async_context(targets.gateway(f"{scale.viewers} pages open", where, targets.IDLE))
        with many.awake():
            for _ in range(scale.viewers):
                await stack.enter_async_context(watching(many))
        found = await take_turns([none, many], scale)
    result.rows = rows("receiver + worker", found)
    value = statistics.median(found[1].of(found[0]))
    result.goals = [Goal(name=f"{scale.viewers} pages open, of none", value=value, goal=0.9)]
    return result


@asynccontextmanager
async def with_past(events: int, where: Path, *, chats: int = CHATS) -> AsyncIterator[Target]:
    """A gateway that has handled so many events, of so many chats."""
    async with Gateway(where / "past") as one:
        one.plugin(NAME, targets.IDLE)
        await one.start()
        await one.stop()
        add_history(one.data, events, chats=chats)
        yield await targets.start(f"{events:,} events", one, targets.IDLE)


@asynccontextmanager
async def folder(within: Path | None = None) -> AsyncIterator[Path]:
    """A folder that goes with its block, where such folders are usual if not within another."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=within) as name:
        yield Path(name)


@asynccontextmanager
async def in_memory(name: str, *plugins: str) -> AsyncIterator[list[Target]]:
    """A gateway whose data is where no disk is: what it alone adds. Nothing where there is no such place or room."""
    if not (_MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM):
        yield []
        return
    async with folder(_MEMORY) as where, targets.gateway(name, where, *plugins) as one:
        yield [one]


@asynccontextmanager
async def _three_servers() -> AsyncIterator[list[Target]]:
    async with folder() as where, AsyncExitStack() as stack:
        enter = stack.enter_async_context
        yield [
            await enter(targets.program(BARE, "bare", where)),
            await enter(targets.gateway(RECEIVER, where)),
            await enter(targets.gateway(THREE, where, *targets.THREE)),
        ]


def _shorter(scale: Scale) -> Scale:
    """Several cases share the time of one."""
    return msgspec.structs.replace(scale, turns=min(scale.turns, 3))
