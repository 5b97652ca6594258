"""What works together in a worker: the engine and the outbox, over one store and one view of the journal.

Of its own, because two run it: the worker's process, and the test kit inside a test.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from gateway.config import Config
from gateway.log import Level, Line, write_lines
from gateway.plugins.loader import Loaded
from gateway.work import Batch, Message, Settled, WorkStore
from gateway.work.batch import Status
from gateway.worker.effects import describe
from gateway.worker.engine import Engine
from gateway.worker.intake import Intake
from gateway.worker.loading import SENDS_TO, facts, redactor_for
from gateway.worker.outbox.opening import open_outbox
from gateway.worker.outbox.outbox import Outbox

_LEVELS: Final[Mapping[Status, Level]] = {"dead": "error", "waiting": "warning", "skipped": "debug"}


class Crew:
    """Begin, let the engine run, close. `changed` hears of events whose deliveries or messages changed, on disk."""

    def __init__(
        self,
        config: Config,
        loaded: Loaded,
        store: WorkStore,
        intake: Intake,
        *,
        changed: Callable[[Sequence[int]], None],
        trouble: Callable[[str, str | None], None],
        settled: Callable[[Sequence[Settled]], None] = lambda _batch: None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`settled` hears how attempts ended, once that is on disk; `clock` gives unix seconds, for a test to move."""
        self._loaded = loaded
        self._store = store
        self._intake = intake
        self._changed = changed
        self._tell = settled
        self._sends_to = config.evolution.url if config.evolution.apikey else None
        self.engine = Engine(
            config=config,
            plugins=[each.plugin for each in loaded.plugins],
            store=store,
            intake=intake,
            redactor=redactor_for(config, loaded),
            settled=self._on_settled,
            trouble=trouble,
            clock=clock,
            requeued=self._send,
        )
        self.outbox: Outbox | None = None
        """None without a key: then messages are only shown."""
        if config.evolution.apikey:
            own, now = self.engine.own_messages, self.engine.now
            self.outbox = open_outbox(config, store, intake, own, clock=now, changed=changed, trouble=trouble)

    async def begin(self) -> None:
        """Say what is loaded, and take up what an earlier worker left."""
        await self._store.write(Batch(facts={**facts(self._loaded), SENDS_TO: self._sends_to}))
        if self.outbox:
            self.outbox.add(self._store.open_messages())
        await self.engine.begin()

    def wake(self) -> None:
        """An event came, or the clock was moved."""
        self.engine.wake()
        if self.outbox:
            self.outbox.wake()

    async def until_quiet(self, seq: int) -> None:
        """Return once nothing is left to do about the events to this number before time passes."""
        await self.engine.until_settled(seq)
        if self.outbox:
            await self.outbox.until_quiet()

    def next_due(self) -> float | None:
        """Unix seconds at which something that waits is due; None when nothing waits."""
        dues = [self.engine.next_due(), self.outbox.next_due if self.outbox else None]
        return min((due for due in dues if due is not None), default=None)

    async def close(self, grace: float, *, suspects: bool = False) -> None:
        """After the engine has run: settle what is left, as `Engine.stop` does, and close all files."""
        await self.engine.stop(grace, suspects=suspects)
        if self.outbox:
            await self.outbox.close(grace)
        await self._intake.close()
        await self._store.close()

    def _send(self, messages: Sequence[Message]) -> None:
        if self.outbox:
            self.outbox.add(messages)

    def _on_settled(self, batch: Sequence[Settled]) -> None:
        if not batch:
            return
        write_lines(map(_line, batch))
        self._send([message for each in batch for message in each.messages if message.status == "queued"])
        self._tell(batch)
        self._changed([each.delivery.seq for each in batch])


def _line(settled: Settled) -> Line:
    fact = "handled" if settled.status == "done" else f"delivery_{settled.status}"
    return Line(_LEVELS.get(settled.status, "info"), fact, describe(settled), settled.delivery.seq, settled.millis)
