"""One tortured gateway: its load, what happens to it, and what is found at the end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import closing
from random import Random
from typing import Final

import msgspec

from gateway.journal import StoredEvent
from gateway.sqlite import open_reader
from gateway.work import DeliveryRow
from tests.support import records
from tests.support.bodies import messages
from tests.support.evidence import Evidence, lost, out_of_order, repeated, unhandled, unsettled
from tests.support.gateway import Gateway, read_deliveries
from tests.support.waiting import until
from torture.bot import NAME, SOURCE
from torture.effects import Effects, Reply, read_effects, repeated_effects
from torture.table import Row

CHATS: Final = 40
TAKEN: Final = "messages.upsert"
"""The event that the bot takes; an Evolution that is played posts others besides."""
SETTLED_WITHIN: Final = 300.0  # seconds


class Stage:
    """What a fault gets to play with. Start the gateway, do the worst, leave it running."""

    def __init__(self, gateway: Gateway, random: Random, rounds: int) -> None:
        self.gateway = gateway
        self.random = random
        self.rounds = rounds
        self.sends = False
        """Replies leave."""
        self.sender = gateway.sender(connections=32)
        self.acknowledged: dict[bytes, int] = {}
        """What others than `sender` had acknowledged, by body."""
        self.notes: list[str] = []
        self.failures: list[str] = []
        self.calls_once = False
        """Nothing here is a reason to call a handler again."""
        self.kept: dict[int, StoredEvent] = {}
        """Every event that was ever seen in the journal, by number."""
        self._deliveries: dict[int, DeliveryRow] = {}
        self._replies: dict[int, Reply] = {}
        self._posted = 0
        self._enough = False
        gateway.plugin(NAME, SOURCE)

    def bodies(self, count: int) -> list[bytes]:
        """So many messages that were not posted before."""
        self._posted += count
        return messages(count, first=self._posted - count, chats=CHATS)

    async def post(self, count: int) -> None:
        """Post new messages until they are acknowledged, and wait until they are handled."""
        await self.sender.post_all(self.bodies(count))
        await self.settled()

    async def settled(self) -> None:
        """Wait until every event is handled, and every reply has left."""
        await self.gateway.settled(within=SETTLED_WITHIN)
        if self.sends:
            await until(self._have_all_left, "every reply has left", within=SETTLED_WITHIN)

    async def under_load(self, strike: Callable[[], Awaitable[None]], *, pause: float = 0.02) -> None:
        """Post without an end, each connection resting so many seconds, and strike once a round, at a random moment."""
        self.sender.pause = pause
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.sender.post_all(self._endless()))
            for _ in range(self.rounds):
                await self.reached(len(self.sender.acknowledged) + self.random.randrange(20, 600))
                await asyncio.sleep(self.random.uniform(0, 0.03))
                await strike()
            await self.reached(len(self.sender.acknowledged) + 20)
            self._enough = True
        self.sender.pause = 0.0

    def _endless(self) -> Iterator[bytes]:
        self._enough = False
        while not self._enough:
            yield self.bodies(1)[0]

    async def reached(self, count: int) -> None:
        """Wait until so many are acknowledged."""
        await until(lambda: len(self.sender.acknowledged) >= count, f"{count} are acknowledged", within=60)

    async def handlers_run(self) -> None:
        """Wait until a handler is called that was not called before."""
        file = self.gateway.folder / records.FILE
        before = file.stat().st_size if file.exists() else 0
        await until(lambda: file.exists() and file.stat().st_size > before, "handlers run", within=60)

    def expect(self, holds: object, what: str) -> None:
        """Note what must be and is not."""
        if not holds:
            self.failures.append(what)

    def keep(self) -> None:
        """Remember what is on disk, before a fault destroys some of it, and retention what belonged to it."""
        self._keep(self.gateway.events())
        self._deliveries |= {row.id: row for row in read_deliveries(self.gateway.data, list(self.kept))}
        self._replies |= {reply.id: reply for reply in read_effects(self.gateway.data).replies}

    def evidence(self, plugins: Iterable[str] = (NAME,)) -> Evidence:
        """Everything that is known now."""
        self.keep()
        answers = {body: answer.id for body, answer in self.sender.acknowledged.items()}
        return Evidence(
            acknowledged={**self.acknowledged, **answers},
            journal={seq: event for seq, event in self.kept.items() if event.event == TAKEN},
            records=self.gateway.records,
            deliveries=list(self._deliveries.values()),
            plugins=list(plugins),
        )

    def effects(self) -> Effects:
        """What the bot has done, as far as that was kept."""
        counters = read_effects(self.gateway.data).counters
        replies = sorted(self._replies.values(), key=lambda each: each.seq)
        return Effects(replies, counters)

    def row(self, fault: str, began: float) -> Row:
        """What it has come to."""
        evidence = self.evidence()
        self.expect({answer.status for answer in self.sender.refused} <= {503}, "there were answers but 2xx and 503")
        if self.calls_once:
            self.expect(not repeated(evidence.records), f"called again: {repeated(evidence.records)[:5]}")
        return msgspec.structs.replace(
            judge(evidence, self.effects()),
            fault=fault,
            rounds=self.rounds,
            failures=self.failures,
            note="; ".join(self.notes),
            seconds=round(time.monotonic() - began, 1),
        )

    def _keep(self, found: Mapping[int, StoredEvent]) -> None:
        """Two events may never have one number, whatever became of the first; a damaged row is none."""
        for seq, event in found.items():
            kept = self.kept.setdefault(seq, event)
            self.expect(kept.body == event.body or not event.intact, f"number {seq} was given twice")

    def _have_all_left(self) -> bool:
        with closing(open_reader(self.gateway.data / "work.db")) as work:
            return not work.execute("SELECT count(*) FROM outbox WHERE status IN ('queued', 'sending')").fetchone()[0]


def judge(evidence: Evidence, effects: Effects) -> Row:
    """Count what is wrong."""
    return Row(
        acknowledged=len(evidence.acknowledged),
        handled=sum(row.status == "done" for row in evidence.deliveries if row.plugin == NAME),
        lost=[*lost(evidence), *unhandled(evidence), *unsettled(evidence)],
        out_of_order=list(out_of_order(evidence)),
        repeated=repeated_effects(evidence, effects),
    )
