"""How long an event takes: from when it is to be sent, to its handler's first line, to its reply's request.

Servers take turns, as where rates are measured: one stall of the disk spoils a turn, and not all of them. All on one
clock, the machine's monotonic one. A sender that falls behind counts against the server, not for it.
Handlers that reply are measured apart: their requests, and the server that takes those, share the machine's cores.
"""

import statistics
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web

from bench import targets
from bench.accept import BARE, folder, in_memory
from bench.bodies import template
from bench.client import Order, Outcome
from bench.load import first_number, post
from bench.result import Goal, Result, spread
from bench.scale import Scale
from bench.targets import Target
from tests.support.gateway import free_port
from tests.support.waiting import until

COLUMNS: Final = ("events/s", "what", "p50 ms", "p99 ms", "p99.9 ms", "highest ms", "count", "p99 of the first's")
GOAL_RATE: Final = 500
CONNECTIONS: Final = 64
OURS: Final = "gateway"
REPLYING: Final = "replying"
FLUSHING: Final = "bare aiohttp + a flush"
"""What the disk alone adds: no receiver that loses nothing does less."""
IN_MEMORY: Final = "gateway in memory"

_NOTE: Final = """
@plugin.message()
async def note(event, ctx):
    record(ctx)
"""
_ECHO: Final = """
@plugin.message()
async def echo(event, ctx):
    record(ctx)
    ctx.reply(ctx.delivery.id)
"""
_BARE_ANSWERED: Final = f"{BARE}: answered"
_ANSWERED_WITHIN: Final = 30.0  # seconds


class Evolution:
    """Takes replies, and notes when each came. Each says the delivery it answers."""

    def __init__(self) -> None:
        self.came: dict[int, float] = {}
        """By event: monotonic seconds."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Serve on 127.0.0.1; gives the URL."""
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()

    def has(self, seqs: Collection[int]) -> bool:
        """Whether replies to all these events came."""
        return all(seq in self.came for seq in seqs)

    async def _take(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        if request.method != "POST":
            return web.json_response([])
        seq = int(str((await request.json())["text"]).partition(".")[0])
        self.came[seq] = now
        return web.json_response({"key": {"id": f"BAE5{seq:012d}"}, "status": "PENDING"}, status=201)


async def latency(scale: Scale) -> Result:
    """A bare server, the gateway, and one whose handlers reply, at each rate; at one rate, what the disk has in it."""
    result = Result(title="Latency", columns=COLUMNS)
    evolution = Evolution()
    async with folder() as where, AsyncExitStack() as stack:
        enter = stack.enter_async_context
        url = await enter(evolution.listening())
        servers = [
            await enter(targets.program(BARE, "bare", where)),
            await enter(targets.gateway(OURS, where, _NOTE)),
            await enter(
                targets.gateway(REPLYING, where, _ECHO, settings={"evolution": {"url": url, "apikey": "bench"}})
            ),
        ]
        parts = [
            await enter(targets.program(FLUSHING, "flushing", where)),
            *await enter(in_memory(IN_MEMORY, _NOTE)),
        ]
        for rate in scale.rates:
            has_goal = rate == GOAL_RATE or len(scale.rates) == 1
            found = await _take_turns(rate, [*servers, *parts] if has_goal else servers, evolution, scale)
            result.rows += [_row(rate, what, turns, found[_BARE_ANSWERED]) for what, turns in found.items()]
            if has_goal:
                value = statistics.median(_ratios(found[f"{OURS}: handler entered"], found[_BARE_ANSWERED]))
                name = f"p99 to the handler at {rate} events/s, of a bare request's"
                result.goals = [Goal(name=name, value=value, goal=3, at_most=True)]
    return result


async def _take_turns(
    rate: int, servers: Sequence[Target], evolution: Evolution, scale: Scale
) -> dict[str, list[list[float]]]:
    """By what is measured: of each turn, the milliseconds of each post."""
    found: dict[str, list[list[float]]] = {}
    for _ in range(scale.latency_turns):
        for target in servers:
            for what, millis in (await _measure(rate, target, evolution, scale)).items():
                found.setdefault(what, []).append(millis)
    return found


async def _measure(rate: int, target: Target, evolution: Evolution, scale: Scale) -> dict[str, list[float]]:
    """By what is measured: milliseconds of each post."""
    with target.awake():
        outcome = await _post(target, rate, scale)
        found = {f"{target.name}: answered": [each.seconds * 1000 for each in outcome.posts]}
        if target.gateway is None:
            return found
        posts = {each.id: each for each in outcome.posts}
        if target.name == REPLYING:
            await until(partial(evolution.has, posts), "replies left", within=_ANSWERED_WITHIN)
        await until(lambda: not target.behind(), "all are handled", within=_ANSWERED_WITHIN)
    entered = {record.seq: record.at for record in target.gateway.records if record.seq in posts}
    found[f"{target.name}: handler entered"] = [(entered[seq] - post.due) * 1000 for seq, post in posts.items()]
    if target.name == REPLYING:
        came = evolution.came
        found[f"{target.name}: reply leaves"] = [(came[seq] - post.due) * 1000 for seq, post in posts.items()]
    return found


async def _post(target: Target, rate: int, scale: Scale) -> Outcome:
    return await post(
        Order(
            port=target.port,
            connections=CONNECTIONS,
            seconds=scale.latency_seconds,
            form=template(),
            first=first_number(),
            rate=rate,
        )
    )


def _row(rate: int, what: str, turns: Sequence[Sequence[float]], first: Sequence[Sequence[float]]) -> list[str | float]:
    """All turns together, and what each turn's p99 is of the first server's in the same turn."""
    millis = [each for turn in turns for each in turn]
    beside = spread(_ratios(turns, first), 1)
    return [rate, what, *(_quantile(millis, part) for part in (0.5, 0.99, 0.999)), max(millis), len(millis), beside]


def _ratios(turns: Sequence[Sequence[float]], first: Sequence[Sequence[float]]) -> list[float]:
    return [_quantile(mine, 0.99) / _quantile(theirs, 0.99) for mine, theirs in zip(turns, first, strict=True)]


def _quantile(values: Sequence[float], part: float) -> float:
    return statistics.quantiles(values, n=1000)[round(part * 1000) - 1]
