"""One SQLite file, one writer: a thread that commits everything that waits in one transaction.

Both stores are written this way. There is no timer: while one commit is on its way to the disk the next batch gathers
by itself, so a lone job is as quick as the disk and a thousand share one flush.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

J = TypeVar("J")
T = TypeVar("T")
R = TypeVar("R")

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
    """Runs jobs in batches, each batch in one transaction, on a thread of its own. All jobs come from one event loop.

    `apply` gets the connection and the batch, and returns one result a job. A batch that fails is rolled back; its jobs
    are tried one by one unless the disk itself failed, so one bad job can't fail its neighbours. `committed` is called
    on the same thread after each commit, before any result is handed out; `afterwards` when all are, with their number.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        apply: Callable[[sqlite3.Connection, Sequence[J]], Sequence[R]],
        *,
        name: str,
        committed: Callable[[], None] = lambda: None,
        afterwards: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._connection = connection
        self._apply = apply
        self._committed = committed
        self._afterwards = afterwards
        self._is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gathered: list[_Job[J, R]] = []
        """What came in this turn of the loop. It crosses to the thread at once: a crossing costs more than a job."""
        self._crossing: queue.SimpleQueue[Sequence[_Job[J, R]]] = queue.SimpleQueue()
        self._waiting: deque[_Job[J, R]] = deque()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: J, *, alone: bool = False) -> "asyncio.Future[R]":
        """Queue a job; the future is done once its transaction is on disk, or carries why it is not.

        Cancelling the future takes nothing back.
        One that goes `alone` shares its transaction with none: on a full disk it may delete while others can't write.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self.put(job, partial(_resolve, future), alone=alone)
        return future

    def put(self, job: J, told: Callable[[J, R | BaseException], None], *, alone: bool = False) -> None:
        """Queue a job; `told` is called on the loop with the job and what `submit`'s future would be done with."""
        if self._is_closing:  # nobody would ever look at it
            told(job, sqlite3.ProgrammingError("the file is being closed"))
            return
        self._gathered.append(_Job(job, told, alone))
        if len(self._gathered) == 1:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._cross)

    async def close(self) -> None:
        """Finish what is queued, then close the file. Closing twice does no harm."""
        self._cross()
        self._is_closing = True
        self._crossing.put(())
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _cross(self) -> None:
        if self._gathered:
            self._crossing.put(self._gathered)
            self._gathered = []

    # From here on: the writer's thread.

    def _run(self) -> None:
        while batch := self._gather():
            results = self._settle(batch)
            assert self._loop  # noqa: S101 -- where the batch came from
            with contextlib.suppress(RuntimeError):  # it is closed: nobody is left to hear it
                self._loop.call_soon_threadsafe(_tell, results)
            self._afterwards(len(batch))

    def _gather(self) -> "list[_Job[J, R]]":
        """Wait for a job, then take all others that wait already. Nothing when closing."""
        waiting = self._waiting
        if not waiting and not self._is_closing:
            waiting += self._crossing.get()
        with contextlib.suppress(queue.Empty):
            while len(waiting) < BATCH:
                waiting += self._crossing.get_nowait()
        batch = [waiting.popleft()] if waiting else []
        while waiting and len(batch) < BATCH and not (batch[0].alone or waiting[0].alone):
            batch.append(waiting.popleft())
        return batch

    def _settle(self, batch: "Sequence[_Job[J, R]]") -> list[tuple["_Job[J, R]", R | BaseException]]:
        outcome = self._transact([each.job for each in batch])
        if not isinstance(outcome, BaseException):
            return list(zip(batch, outcome, strict=True))
        if len(batch) == 1 or isinstance(outcome, sqlite3.OperationalError):
            return [(each, outcome) for each in batch]
        return [pair for one in batch for pair in self._settle([one])]

    def _transact(self, jobs: Sequence[J]) -> Sequence[R] | BaseException:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = self._apply(self._connection, jobs)
            self._connection.execute("COMMIT")
            self._committed()
        except Exception as error:  # noqa: BLE001 -- whatever failed, the jobs' owners must hear of it and the thread go on
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            return error
        return results


def _tell(results: Sequence[tuple[_Job[J, R], R | BaseException]]) -> None:
    for job, result in results:
        try:
            job.told(job.job, result)
        except Exception as error:  # noqa: BLE001 -- one who can't bear the news must not keep it from all others
            asyncio.get_running_loop().call_exception_handler({"message": "a result was not taken", "exception": error})


def _resolve(future: "asyncio.Future[R]", _job: object, result: R | BaseException) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
