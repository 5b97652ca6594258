"""A worker's engine on a real journal and a real work store, with plugins made in code."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway import Context, MessagesUpsert, config
from gateway.config import Config, Secret
from gateway.envelope import read_envelope
from gateway.journal import Arrival, Journal
from gateway.plugins import Plugin
from gateway.redact import Redactor
from gateway.work import Message, Settled, WorkStore
from gateway.worker.engine import Engine
from gateway.worker.host import Host
from gateway.worker.intake import Intake

ANA = "5511999990002@s.whatsapp.net"
BIA = "5511999990003@s.whatsapp.net"
CANARY = "canary-4711-apikey"
BEGIN = "BEGIN"
_NUMBERS = count(1)


def fill_up(store: WorkStore) -> None:
    """Let the store find no more room, as on a full disk."""
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")


def make_room(store: WorkStore) -> None:
    store._connection.execute("PRAGMA max_page_count = 1000000")


def message(text: str, chat: str = ANA) -> bytes:
    """A `messages.upsert`, another one with each call."""
    n = next(_NUMBERS)
    key = {"remoteJid": chat, "fromMe": False, "id": f"3EB0{n:08d}"}
    data = {
        "key": key,
        "messageType": "conversation",
        "message": {"conversation": text},
        "messageTimestamp": 1761300549,
    }
    return body("messages.upsert", data)


def body(event: str, data: object) -> bytes:
    envelope = {"event": event, "instance": "shop-1", "data": data, "apikey": CANARY, "date_time": "2026-01-01T00:00"}
    return orjson.dumps(envelope)


def arrival(raw: bytes) -> Arrival:
    return Arrival(read_envelope(raw, None), raw, None, "127.0.0.1", time.perf_counter())


class Gate:
    """Handlers wait at it, on whichever thread and loop they run; open from the start of nobody."""

    def __init__(self) -> None:
        self._opened: Future[None] = Future()

    def open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    async def passed(self) -> None:
        await asyncio.shield(asyncio.wrap_future(self._opened))

    def wait(self) -> None:
        self._opened.result(10)


class Bench:
    """Everything around an engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1_800_000_000.0
        """What the engine takes for the time, in unix seconds."""
        self.settled: list[Settled] = []
        self.troubles: list[str | None] = []
        """What people were told, and None where that was over."""
        self.requeued: list[Message] = []
        """Dead messages that the outbox was given again."""
        self.seen: list[Any] = []
        """What handlers noted."""
        self.running: asyncio.Task[None]
        """The last engine at work."""
        self._loop = asyncio.get_running_loop()
        self._tick = asyncio.Event()
        self._hosts: list[Host] = []
        self._journal = Journal(folder)

    async def post(self, *bodies: bytes) -> list[int]:
        """Accept events, in order; gives their numbers."""
        return [(await self._journal.append(arrival(raw))).seq for raw in bodies]

    def note(self, value: object) -> None:
        """For handlers, from any thread."""
        self.seen.append(value)
        self._loop.call_soon_threadsafe(self._tick.set)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what handlers note and the engine settles to make it so."""
        async with asyncio.timeout(10):
            while not condition():
                self._tick.clear()
                await self._tick.wait()

    def note_commits(self, store: WorkStore) -> None:
        """Note each commit of the store as it begins, those that fail included."""
        store._connection.set_trace_callback(lambda sql: self.note(BEGIN) if sql.startswith(BEGIN) else None)

    def outcomes(self, plugin: str | None = None) -> list[tuple[int, str]]:
        """Event and status of every delivery settled for good, in the order in which that happened."""
        return [
            (each.delivery.seq, each.status)
            for each in self.settled
            if each.status != "waiting" and plugin in (None, each.delivery.plugin)
        ]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What is on disk in work.db."""
        with contextlib.closing(sqlite3.connect(self.folder / "work.db")) as connection:
            return connection.execute(sql).fetchall()

    @contextlib.asynccontextmanager
    async def worker(
        self,
        *plugins: Plugin[Any, Any],
        apikey: str = "",
        stuck: float = 120,
        dies: bool = False,
        **delivery: Any,  # noqa: ANN401 -- any setting of `delivery`
    ) -> AsyncIterator[Engine]:
        """An engine at work; with `dies` it ends like a killed process, without a last word."""
        store = WorkStore(self.folder)
        intake = await Intake.open(self.folder, 0.02)
        engine = Engine(
            config=Config(
                data=self.folder,
                delivery=config.Delivery(**delivery),
                worker=config.Worker(stuck=stuck),
                evolution=config.Evolution(apikey=Secret(apikey)),
            ),
            plugins=plugins,
            store=store,
            intake=intake,
            redactor=Redactor(),
            settled=self._on_settled,
            trouble=lambda _about, sentence: self.troubles.append(sentence),
            clock=lambda: self.now,
            requeued=self.requeued.extend,
        )
        self.running = running = asyncio.create_task(engine.run())
        try:
            yield engine
            if not dies:
                await engine.drain(0.2)
                await running
                await engine.stop(1)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for each in engine._running.values():
                if not each.host._is_stopping:
                    each.host.stop()
                self._hosts.append(each.host)
            await intake.close()
            await store.close()

    async def close(self) -> None:
        """A process would end here, with all that handlers left running; a test has to wait for it."""
        for host in self._hosts:
            await asyncio.to_thread(end, host)
        await self._journal.close()

    def _on_settled(self, settled: Sequence[Settled]) -> None:
        self.settled += settled
        self._tick.set()


def waiting(bench: Bench, gate: Gate, name: str = "busy") -> Plugin[Any, Any]:
    """A plugin whose handler notes that it has begun, and waits at a gate."""
    plugin = Plugin(name)

    @plugin.message()
    async def wait(event: MessagesUpsert, ctx: Context) -> None:
        del event, ctx
        bench.note("begun")
        await gate.passed()

    return plugin


def end(host: Host) -> None:
    """Let go of a stopped host's thread and loop."""
    host._thread.join()
    loop = host._loop
    if loop.is_closed():
        return
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Opened at the end of the test, so that nothing waits on."""
    gate = Gate()
    yield gate
    gate.open()
