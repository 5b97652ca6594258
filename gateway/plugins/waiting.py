"""How a handler in a thread of its own waits for what is async: it runs on the plugin's loop meanwhile."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from gateway.errors import ContextClosed

T = TypeVar("T")


class Waits:
    """What one handler waits for; all of it is cancelled when the handler may go on no longer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Coroutines run on this loop, whose thread is the one that is running now."""
        self._loop = loop
        self._thread = threading.get_ident()
        self._futures: set[Future[Any]] = set()

    @property
    def is_elsewhere(self) -> bool:
        """The code that runs now does so in another thread than the loop's."""
        return threading.get_ident() != self._thread

    def run(self, coroutine: Coroutine[Any, Any, T], closed: str) -> T:
        """What a coroutine gives; `closed` says why none may be begun any more.

        Raises:
            ContextClosed: the handler may go on no longer, or ceased to while this ran.
        """
        if closed:
            coroutine.close()
            raise ContextClosed(f"ctx.wait() came too late: {closed}.")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        self._futures.add(future)
        try:
            return future.result()
        except CancelledError:
            raise ContextClosed("ctx.wait() was given up: its handler may go on no longer.") from None
        finally:
            self._futures.discard(future)

    def cancel(self) -> None:
        """Give up what is waited for."""
        for future in tuple(self._futures):
            future.cancel()
