"""Append events, once each, and acknowledge them only when they are on disk."""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import msgspec

from gateway.commits import FEW, GroupCommit
from gateway.config import Dedupe
from gateway.errors import JournalUnavailable
from gateway.journal.admission import Admitted, Arrival, Receipt, admit
from gateway.journal.controls import Kind
from gateway.journal.files import Mark, open_journal
from gateway.journal.rows import Bite, checksum, insert_controls, insert_events, last_control, remove
from gateway.journal.seen import Seen
from gateway.journal.stored import StoredEvent

SMALL: Final = 16_384
"""Bytes of a body up to which an event is stored on the loop, all but for its commit; and of those passed on."""
REFUSED_KEPT: Final = 1000
REFUSED_BYTES: Final = 4096
_Row: TypeAlias = tuple[Any, ...]  # of `event`, in the order of its columns


class Refusal(msgspec.Struct, frozen=True):
    """A POST answered 400."""

    address: str | None
    path: str
    reason: str
    body: bytes


class Ask(msgspec.Struct, frozen=True):
    """Something the worker shall do."""

    kind: Kind
    payload: str


class Journal:
    """The writer of `journal.db`. One per data folder; `Owner` sees to that."""

    def __init__(
        self,
        folder: Path,
        *,
        floor: int = 0,
        control_floor: int = 0,
        min_free: int = 0,
        dedupe: Dedupe | None = None,
        clock: Callable[[], float] = time.time,
        accepted: Callable[[Sequence[int], Sequence[StoredEvent]], None] = lambda _seqs, _events: None,
    ) -> None:
        """Open or make the journal.

        Args:
            folder: the data folder.
            floor: a number below which no event may be numbered (the highest the worker has seen).
            control_floor: the same for controls.
            min_free: bytes that must be free on the disk, else events are refused for the time being.
            dedupe: what counts as a repeat; everything that can, if left out.
            clock: gives unix seconds.
            accepted: called on the loop when new events are on disk and their receipts given, with their numbers. If
                they are few and small also with themselves, as the worker takes them up but for telephones.
        """
        self.folder = folder
        self._clock = clock
        self._dedupe = dedupe or Dedupe()
        self._room = Room(folder, min_free)
        connection, self.generation, last = open_journal(folder, floor)
        self._mark = Mark(folder)
        self._seen = Seen(connection)
        self._next = self._next_if_committed = last + 1
        self._accepted = accepted
        self._told = last
        """The highest number that was told of."""
        self._few: Sequence[_Row] = ()
        """The rows of the last transaction, if they are few and small."""
        self._control_floor = control_floor
        self._writer: GroupCommit[Arrival | Refusal | Bite | Ask, Receipt | int | None] = GroupCommit(
            connection,
            self._apply,
            name="journal-writer",
            is_quick=_is_small,
            committed=self._committed,
            handed_out=self._tell,
            is_due=self._seen.is_untidy,
            afterwards=self._seen.tidy,
        )

    @property
    def last(self) -> int:
        """The highest number given to an event so far; 0 before the first."""
        return self._next - 1

    def pause(self, seconds: float) -> None:
        """Have what comes gather for so long before each transaction, from the next one on; 0: not at all."""
        self._writer.pause = seconds

    def put(self, arrival: Arrival, told: Callable[[Arrival, Receipt | BaseException], None]) -> None:
        """Store one event, or find that it is stored already.

        `told` is called on the loop, with the arrival and its receipt once that is on disk, or with what is in the way.

        Raises:
            JournalUnavailable: nothing can be stored at present; the text says why.
        """
        self._room.check()
        self._writer.put(arrival, cast("Callable[[Any, Any], None]", told))

    async def append(self, arrival: Arrival) -> Receipt:
        """The same as a coroutine, which returns when the event is on disk.

        Raises:
            JournalUnavailable: nothing was stored; the text says why.
        """
        self._room.check()
        receipt = await self._submit(arrival)
        assert isinstance(receipt, Receipt)  # noqa: S101 -- arrivals always get one
        return receipt

    async def control(self, kind: Kind, payload: str) -> int:
        """Keep what the worker shall do, and give its id. A full disk refuses events and not this: dropping helps it.

        Raises:
            JournalUnavailable: it could not be kept.
        """
        number = await self._submit(Ask(kind, payload))
        assert isinstance(number, int)  # noqa: S101 -- each gets one
        return number

    async def refuse(self, refusal: Refusal) -> None:
        """Keep the beginning of a post that can't be accepted, for a person to look at.

        Raises:
            JournalUnavailable: it could not be kept.
        """
        await self._submit(refusal)

    async def remove(self, bite: Bite) -> None:
        """Take one of retention's bites, in a transaction of its own: it may succeed while nothing can be appended.

        Raises:
            JournalUnavailable: nothing was removed.
        """
        await self._submit(bite)

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self._writer.close()
        self._mark.close()

    async def _submit(self, job: Arrival | Refusal | Bite | Ask) -> Receipt | int | None:
        try:
            return await self._writer.submit(job, alone=isinstance(job, Bite))
        except sqlite3.Error as error:
            raise JournalUnavailable.because(error) from error

    def _apply(
        self, connection: sqlite3.Connection, jobs: Sequence[Arrival | Refusal | Bite | Ask]
    ) -> Sequence[Receipt | int | None]:
        arrivals = [job for job in jobs if isinstance(job, Arrival)]
        if len(arrivals) == len(jobs):
            return self._append(connection, arrivals)
        for job in jobs:
            if isinstance(job, Refusal):
                _keep_refusal(connection, job, self._clock())
            elif isinstance(job, Bite):
                remove(connection, job)
                if job.fresh_before:
                    self._seen.forget(job.fresh_before)
        receipts = iter(self._append(connection, arrivals))
        numbers = iter(self._keep_controls(connection, [job for job in jobs if isinstance(job, Ask)]))
        return [
            next(receipts) if isinstance(job, Arrival) else next(numbers) if isinstance(job, Ask) else None
            for job in jobs
        ]

    def _keep_controls(self, connection: sqlite3.Connection, asked: Sequence[Ask]) -> list[int]:
        """After the arrivals of the same batch, so that a replay reaches them too."""
        if not asked:
            return []
        first = max(last_control(connection), self._control_floor) + 1
        rows = [
            (first + at, self._clock(), one.kind, self._next_if_committed - 1, one.payload)
            for at, one in enumerate(asked)
        ]
        insert_controls(connection, rows)
        return [row[0] for row in rows]

    def _append(self, connection: sqlite3.Connection, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Inside a transaction."""
        now = self._clock()
        receipts, admitted = admit(connection, self._seen, arrivals, number=self._next, now=now, rules=self._dedupe)
        moment = time.perf_counter()
        rows = [_row(each, now, moment) for each in admitted]
        insert_events(connection, rows)
        self._next_if_committed = self._next + len(admitted)
        self._few = rows if len(rows) <= FEW and sum(len(row[-1]) for row in rows) <= SMALL else ()
        return receipts

    def _committed(self) -> None:
        """The rows are on disk: only now may the numbers and the mark move on."""
        self._seen.committed()
        if self._next != self._next_if_committed:
            self._next = self._next_if_committed
            self._mark.write(self.generation, self._next - 1)

    def _tell(self) -> None:
        """Of what is new. The rows are all of it and no more, but where a batch had to be tried one by one."""
        seqs = range(self._told + 1, self._next)
        if not seqs:
            return
        self._told = seqs[-1]
        events: Sequence[StoredEvent] = ()
        if [row[0] for row in self._few] == list(seqs):
            events = [
                StoredEvent(seq, event, instance, chat, lane, at, proof, body)
                for seq, at, event, instance, chat, lane, *_, proof, body in self._few
            ]
        self._accepted(seqs, events)


def _is_small(job: Arrival | Refusal | Bite | Ask) -> bool:
    """It is stored in no time."""
    return isinstance(job, Arrival) and len(job.body) <= SMALL


class Room:
    """Says when the disk is too full to accept, so that settling and deleting still find room."""

    def __init__(self, folder: Path, min_free: int) -> None:
        self._folder = folder
        self._min_free = min_free
        self._checked = float("-inf")
        self._free = 0

    def check(self) -> None:
        """Look at the disk, at most once a second.

        Raises:
            JournalUnavailable: less than `min_free` bytes are left.
        """
        now = time.monotonic()
        if now - self._checked >= 1:
            self._checked = now
            status = os.statvfs(self._folder)
            self._free = status.f_bavail * status.f_frsize
        if self._free < self._min_free:
            raise JournalUnavailable(f"{self._free} bytes free in {self._folder}, data_min_free is {self._min_free}")


def _row(admitted: Admitted, now: float, moment: float) -> _Row:
    seq, lane, arrival = admitted.seq, admitted.lane, admitted.arrival
    envelope, body = arrival.envelope, arrival.body
    return (
        seq,
        now,
        envelope.event,
        envelope.instance,
        envelope.chat,
        lane,
        arrival.suffix,
        arrival.address,
        (moment - arrival.started) * 1000,
        len(body),
        checksum(seq, envelope.event, lane, body),
        body,
    )


def _keep_refusal(connection: sqlite3.Connection, refusal: Refusal, now: float) -> None:
    connection.execute(
        "INSERT INTO refused (at, address, path, reason, size, body) VALUES (?, ?, ?, ?, ?, ?)",
        (now, refusal.address, refusal.path, refusal.reason, len(refusal.body), refusal.body[:REFUSED_BYTES]),
    )
    connection.execute("DELETE FROM refused WHERE id <= (SELECT max(id) FROM refused) - ?", (REFUSED_KEPT,))
