"""A gateway with one promise broken on purpose: a test that must notice runs it, to show that it would.

`python -c "from tests.support.sabotage import NAME; NAME()" serve ...` runs the command line afterwards.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from gateway.cli import main
from gateway.journal import Arrival, Journal, Receipt

LATE: Final = 0.2  # seconds


def answer_before_commit() -> None:
    """Acknowledge at once, and store a moment later."""
    store = Journal.put
    promised = 0

    def put(journal: Journal, arrival: Arrival, told: Callable[[Arrival, Receipt | BaseException], None]) -> None:
        nonlocal promised
        promised = max(promised, journal.last) + 1
        loop = asyncio.get_running_loop()
        loop.call_later(LATE, store, journal, arrival, lambda *_: None)
        loop.call_soon(told, arrival, Receipt(promised, repeat=False))

    Journal.put = put  # type: ignore[method-assign, assignment]
    main()
