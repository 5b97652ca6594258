"""An outbox on a real work store and journal, in front of a played Evolution."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Config, Evolution, Outbox, Secret
from gateway.journal import Journal
from gateway.testing.evolution import EvolutionServer
from gateway.work import Batch, Delivery, Message, OutboxReader, Settled, WorkReader, WorkStore
from gateway.work.reader import OutboxRow
from gateway.worker.intake import Intake
from gateway.worker.outbox.opening import open_outbox
from gateway.worker.outbox.outbox import Outbox as Queues
from gateway.worker.outbox.waiting import Tempo

ANA, BIA = "5511999990002@s.whatsapp.net", "5511999990003@s.whatsapp.net"
WITHIN = 10.0  # seconds
QUICK = Tempo(down=(0.02,), too_much=(0.05,), fault=(0.01,), looks=(0.05,))


class Desk:
    """Queues messages as settled deliveries do, and tells what became of them."""

    def __init__(self, folder: Path, store: WorkStore, journal: Journal, intake: Intake) -> None:
        self.folder = folder
        self.store = store
        self.journal = journal
        self._intake = intake
        self.later = 0.0
        """Seconds by which the outbox's clock is ahead."""
        self.troubles: dict[str, str | None] = {}
        self.changes: list[int] = []
        self._tick = asyncio.Event()
        self._next = 1

    async def queue(self, *texts: str, target: str = ANA, age: float = 0, **more: Any) -> list[Message]:  # noqa: ANN401
        """Settle a delivery whose handler queued these texts."""
        return await self.put(*[("text", {"text": text}) for text in texts], target=target, age=age, **more)

    async def put(
        self,
        *sends: tuple[str, dict[str, Any]],
        target: str = ANA,
        age: float = 0,
        **more: Any,  # noqa: ANN401
    ) -> list[Message]:
        """The same for messages of any kind."""
        seq = self._next
        self._next += len(sends)
        messages = [
            Message(
                id=seq + n, seq=seq, plugin="p", run=0, n=n + 1, instance="shop-1", target=target, kind=kind,
                payload=payload, created=self.now() - age, **more,
            )
            for n, (kind, payload) in enumerate(sends)
        ]  # fmt: skip
        delivery = Delivery(id=seq, seq=seq, plugin="p", lane="lane")
        settled = Settled(delivery=delivery, status="done", started=0, millis=0, messages=tuple(messages))
        await self.store.write(Batch(taken=[delivery], settled=[settled]))
        return messages

    def now(self) -> float:
        return time.time() + self.later

    @contextlib.asynccontextmanager
    async def outbox(
        self,
        url: str,
        *,
        grace: float = 5,
        apikey: str = "key",
        tempo: Tempo = QUICK,
        **settings: Any,  # noqa: ANN401
    ) -> AsyncIterator[Queues]:
        own = OutboxReader(self.folder / "work.db")
        config = Config(
            data=self.folder,
            evolution=Evolution(url=url, apikey=Secret(apikey), version="2"),
            outbox=Outbox(**{"pace": "off", "settle": 0.5, **settings}),
        )
        outbox = open_outbox(
            config, self.store, self._intake, own, clock=self.now, changed=self._on_changed,
            tempo=tempo, trouble=lambda about, sentence: self.troubles.update({about: sentence}),
        )  # fmt: skip
        try:
            yield outbox
        finally:
            await outbox.close(grace)
            own.close()

    async def deliver(self, url: str, messages: Sequence[Message], **settings: Any) -> None:  # noqa: ANN401
        """Take messages to their ends."""
        async with self.outbox(url, **settings) as outbox:
            outbox.add(messages)
            await self.until_settled()

    def rows(self) -> list[OutboxRow]:
        with contextlib.closing(WorkReader(self.folder)) as reader:
            return [row for rows in reader.outbox(list(range(1, self._next))).values() for row in rows]

    def statuses(self) -> list[str]:
        return [row.status for row in self.rows()]

    async def until(self, *statuses: str) -> None:
        """Wait until the rows on disk, in order, stand like this."""
        await self.until_true(lambda: self.statuses() == list(statuses))

    async def until_settled(self) -> None:
        """Wait until no message is left to send."""
        await self.until_true(lambda: not {"queued", "sending"} & set(self.statuses()))

    async def until_true(self, condition: Callable[[], bool]) -> None:
        """Wait for news that makes it so."""
        async with asyncio.timeout(WITHIN):
            while not condition():
                self._tick.clear()
                await self._tick.wait()

    def _on_changed(self, seqs: Sequence[int]) -> None:
        self.changes += seqs
        self._tick.set()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store, journal = WorkStore(tmp_path), Journal(tmp_path)
    intake = await Intake.open(tmp_path, 0.02)
    yield Desk(tmp_path, store, journal, intake)
    await intake.close()
    await journal.close()
    await store.close()


@pytest.fixture
async def server() -> AsyncIterator[EvolutionServer]:
    async with EvolutionServer(apikey="key", typing_scale=0, hang=0.3) as server:
        yield server
