"""One SQLite file, one writer, which commits everything that waits in one transaction.

Both stores are written this way. There is no timer: while one commit is on its way to the disk the next batch gathers
by itself, so a lone job is as quick as the disk and a thousand share one flush.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from gateway.errands import resolve

J = TypeVar("J")
T = TypeVar("T")
R = TypeVar("R")

LOCKED: Final = 5.0
"""Seconds to wait for somebody else who writes the file."""
_LOOK: Final = 0.01  # seconds between looks whether that is over
BATCH: Final = 512
"""Jobs in one transaction at most, so that no job waits for an endless batch."""

SHRINK: Final = 256
"""Pages given back to the disk at once at most."""
_PAGES: Final = ("page_count", "freelist_count")
_INCREMENTAL: Final = 2  # of PRAGMA auto_vacuum
_KEPT: Final = 1024  # free pages a file keeps whatever its size, for what comes next

_PRAGMAS: Final = (
    "PRAGMA auto_vacuum = INCREMENTAL",  # of a new file only, and only before anything is written to it
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an acknowledged event survives a power cut; NORMAL lost some when measured
    "PRAGMA wal_autocheckpoint = 1000",  # pages; a small log limits what one bad sector can take
    "PRAGMA journal_size_limit = 16777216",  # bytes kept of the log after a large photo passed through
    "PRAGMA temp_store = MEMORY",
)


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes `path`, made with mode 0600 if it is new."""
    path.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. It may be used from one thread at a time.

    Raises:
        sqlite3.OperationalError: there is no such file yet.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
    )


def used(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in (*_PAGES, "page_size"))
    return int((pages - free) * size)


def spare(connection: sqlite3.Connection) -> int:
    """Pages worth giving back to the disk: those that are free, but for an eighth that what comes next will fill."""
    pages, free, vacuum = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in (*_PAGES, "auto_vacuum"))
    return max(0, free - max(_KEPT, pages // 8)) if vacuum == _INCREMENTAL else 0


def shrink(connection: sqlite3.Connection) -> None:
    """Give some spare pages back to the disk, inside a transaction."""
    for _ in range(min(SHRINK, spare(connection))):
        connection.execute("PRAGMA incremental_vacuum(1)")  # Python would stop after the first page of several


def opened(reader: Callable[[Path], T], folder: Path) -> T | None:
    """A reader of a file in the data folder; None while its writer has not made it yet.

    Raises:
        sqlite3.Error: there is one, and it can't be read.
    """
    try:
        return reader(folder)
    except sqlite3.Error as error:
        if is_missing(error):
            return None
        raise


def is_missing(error: sqlite3.Error) -> bool:
    """There is no such file or table yet: its writer has not started."""
    return error.sqlite_errorcode in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_ERROR}


class _Job(msgspec.Struct, Generic[J, R], frozen=True):
    job: J
    told: Callable[[J, R | BaseException], None]
    alone: bool


class GroupCommit(Generic[J, R]):
    """Runs jobs in batches, each batch in one transaction. All jobs come from one event loop.

    `apply` gets the connection and the batch, and returns one result a job. It runs on a thread of its own, but for
    batches of `is_quick` jobs alone: those are applied on the loop, and only the commit, which waits for the disk, is
    the thread's, for two threads that compute take the interpreter from each other. A batch that fails is rolled back;
    its jobs are tried one by one unless the disk itself failed, so one bad job can't fail its neighbours.

    `committed` is called on the thread after each commit, before any result is handed out; `afterwards`, if it
    `is_due`, when all are, with their number. The connection is used by one thread at a time.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        apply: Callable[[sqlite3.Connection, Sequence[J]], Sequence[R]],
        *,
        name: str,
        is_quick: Callable[[J], bool] = lambda _job: False,
        committed: Callable[[], None] = lambda: None,
        is_due: Callable[[], bool] = lambda: False,
        afterwards: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._connection = connection
        self._connection.execute("PRAGMA busy_timeout = 0")  # nobody else writes; if somebody does, the thread waits
        self._apply = apply
        self._is_quick = is_quick
        self._committed = committed
        self._is_due = is_due
        self._afterwards = afterwards
        self._is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gathered: deque[_Job[J, R]] = deque()
        """What came while a batch is away, or in this turn of the loop: each crossing costs more than a job."""
        self._is_away = False
        """The thread has the connection."""
        self._is_back = asyncio.Event()
        self._crossing: queue.SimpleQueue[tuple[Sequence[_Job[J, R]], Sequence[R] | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: J, *, alone: bool = False) -> "asyncio.Future[R]":
        """Queue a job; the future is done once its transaction is on disk, or carries why it is not.

        Cancelling the future takes nothing back.
        One that goes `alone` shares its transaction with none: on a full disk it may delete while others can't write.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self.put(job, lambda _job, result: resolve(future, result), alone=alone)
        return future

    def put(self, job: J, told: Callable[[J, R | BaseException], None], *, alone: bool = False) -> None:
        """Queue a job; `told` is called on the loop with the job and what `submit`'s future would be done with."""
        if self._is_closing:  # nobody would ever look at it
            told(job, sqlite3.ProgrammingError("the file is being closed"))
            return
        self._gathered.append(_Job(job, told, alone))
        if len(self._gathered) == 1 and not self._is_away:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._cross)

    async def close(self) -> None:
        """Finish what is queued, then close the file. Closing twice does no harm."""
        self._is_closing = True
        while self._gathered or self._is_away:
            self._cross()
            self._is_back.clear()
            await self._is_back.wait()
        self._crossing.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _cross(self) -> None:
        """Let the thread have the next batch, unless it is at work."""
        if self._is_away or not self._gathered:
            return
        batch = self._take()
        self._is_away = True
        self._crossing.put((batch, self._begun(batch)))

    def _take(self) -> "list[_Job[J, R]]":
        waiting = self._gathered
        batch = [waiting.popleft()]
        while waiting and len(batch) < BATCH and not (batch[0].alone or waiting[0].alone):
            batch.append(waiting.popleft())
        return batch

    def _begun(self, batch: "Sequence[_Job[J, R]]") -> Sequence[R] | None:
        """The results of a quick batch, which only has to be committed; None: the thread has to do it all."""
        jobs = [each.job for each in batch]
        if not all(map(self._is_quick, jobs)):
            return None
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            return self._apply(self._connection, jobs)
        except Exception:  # noqa: BLE001 -- whatever it was, the thread tries again and says what it is
            self._roll_back()
            return None

    def _back(self, results: "Sequence[tuple[_Job[J, R], R | BaseException]]", *, is_free: bool) -> None:
        if is_free:
            self._free()
        for job, result in results:
            try:
                job.told(job.job, result)
            except Exception as error:  # noqa: BLE001 -- one who can't bear the news must not keep it from all others
                context = {"message": "a result was not taken", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)

    def _free(self) -> None:
        """The thread is done with the connection."""
        self._is_away = False
        self._is_back.set()
        if self._gathered:
            asyncio.get_running_loop().call_soon(self._cross)

    # From here on: the writer's thread.

    def _run(self) -> None:
        while crossed := self._crossing.get():
            batch, results = crossed
            ended = self._end(batch, results) if results is not None else self._settle(batch)
            is_due = self._is_due()
            self._say(partial(self._back, ended, is_free=not is_due))
            if is_due:
                self._afterwards(len(batch))
                self._say(self._free)

    def _say(self, call: Callable[[], None]) -> None:
        assert self._loop  # noqa: S101 -- where the batch came from
        with contextlib.suppress(RuntimeError):  # it is closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(call)

    def _end(self, batch: "Sequence[_Job[J, R]]", results: Sequence[R]) -> list[tuple["_Job[J, R]", R | BaseException]]:
        """Commit what was begun on the loop."""
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:  # done again from the beginning, that says what it is
            self._roll_back()
            return self._settle(batch)
        self._committed()
        return list(zip(batch, results, strict=True))

    def _settle(self, batch: "Sequence[_Job[J, R]]") -> list[tuple["_Job[J, R]", R | BaseException]]:
        outcome = self._transact([each.job for each in batch])
        if not isinstance(outcome, BaseException):
            return list(zip(batch, outcome, strict=True))
        if len(batch) == 1 or isinstance(outcome, sqlite3.OperationalError):
            return [(each, outcome) for each in batch]
        return [pair for one in batch for pair in self._settle([one])]

    def _transact(self, jobs: Sequence[J]) -> Sequence[R] | BaseException:
        try:
            self._begin()
            results = self._apply(self._connection, jobs)
            self._connection.execute("COMMIT")
            self._committed()
        except Exception as error:  # noqa: BLE001 -- whatever failed, the jobs' owners must hear of it and the thread go on
            self._roll_back()
            return error
        return results

    def _begin(self) -> None:
        """Begin as soon as nobody else writes the file."""
        until = time.monotonic() + LOCKED
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(_LOOK)
            else:
                return

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
