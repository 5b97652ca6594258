"""One call that runs in a thread, and whoever waits for it on a loop.

`loop.run_in_executor` gives a future, which is cancelled with whoever waits for it, and can't carry every error. What a
thread does can't be cancelled: so this is waited for as often as it takes.
"""

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor


class Errand:
    """Begin it on the loop that is to hear of its end."""

    def __init__(self, threads: Executor, function: Callable[[], object]) -> None:
        self.thread: int | None = None
        """Identity of its thread; None before it has one."""
        self.result: object = None
        """What the function gave, or raised."""
        self.is_over = False
        self._function = function
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Future[None] | None = None
        here = contextvars.copy_context()  # else what one call sets is still there for the next in its thread
        threads.submit(here.run, self._run)

    async def until_over(self) -> None:
        """Return once it has ended; whoever is cancelled meanwhile may wait again."""
        if not self.is_over:
            self._waiting = self._loop.create_future()
            await self._waiting

    def _run(self) -> None:
        self.thread = threading.get_ident()
        try:
            result = self._function()
        except BaseException as error:  # noqa: BLE001 -- a stranger's code ran; whoever waits says what becomes of it
            result = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any longer
            self._loop.call_soon_threadsafe(self._end, result)

    def _end(self, result: object) -> None:
        self.result, self.is_over = result, True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
