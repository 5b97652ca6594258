"""How long an event takes: from when it is to be sent, to its handler's first line, to its reply's request.

Servers take turns, as where rates are measured, and all turns of one are put together: a single turn has few
posts in its last hundredth, and most of those fall into one moment of the machine. All on one clock, the machine's
monotonic one. A metronome beats beside them (`bench.metronome`), and says which posts fell into a moment in which the
whole machine was slow. A sender that falls behind counts against the server, not for it.
Handlers that reply are measured apart: their requests, and the server that takes those, share the machine's cores.
"""

import math
import statistics
import time
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import msgspec
from aiohttp import web

from bench import targets
from bench.accept import BARE, folder, in_memory
from bench.bodies import template
from bench.client import Answered, Order, Outcome
from bench.load import beating, first_number, post
from bench.metronome import Pace
from bench.result import Goal, Result
from bench.scale import Scale
from bench.targets import Target
from tests.support.gateway import Gateway, free_port
from tests.support.waiting import until

COLUMNS: Final = (
    "events/s", "what", "p50 ms", "p99 ms", "p99.9 ms", "highest ms", "count", "p99 of the first's",
    "p99 ms at usual speed", "of the first's",
)  # fmt: skip
GOAL_RATE: Final = 500
ENOUGH: Final = 100
"""Posts that have a p99."""
CONNECTIONS: Final = 64
OURS: Final = "gateway"
REPLYING: Final = "replying"
FLUSHING: Final = "bare aiohttp + a flush"
"""What the disk alone adds: no receiver that loses nothing does less."""
IN_MEMORY: Final = "gateway in memory"

_NOTE: Final = """
@plugin.message()
async def handle(event, ctx):
    note(ctx)
"""
_ECHO: Final = """
@plugin.message()
async def echo(event, ctx):
    note(ctx)
    ctx.reply(ctx.delivery.id)
"""
_BARE_ANSWERED: Final = f"{BARE}: answered"
_ANSWERED_WITHIN: Final = 30.0  # seconds


class Sample(msgspec.Struct, frozen=True):
    """How long one post took."""

    millis: float
    is_usual: bool
    """The machine was as fast as it usually is."""


Turn = list[Sample]


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
            turns = scale.goal_turns if has_goal else scale.latency_turns
            found = await _take_turns(turns, rate, [*servers, *parts] if has_goal else servers, evolution, scale)
            result.rows += [_row(rate, what, each, found[_BARE_ANSWERED]) for what, each in found.items()]
            if has_goal:
                value = _p99(_all(found[f"{OURS}: handler entered"])) / _p99(_all(found[_BARE_ANSWERED]))
                name = f"p99 to the handler at {rate} events/s, of a bare request's"
                result.goals = [Goal(name=name, value=value, goal=3, at_most=True)]
    return result


async def _take_turns(
    turns: int, rate: int, servers: Sequence[Target], evolution: Evolution, scale: Scale
) -> dict[str, list[Turn]]:
    """By what is measured: its turns."""
    found: dict[str, list[Turn]] = {}
    for _ in range(turns):
        for target in servers:
            for what, turn in (await _measure(rate, target, evolution, scale)).items():
                found.setdefault(what, []).append(turn)
    return found


async def _measure(rate: int, target: Target, evolution: Evolution, scale: Scale) -> dict[str, Turn]:
    """By what is measured: one turn."""
    with target.awake():
        async with beating() as beats:
            outcome = await _post(target, rate, scale)
        pace = Pace(beats)

        def turn(took: Iterable[tuple[Answered, float]]) -> Turn:
            return [Sample(seconds * 1000, pace.was_usual(post.due)) for post, seconds in took]

        found = {f"{target.name}: answered": turn((each, each.seconds) for each in outcome.posts)}
        if target.gateway is None:
            return found
        posts = {each.id: each for each in outcome.posts}
        if target.name == REPLYING:
            await until(partial(evolution.has, posts), "replies left", within=_ANSWERED_WITHIN)
        entered = await _entered(target.gateway, posts.keys())
    found[f"{target.name}: handler entered"] = turn((post, entered[seq] - post.due) for seq, post in posts.items())
    if target.name == REPLYING:
        came = evolution.came
        found[f"{target.name}: reply leaves"] = turn((post, came[seq] - post.due) for seq, post in posts.items())
    return found


async def _entered(gateway: Gateway, seqs: Collection[int]) -> dict[int, float]:
    """By event, when its handler's first line ran. They note it, and write it down when no more come."""
    found: dict[int, float] = {}

    def is_complete() -> bool:
        found.update((record.seq, record.at) for record in gateway.records if record.seq in seqs)
        return len(found) == len(seqs)

    await until(is_complete, "all are handled", within=_ANSWERED_WITHIN)
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


def _row(rate: int, what: str, turns: Sequence[Turn], first: Sequence[Turn]) -> list[str | float]:
    """All turns together; the p99 also beside the first server's, and the lowest and highest in one turn of that."""
    millis = [each.millis for each in _all(turns)]
    p50, p99, p999 = (_quantile(millis, part) for part in (0.5, 0.99, 0.999))
    ratios = [_p99(mine) / _p99(theirs) for mine, theirs in zip(turns, first, strict=True)]
    ratio = f"{p99 / _p99(_all(first)):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    usual = _p99_at_usual_speed(turns)
    beside = f"{usual / _p99_at_usual_speed(first):.1f}"
    return [rate, what, p50, p99, p999, max(millis), len(millis), ratio, usual, beside]


def _all(turns: Sequence[Turn]) -> Turn:
    return [each for turn in turns for each in turn]


def _p99(turn: Turn) -> float:
    return _quantile([each.millis for each in turn], 0.99)


def _p99_at_usual_speed(turns: Sequence[Turn]) -> float:
    """The median over the turns of which enough is left; NaN where none is."""
    left = [[each for each in turn if each.is_usual] for turn in turns]
    return statistics.median([_p99(turn) for turn in left if len(turn) >= ENOUGH] or [math.nan])


def _quantile(values: Sequence[float], part: float) -> float:
    return statistics.quantiles(values, n=1000)[round(part * 1000) - 1]
