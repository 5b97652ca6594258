"""Wait for a condition: the one way in which a test waits for another process."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, overload

T = TypeVar("T")

LOOK_EVERY: Final = 0.02  # seconds


@overload
async def until(holds: Callable[[], Awaitable[T | None]], what: str, *, within: float = 30.0) -> T: ...
@overload
async def until(holds: Callable[[], T | None], what: str, *, within: float = 30.0) -> T: ...
async def until(holds: Callable[[], object], what: str, *, within: float = 30.0) -> object:
    """Look again and again until `holds()` gives something true, and give that.

    Raises:
        AssertionError: it did not come true within so many seconds; the text says `what`.
    """
    deadline = time.monotonic() + within
    while True:
        found = holds()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within:g} s in vain: {what}")
        await asyncio.sleep(LOOK_EVERY)
