"""A thread that runs calls one after the other for a loop that must not wait for them.

It does what an executor with one thread does at a third of its cost: for a worker that has an event to handle now and
then, handing a call to another thread and hearing back is most of what a look at the journal costs.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")

PROMPT: Final = 0.002
"""Seconds that something took at most when it was last done, if the loop waits for it itself the next time."""


class _Errand(NamedTuple):
    call: Callable[[], Any]
    future: "asyncio.Future[Any]"


class Errands:
    """Call it from a running loop; the thread ends with `close`, or with the process."""

    def __init__(self, name: str) -> None:
        self._errands: queue.SimpleQueue[_Errand | None] = queue.SimpleQueue()
        self._given = self._returned = 0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Nothing is being called and nothing waits for it, whoever may have stopped waiting."""
        return self._given == self._returned

    def run(self, call: Callable[[], T]) -> "asyncio.Future[T]":
        """Have it called; the future is done once it has returned, or carries what it raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._given += 1
        self._errands.put(_Errand(call, future))
        return future

    async def close(self) -> None:
        """Run what is queued, and return when the thread has ended."""
        self._errands.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while errand := self._errands.get():
            try:
                result = errand.call()
            except Exception as error:  # noqa: BLE001 -- whoever waits for it hears it
                result = error
            self._returned += 1
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
                errand.future.get_loop().call_soon_threadsafe(resolve, errand.future, result)


def resolve(future: "asyncio.Future[T]", result: T | BaseException) -> None:
    """Let whoever waits have a result, or what is raised there instead; one who waits no longer hears nothing."""
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
