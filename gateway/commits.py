"""One connection that writes, for jobs that come one by one: what waits is committed in one transaction.

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
from typing import Final, Generic, TypeVar

import msgspec

from gateway.errands import PROMPT, resolve

J = TypeVar("J")
R = TypeVar("R")

LOCKED: Final = 5.0
"""Seconds to wait for somebody else who writes the file."""
_LOOK: Final = 0.01  # seconds between looks whether that is over
FEW: Final = 16
"""Jobs of a batch up to which it is committed where it was begun: nothing much would happen meanwhile."""
BATCH: Final = 512
"""Jobs in one transaction at most, so that no job waits for an endless batch."""


class _Job(msgspec.Struct, Generic[J, R], frozen=True):
    job: J
    told: Callable[[J, R | BaseException], None]
    alone: bool


class GroupCommit(Generic[J, R]):
    """Runs jobs in batches, each batch in one transaction. All jobs come from one event loop.

    `apply` gets the connection and the batch, and returns one result a job. Batches of `is_quick` jobs alone are
    applied on the loop, for two threads that compute take the interpreter from each other. A few such jobs are
    committed there too while the disk is prompt, for a hop to another thread and back takes as long; the commit of
    many is the thread's, so that the loop answers and reads meanwhile. A batch that fails is rolled back; its jobs are
    tried one by one on the thread unless the disk itself failed, so one bad job can't fail its neighbours.

    A commit of jobs that `may_be_lost` alone is not flushed: a process that is killed leaves it in the file; a power
    cut may take it, but nothing that was flushed before. Jobs put in one turn of the loop share a commit if it
    `gathers` them; else each is begun as it is put, and a lone quick one is done when `submit` returns.

    `committed` is called after each commit, before any result is handed out, by whoever made it; `handed_out` on the
    loop when all of a batch's are; `afterwards`, if it `is_due`, on the thread at the same time, with their number. The
    connection is used by one thread at a time.
    """

    pause: float = 0.0
    """Seconds in which jobs gather before each batch begins, if it gathers them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        apply: Callable[[sqlite3.Connection, Sequence[J]], Sequence[R]],
        *,
        name: str,
        is_quick: Callable[[J], bool] = lambda _job: False,
        committed: Callable[[], None] = lambda: None,
        handed_out: Callable[[], None] = lambda: None,
        is_due: Callable[[], bool] = lambda: False,
        afterwards: Callable[[int], None] = lambda _count: None,
        may_be_lost: Callable[[J], bool] = lambda _job: False,
        gathers: bool = True,
    ) -> None:
        self._connection = connection
        self._connection.execute("PRAGMA busy_timeout = 0")  # nobody else writes; if somebody does, the thread waits
        self._apply = apply
        self._is_quick = is_quick
        self._committed = committed
        self._handed_out = handed_out
        self._is_due = is_due
        self._afterwards = afterwards
        self._may_be_lost = may_be_lost
        self._gathers = gathers
        self._is_flushed = True
        """What is committed now is flushed to the disk, as `PRAGMA synchronous` says."""
        self._is_closing = False
        self._took = 0.0
        """Seconds of the last commit that was flushed."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gathered: deque[_Job[J, R]] = deque()
        """What came while a batch is away, or in this turn of the loop: each crossing costs more than a job."""
        self._is_away = False
        """The thread has the connection."""
        self._is_back = asyncio.Event()
        self._crossing: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        """What the thread is to do next; None: nothing more."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: J, *, alone: bool = False) -> "asyncio.Future[R]":
        """Queue a job; the future is done once its transaction is on disk, or carries why it is not.

        Cancelling the future takes nothing back.
        One that goes `alone` shares its transaction with none: on a full disk it may delete while others can't write.
        """
        future: asyncio.Future[R] = self._home().create_future()
        self.put(job, lambda _job, result: resolve(future, result), alone=alone)
        return future

    def put(self, job: J, told: Callable[[J, R | BaseException], None], *, alone: bool = False) -> None:
        """Queue a job; `told` is called on the loop with the job and what `submit`'s future would be done with."""
        if self._is_closing:  # nobody would ever look at it
            told(job, sqlite3.ProgrammingError("the file is being closed"))
            return
        self._gathered.append(_Job(job, told, alone))
        if self._is_away or len(self._gathered) > 1:
            return
        if self._gathers:
            self._cross_soon()
        else:
            self._cross()

    async def close(self) -> None:
        """Finish what is queued, then close the file. Closing twice does no harm."""
        self._is_closing = True
        while self._gathered or self._is_away:
            self._is_back.clear()
            self._cross()
            await self._is_back.wait()
        self._crossing.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _home(self) -> asyncio.AbstractEventLoop:
        """The loop that all jobs come from, asked for once: that is a system call."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _cross_soon(self) -> None:
        if self.pause:
            self._home().call_later(self.pause, self._cross)
        else:
            self._home().call_soon(self._cross)

    def _cross(self) -> None:
        """Begin the next batch, unless the thread is at work."""
        if self._is_away or not self._gathered:
            return
        batch = self._take()
        self._is_away = True
        results = self._begun(batch)
        if results is not None and self._is_flushed and (len(batch) > FEW or self._took > PROMPT):
            self._crossing.put(partial(self._finish, batch, results))
        elif results is not None and self._is_committed():
            self._back(list(zip(batch, results, strict=True)))
        else:
            self._crossing.put(partial(self._do, batch))

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
            self._choose(jobs)
            self._connection.execute("BEGIN IMMEDIATE")
            return self._apply(self._connection, jobs)
        except Exception:  # noqa: BLE001 -- whatever it was, the thread tries again and says what it is
            self._roll_back()
            return None

    def _choose(self, jobs: Sequence[J]) -> None:
        """Whether to flush their commit."""
        is_flushed = not all(map(self._may_be_lost, jobs))
        if is_flushed != self._is_flushed:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_flushed else 'NORMAL'}")
            self._is_flushed = is_flushed

    def _is_committed(self) -> bool:
        """Commit what was begun; False: it could not be, and is as if it had not been begun."""
        try:
            self._commit()
        except sqlite3.Error:
            self._roll_back()
            return False
        return True

    def _commit(self) -> None:
        began = time.perf_counter()
        self._connection.execute("COMMIT")
        if self._is_flushed:
            self._took = time.perf_counter() - began
        self._committed()

    def _back(self, results: "Sequence[tuple[_Job[J, R], R | BaseException]]") -> None:
        if self._is_due():
            self._crossing.put(partial(self._clean_up, len(results)))
        else:
            self._free()
        for job, result in results:
            self._tell(job.told, job.job, result)
        self._tell(self._handed_out)

    def _tell(self, told: Callable[..., None], *news: object) -> None:
        try:
            told(*news)
        except Exception as error:  # noqa: BLE001 -- one who can't bear the news must not keep it from all others
            self._complain("a result was not taken", error)

    def _complain(self, message: str, error: Exception) -> None:
        self._home().call_exception_handler({"message": message, "exception": error})

    def _free(self) -> None:
        """The thread is done with the connection."""
        self._is_away = False
        self._is_back.set()
        if self._gathered:
            self._cross_soon()

    # From here on: the writer's thread.

    def _run(self) -> None:
        while todo := self._crossing.get():
            todo()

    def _do(self, batch: "Sequence[_Job[J, R]]") -> None:
        """A whole batch."""
        self._say(partial(self._back, self._settle(batch)))

    def _finish(self, batch: "Sequence[_Job[J, R]]", results: Sequence[R]) -> None:
        """Commit what was begun on the loop; where that fails it is done again from the beginning, which says why."""
        told = list(zip(batch, results, strict=True)) if self._is_committed() else self._settle(batch)
        self._say(partial(self._back, told))

    def _clean_up(self, count: int) -> None:
        try:
            self._afterwards(count)
        except Exception as error:  # noqa: BLE001 -- without this thread nothing would ever be stored again
            self._say(partial(self._complain, "what follows a commit failed", error))
        self._say(self._free)

    def _say(self, call: Callable[[], None]) -> None:
        assert self._loop  # noqa: S101 -- where the batch came from
        with contextlib.suppress(RuntimeError):  # it is closed: nobody is left to hear it
            self._loop.call_soon_threadsafe(call)

    def _settle(self, batch: "Sequence[_Job[J, R]]") -> list[tuple["_Job[J, R]", R | BaseException]]:
        outcome = self._transact([each.job for each in batch])
        if not isinstance(outcome, BaseException):
            return list(zip(batch, outcome, strict=True))
        if len(batch) == 1 or isinstance(outcome, sqlite3.OperationalError):
            return [(each, outcome) for each in batch]
        return [pair for one in batch for pair in self._settle([one])]

    def _transact(self, jobs: Sequence[J]) -> Sequence[R] | BaseException:
        try:
            self._choose(jobs)
            self._begin()
            results = self._apply(self._connection, jobs)
            self._commit()
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
