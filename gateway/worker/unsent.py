"""Messages that could not be sent, when somebody wants them sent all the same or be done with them.

A module of its own beside the other controls, because it changes the outbox and no delivery.
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from gateway.journal.controls import Letters
from gateway.work import Batch, Message
from gateway.work.controls import ControlReader, Progress
from gateway.work.outbox import Sent
from gateway.worker.intake import Intake

BITE: Final = 512
"""Messages changed in one commit."""


class Unsent:
    """Takes bites of them. `clock` gives unix seconds by which messages expire."""

    def __init__(self, intake: Intake, path: Path, clock: Callable[[], float]) -> None:
        self._intake = intake
        self._path = path
        self._now = clock

    async def bite(self, progress: Progress, letters: Letters, name: str, batch: Batch) -> None:
        """Put the next ones into a commit; when there are no more, the cursor goes."""
        found = await self._intake.ask(lambda _: self._read(progress, letters, name))
        for message in found:
            progress.cursors[name] = message.id
            progress.found += 1
            if progress.kind == "retry":
                fresh = msgspec.structs.replace(message, status="queued", attempts=0, created=self._now(), began=None)
                batch.requeued.append(fresh)
            else:
                batch.outbox.append(Sent(id=message.id, status="dropped", attempts=message.attempts))
        if len(found) < BITE:
            del progress.cursors[name]

    def _read(self, progress: Progress, letters: Letters, name: str) -> list[Message]:
        with closing(ControlReader(self._path)) as work:
            return work.messages(progress.cursors[name], progress.upto, BITE, plugin=name, ids=letters.ids)
