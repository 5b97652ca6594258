"""Let deliveries, dead letters and messages go when their event is gone from the journal.

In the background and in bites, like the journal's own retention, which decides when an event goes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Final

from gateway.journal import JournalReader
from gateway.sweep import Sweep
from gateway.work.files import OutgoingFiles
from gateway.work.reader import WorkReader
from gateway.work.store import WorkStore
from gateway.work.trim import Trim

ROWS: Final = 256
"""Events looked at, and at most forgotten, at once."""


def work_retention(
    folder: Path, store: WorkStore, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Sweep[Trim]:
    """Enter it for as long as the store is open."""
    return Sweep(lambda: bites(folder), store.trim, name="work", sleep=sleep)


def bites(folder: Path) -> Generator[Trim, None, None]:
    """One round, oldest events first: it ends where it meets events that are all there and finished."""
    with closing(JournalReader(folder)) as journal, closing(WorkReader(folder)) as work:
        yield from _forget(journal, work)
        _remove_files(OutgoingFiles(folder), work)
        for _ in range(work.spare()):
            if not work.spare():
                return
            yield Trim(shrinks=True)


def _forget(journal: JournalReader, work: WorkReader) -> Generator[Trim, None, None]:
    after = 0
    # A journal that has just begun says nothing about what is gone for good.
    while journal.last() and (seqs := work.seqs(after, ROWS)):
        after = seqs[-1]
        gone = set(seqs) - journal.present(seqs)
        busy = work.unfinished(seqs) | work.unsent(seqs)
        if not gone and not busy:
            return
        yield Trim(gone=sorted(gone - busy))


def _remove_files(files: OutgoingFiles, work: WorkReader) -> None:
    """Those that no message brings any more; read first, so that a message settled meanwhile keeps a younger one."""
    for name in list(files.old(time.time())):
        if not work.brings(name):
            files.remove(name)
