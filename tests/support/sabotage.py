"""A gateway with one promise broken on purpose: a test that must notice runs it, to show that it would.

`python -c "from tests.support.sabotage import NAME; NAME()" serve ...` runs the command line afterwards.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

from gateway.cli import main
from gateway.journal import Arrival, Journal, Receipt

LATE: Final = 0.2  # seconds
OFFSET: Final = "offset"
"""File in the gateway's folder: seconds by which the clock is wrong."""


def answer_before_commit() -> None:
    """Acknowledge at once, and store a moment later."""
    store = Journal.append
    promised = 0

    async def append(journal: Journal, arrival: Arrival) -> Receipt:
        nonlocal promised
        promised = max(promised, journal.last) + 1
        loop = asyncio.get_running_loop()
        loop.call_later(LATE, lambda: loop.create_task(store(journal, arrival)))
        return Receipt(promised, repeat=False)

    Journal.append = append  # type: ignore[method-assign, assignment]
    main()


def shifted_clock() -> None:
    """Run with a clock that a test moves."""
    shift_clock()
    main()


def shift_clock() -> None:
    """Have `time.time` be as wrong as the file says, from now on; without one it is right."""
    right, file = time.time, Path.cwd() / OFFSET

    def wrong() -> float:
        try:
            return right() + float(file.read_text() or 0)
        except OSError:
            return right()

    time.time = wrong
