"""What is noted of messages: in order, many to a commit, and told once it is on disk."""

import asyncio
import sqlite3
from collections.abc import Sequence

import pytest

from gateway.log import Line
from gateway.work.outbox import OutboxStatus, Sent
from gateway.worker.outbox.notes import End, Notes
from tests.support.loops import turns
from tests.support.waiting import until


class Disk:
    """Takes commits when it is free."""

    def __init__(self) -> None:
        self.commits: list[list[int]] = []
        """Ids of the messages of each."""
        self.told: list[list[int]] = []
        self.free = asyncio.Event()
        self.free.set()
        self.error: sqlite3.Error | None = None
        self.notes = Notes(self._commit, lambda seqs: self.told.append(list(seqs)))

    async def _commit(self, changes: Sequence[Sent]) -> None:
        await self.free.wait()
        if self.error:
            raise self.error
        self.commits.append([change.id for change in changes])

    async def write(self, number: int) -> None:
        await self.notes.write(change(number, "sending"))

    def add(self, number: int) -> None:
        self.notes.add(change(number, "sent"), End(number * 10, Line("debug", "message_sent", {})))


def change(number: int, status: OutboxStatus) -> Sent:
    return Sent(id=number, status=status, attempts=1)


@pytest.fixture
async def disk() -> Disk:
    return Disk()


async def test_what_is_noted_while_a_commit_is_under_way_shares_the_next(disk: Disk) -> None:
    disk.free.clear()
    first = [asyncio.create_task(disk.write(number)) for number in (1, 2)]
    await turns()
    others = [asyncio.create_task(disk.write(number)) for number in (3, 4, 5)]
    await turns()
    disk.free.set()
    await asyncio.gather(*first, *others)

    assert disk.commits == [[1, 2], [3, 4, 5]]


async def test_an_end_goes_along_with_the_next_commit_and_is_told_then(disk: Disk) -> None:
    disk.add(1)
    disk.add(2)
    before = (list(disk.commits), list(disk.told))
    await disk.write(3)

    assert before == ([], [])
    assert (disk.commits, disk.told) == ([[1, 2, 3]], [[10, 20]])


async def test_an_end_that_nothing_takes_along_is_written_all_the_same(disk: Disk) -> None:
    disk.free.clear()
    writing = asyncio.create_task(disk.write(1))
    await turns()
    disk.add(2)  # while a commit is under way that is not its own
    disk.free.set()
    await writing
    await until(lambda: disk.told, "its end is told")

    assert (disk.commits, disk.told) == ([[1], [2]], [[20]])


async def test_closing_writes_what_is_left(disk: Disk) -> None:
    disk.add(1)
    await disk.notes.close(5)

    assert disk.commits == [[1]]


async def test_closing_does_not_wait_for_ever_for_a_disk(disk: Disk) -> None:
    disk.free.clear()
    disk.add(1)
    await disk.notes.close(0.01)

    assert disk.commits == []


async def test_whoever_waits_hears_of_a_file_that_cannot_be_written_and_the_next_are_tried(disk: Disk) -> None:
    disk.error = sqlite3.DatabaseError("file is not a database")
    with pytest.raises(sqlite3.DatabaseError):
        await disk.write(1)
    disk.error = None
    await disk.write(2)

    assert disk.commits == [[2]]


async def test_one_who_is_cancelled_while_waiting_takes_nothing_from_the_others(disk: Disk) -> None:
    disk.free.clear()
    cancelled, waiting = [asyncio.create_task(disk.write(number)) for number in (1, 2)]
    await turns()
    cancelled.cancel()
    disk.free.set()
    await waiting

    assert cancelled.cancelled()
    assert disk.commits == [[1, 2]]
