"""Tidy a store in the background, in small bites: think on a thread of its own, write through the store's writer.

Between two bites the writer is left alone for several times as long as the last one took, so whoever is waiting for a
commit hardly notices. The more there is to do beside it, the slower it goes.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from gateway.errors import GatewayError
from gateway.log import log

EVERY: Final = 60.0
"""Seconds between two rounds."""
REST: Final = 4.0
"""How many times as long as a bite took is waited until the next."""
_BREATH: Final = 0.001  # seconds at least, so that a round can be cancelled wherever it is

B = TypeVar("B")
T = TypeVar("T")


class Sweep(Generic[B]):
    """Goes round while it is entered. A round that fails is logged and tried again the next time."""

    def __init__(
        self,
        begin: Callable[[], Generator[B, None, None]],
        apply: Callable[[B], Awaitable[None]],
        *,
        name: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`begin` makes a round's bites, each on the thread when it is asked for; an empty bite only lets others run.

        Args:
            begin: starts a round. Its iterator reads afresh for each bite, and closes what it opened.
            apply: writes one bite.
            name: of what is tidied, for the log.
            sleep: waits some seconds.
        """
        self._begin = begin
        self._apply = apply
        self._name = name
        self._sleep = sleep
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-sweep")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._go_round())
        self._task.add_done_callback(self._complain)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=False)

    async def once(self) -> None:
        """One round.

        Raises:
            GatewayError, OSError, sqlite3.Error: something can't be read or written now; what was done stays done.
        """
        bites = await self._call(self._begin)
        try:
            while (bite := await self._call(lambda: next(bites, None))) is not None:
                began = time.monotonic()
                if bite:
                    await self._apply(bite)
                await self._sleep(max(_BREATH, REST * (time.monotonic() - began)))
        finally:
            await self._call(bites.close)

    async def _go_round(self) -> None:
        is_failing = False
        while True:
            try:
                await self.once()
            except (GatewayError, OSError, sqlite3.Error) as error:
                if not is_failing:
                    log.warning("retention_failed", store=self._name, error=str(error))
                is_failing = True
            else:
                is_failing = False
            await self._sleep(EVERY)

    async def _call(self, think: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, think)

    def _complain(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            log.error("retention_ended", store=self._name, exc_info=task.exception())
