"""What one attempt costs in its plugin's thread, by what its handler does: the CPU of that thread alone."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import bodies
from bench.result import Goal, Result
from bench.scale import Scale
from gateway import Context, MessagesUpsert, Plugin
from gateway.config import Config, Delivery
from gateway.redact import Redactor
from gateway.work import Delivery as OneDelivery
from gateway.work import OutboxReader, WorkStore
from gateway.work.state import StateReader
from gateway.work.store import WORK
from gateway.worker.around import Around
from gateway.worker.attempt import Job
from gateway.worker.host import Host
from gateway.worker.verdict import Ended
from tests.support.stored import stored

BATCH: Final = 32
"""Attempts handed over at once."""
BATCHES: Final = 50

Function = Callable[[MessagesUpsert, Context], Awaitable[None] | None]


async def nothing(_event: MessagesUpsert, _ctx: Context) -> None:
    """Do nothing."""


async def wait(_event: MessagesUpsert, _ctx: Context) -> None:
    """Wait for one turn of the loop."""
    await asyncio.sleep(0)


async def answer(_event: MessagesUpsert, ctx: Context) -> None:
    """Queue a message."""
    ctx.reply("pong")


async def remember(_event: MessagesUpsert, ctx: Context) -> None:
    """Read and change what is remembered of the sender."""
    ctx.state["seen"] = ctx.state.get("seen", 0) + 1


def nothing_in_a_thread(_event: MessagesUpsert, _ctx: Context) -> None:
    """Do nothing, as a `def` handler."""


HANDLERS: Final[Mapping[str, Function]] = {
    "does nothing": nothing,
    "waits once": wait,
    "answers": answer,
    "remembers": remember,
    "does nothing, written def": nothing_in_a_thread,
}


async def handling(scale: Scale) -> Result:
    """Microseconds for each kind of handler, in its quickest round."""
    found = {name: await _measure(function, scale.rounds) for name, function in HANDLERS.items()}
    return Result(
        title=f"One attempt in its plugin's thread, {bodies.USUAL} bytes, {BATCH} handed over at once",
        columns=("its handler", "µs of CPU"),
        rows=[[name, micros] for name, micros in found.items()],
        goals=[
            Goal(name="an attempt whose handler does nothing, µs", value=found["does nothing"], goal=25, at_most=True)
        ],
    )


async def _measure(function: Function, rounds: int) -> float:
    plugin: Plugin[Any, Any] = Plugin("bot")
    plugin.message()(function)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, ends = WorkStore(folder), Ends()
        around = Around.of(Config(data=folder), OutboxReader(folder / WORK), time.time)
        host = Host(
            plugin,
            Delivery(),
            Redactor(),
            lambda: ends.note(host.results.collect()),
            state=StateReader(folder),
            around=around,
        )
        try:
            return min([await _round(host, ends, number * BATCH * BATCHES) for number in range(rounds)])
        finally:
            host.stop()
            await store.close()


class Ends:
    """Counts attempts that have ended."""

    def __init__(self) -> None:
        self._open = 0
        self._all = asyncio.Event()

    async def of(self, host: Host, jobs: Sequence[Job]) -> None:
        """Hand jobs over and wait until all have ended."""
        self._open = len(jobs)
        self._all.clear()
        host.start(jobs)
        await self._all.wait()

    def note(self, results: Sequence[Ended]) -> None:
        """Some have."""
        if failed := [each.error for each in results if each.result != "done"]:
            raise RuntimeError(failed[0])
        self._open -= len(results)
        if not self._open:
            self._all.set()


async def _round(host: Host, ends: Ends, first: int) -> float:
    """CPU of the plugin's thread for one attempt, in microseconds."""
    form = bodies.template()
    batches = [[_job(form, first + BATCH * at + n + 1) for n in range(BATCH)] for at in range(BATCHES)]
    clock = time.pthread_getcpuclockid(host.thread)
    began = time.clock_gettime(clock)
    for jobs in batches:
        await ends.of(host, jobs)
    return (time.clock_gettime(clock) - began) / (BATCH * BATCHES) * 1e6


def _job(form: bytes, seq: int) -> Job:
    event = stored(bodies.body(form, seq), seq)
    return Job(OneDelivery(id=seq, seq=seq, plugin="bot", lane=event.lane), event)
