"""What a long past costs: a gateway with 1,000,000 events in its journal beside one with none, in turns."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Final

import msgspec

from gateway.sqlite import open_reader
from tests.support.bodies import messages
from tests.support.gateway import Gateway
from torture import bot
from torture.client import blast
from torture.history import add_history
from torture.machine import megabytes

NAME: Final = "million"
ROWS: Final = 1_000_000
TURNS: Final = 4
POSTS: Final = 8_000
STARTS: Final = 3
"""Starts after a stop, and as many after a kill, a turn."""
COLUMNS: Final = ("journal", "ready", "after kill -9", "worker works", "accepted/s", "receiver", "worker", "wrong")


class Figures(msgspec.Struct, kw_only=True):
    """Of one of the two; seconds, posts a second, MiB."""

    name: str
    ready: list[float] = msgspec.field(default_factory=list)
    ready_after_kill: list[float] = msgspec.field(default_factory=list)
    works: list[float] = msgspec.field(default_factory=list)
    rates: list[float] = msgspec.field(default_factory=list)
    memory: list[dict[str, float]] = msgspec.field(default_factory=list)
    wrong: list[str] = msgspec.field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """Medians, in the order of the columns."""
        receiver, worker = (statistics.median(each[half] for each in self.memory) for half in ("receiver", "worker"))
        return (
            self.name,
            f"{statistics.median(self.ready):.2f} s",
            f"{statistics.median(self.ready_after_kill):.2f} s",
            f"{statistics.median(self.works):.2f} s",
            f"{statistics.median(self.rates):.0f} ({', '.join(f'{rate:.0f}' for rate in self.rates)})",
            f"{receiver:.0f} MiB",
            f"{worker:.0f} MiB",
            "; ".join(self.wrong[:3]) or "nothing",
        )


async def compare(rows: int = ROWS) -> list[Figures]:
    """Take turns: empty, full, empty, full, and so on."""
    figures = [Figures(name="empty"), Figures(name=f"{rows:,} rows")]
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        async with AsyncExitStack() as stack:
            gateways = [await stack.enter_async_context(Gateway(Path(folder) / one.name)) for one in figures]
            for gateway in gateways:
                await _prepare(gateway)
            began = time.monotonic()
            add_history(gateways[1].data, rows)
            size = (gateways[1].data / "journal.db").stat().st_size
            figures[1].name += f", {size / 2**30:.1f} GiB, made in {time.monotonic() - began:.0f} s"
            for turn in range(TURNS):
                for gateway, one in zip(gateways, figures, strict=True):
                    await _take_turn(gateway, one, messages(POSTS, first=turn * POSTS, chats=200))
    return figures


async def _prepare(gateway: Gateway) -> None:
    """Let it run once, so that its files are there."""
    gateway.plugin(bot.NAME, bot.SOURCE)
    await gateway.start()
    await gateway.stop()


async def _take_turn(gateway: Gateway, figures: Figures, bodies: Sequence[bytes]) -> None:
    for _ in range(STARTS):
        figures.ready.append(await _start(gateway, figures))
        await gateway.kill()
        figures.ready_after_kill.append(await _start(gateway, figures))
        await gateway.stop()
    await gateway.start()
    report = await blast(gateway, bodies)
    await gateway.settled(within=120)
    figures.rates.append(report.rate)
    figures.memory.append(megabytes(gateway))
    figures.wrong += _wrong(gateway.data, report.acknowledged)
    if set(report.statuses) != {202}:
        figures.wrong.append(f"answers were {report.statuses}")
    await gateway.stop()


def _wrong(data: Path, acknowledged: dict[bytes, int]) -> list[str]:
    """What is not stored as posted, or not done; nothing if all is well."""
    first = min(acknowledged.values())
    with closing(open_reader(data / "journal.db")) as journal, closing(open_reader(data / "work.db")) as work:
        stored = dict(journal.execute("SELECT body, seq FROM event WHERE seq >= ?", (first,)))
        done = {seq for (seq,) in work.execute("SELECT seq FROM delivery WHERE status = 'done' AND seq >= ?", (first,))}
    lost = [f"{seq} is not stored" for body, seq in acknowledged.items() if stored.get(body) != seq]
    return lost + [f"{seq} is not done" for seq in acknowledged.values() if seq not in done]


async def _start(gateway: Gateway, figures: Figures) -> float:
    """Seconds until events are accepted; notes those until they are handled."""
    began = time.monotonic()
    gateway.spawn()
    await gateway.accepts()
    ready = time.monotonic() - began
    await gateway.works()
    figures.works.append(time.monotonic() - began)
    return ready
