"""Both files, read on one thread of their own: in short reads, on connections that can't write."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from gateway.journal import JournalReader
from gateway.sqlite import opened
from gateway.work import WorkReader

P = ParamSpec("P")
T = TypeVar("T")


class Stores:
    """Asked from the loop, answered on the thread. A file that is not there yet is None."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the data folder; nothing is opened before the first question."""
        self._folder = folder
        self._journal: JournalReader | None = None
        self._work: WorkReader | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="look")

    async def ask(self, answer: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have a function called on the thread.

        Raises:
            sqlite3.Error: a file can't be read; the next question opens it anew, for it may have been replaced.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: self._try(answer, *args, **kwargs)
        )

    async def close(self) -> None:
        """Finish the question being answered, then close the files."""
        await self.ask(self._close)
        self._thread.shutdown(wait=False)

    # What follows is for the thread.

    @property
    def journal(self) -> JournalReader | None:
        """What was accepted."""
        self._journal = self._journal or opened(JournalReader, self._folder)
        return self._journal

    @property
    def work(self) -> WorkReader | None:
        """What became of it."""
        self._work = self._work or opened(WorkReader, self._folder)
        return self._work

    def _try(self, answer: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return answer(*args, **kwargs)
        except sqlite3.Error:
            self._close()
            raise

    def _close(self) -> None:
        for reader in (self._journal, self._work):
            if reader is not None:
                reader.close()
        self._journal = self._work = None
