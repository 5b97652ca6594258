"""What tests ask of their event loops."""

import asyncio


async def turns() -> None:
    """Let everybody who can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, object]) -> None:
    """A handler for `set_exception_handler`, where a task raises on purpose and nobody is left to ask it what.

    Else the loop logs that when the task is collected, in the middle of whatever test comes later; and if that happens
    to parse Python, Python 3.11 stumbles over the traceback's own parsing.
    """
