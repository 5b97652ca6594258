"""The engine's commits, one after the other, and what follows once each is on disk."""

import asyncio
from collections.abc import Callable, Sequence

from gateway.log import log
from gateway.work import Batch, Message, Settled, WorkStore
from gateway.work.begun import Begun


class Writing:
    """Of one engine. `settled` hears how attempts ended, `requeued` which messages are to be sent after all."""

    def __init__(
        self,
        store: WorkStore,
        begun: Begun,
        *,
        settled: Callable[[Sequence[Settled]], None],
        requeued: Callable[[Sequence[Message]], None],
    ) -> None:
        self._store = store
        self._begun = begun
        self._tell = settled
        self._requeue = requeued
        self._last: asyncio.Task[None] | None = None

    async def write(self, batch: Batch) -> None:
        """Commit a batch. Cancelled, it goes on: handlers may have begun that only this commit says of."""
        self._last = asyncio.create_task(self._write(batch))
        await asyncio.shield(self._last)

    async def write_last(self, batch: Batch, grace: float) -> None:
        """Commit one more, for `grace` seconds at most, after what is under way still: it may rest on that."""
        try:
            async with asyncio.timeout(grace):
                if self._last and not self._last.done():
                    await self._last
                if batch:
                    await self._write(batch)
        except TimeoutError:
            log.error("deliveries_not_settled", count=len(batch.settled), after_seconds=grace)

    async def _write(self, batch: Batch) -> None:
        await self._store.write(batch)
        self._begun.forget()
        self._tell(batch.settled)
        if batch.requeued:
            self._requeue(batch.requeued)
