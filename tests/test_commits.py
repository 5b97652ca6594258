"""Group commits on a real file: where they are made, and that one which fails loses nothing and does nothing twice."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.commits import FEW, GroupCommit
from tests.support.loops import turns
from tests.support.waiting import until

PROMPT: Final = 0.2
"""Seconds that no healthy disk takes, however busy the machine."""
SLOW: Final = 0.25
NORMAL: Final = 1
"""Of `PRAGMA synchronous`, in WAL mode: the log is not flushed with each commit."""
FULL: Final = 2


class Disk(sqlite3.Connection):
    """A connection whose commits can be slow or fail, and that knows who made them."""

    seconds = 0.0
    failing = 0
    """So many commits fail."""
    made_by: list[int]

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401 -- as the base class takes them
        if sql == "COMMIT":
            if self.failing:
                self.failing -= 1
                raise sqlite3.OperationalError("disk I/O error")
            time.sleep(self.seconds)
            self.made_by.append(threading.get_ident())
        return super().execute(sql, *values)


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    connection = sqlite3.connect(tmp_path / "numbers.db", isolation_level=None, check_same_thread=False, factory=Disk)
    connection.made_by = []
    connection.execute("CREATE TABLE number (value INTEGER)")
    yield connection
    connection.close()


def apply(connection: sqlite3.Connection, numbers: Sequence[int]) -> Sequence[int]:
    connection.executemany("INSERT INTO number VALUES (?)", [(number,) for number in numbers])
    return [-number for number in numbers]


@pytest.fixture
async def commits(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GroupCommit[int, int]]:
    monkeypatch.setattr("gateway.commits.PROMPT", PROMPT)
    commits: GroupCommit[int, int] = GroupCommit(disk, apply, name="numbers", is_quick=lambda number: number < 1000)
    yield commits
    await commits.close()


def stored(disk: Disk) -> list[int]:
    return [row[0] for row in disk.execute("SELECT value FROM number ORDER BY rowid")]


async def test_a_few_jobs_are_committed_on_the_loop_while_the_disk_is_prompt(
    disk: Disk, commits: GroupCommit[int, int]
) -> None:
    results = [await commits.submit(number) for number in range(5)]

    assert results == [0, -1, -2, -3, -4]
    assert set(disk.made_by) == {threading.get_ident()}


async def test_many_jobs_are_committed_on_the_thread(disk: Disk, commits: GroupCommit[int, int]) -> None:
    await asyncio.gather(*map(commits.submit, range(FEW + 1)))

    assert threading.get_ident() not in disk.made_by


async def test_a_job_that_takes_its_time_goes_to_the_thread(disk: Disk, commits: GroupCommit[int, int]) -> None:
    assert await asyncio.gather(*map(commits.submit, (1, 1000))) == [-1, -1000]

    assert threading.get_ident() not in disk.made_by


async def test_a_slow_disk_holds_the_loop_up_once(disk: Disk, commits: GroupCommit[int, int]) -> None:
    disk.seconds = SLOW

    for number in range(5):
        await commits.submit(number)

    assert [made_by == threading.get_ident() for made_by in disk.made_by] == [True, False, False, False, False]


async def test_a_disk_that_is_prompt_again_is_waited_for_again(disk: Disk, commits: GroupCommit[int, int]) -> None:
    disk.seconds = SLOW
    await commits.submit(1)
    disk.seconds = 0.0
    await commits.submit(2)
    await commits.submit(3)

    assert [made_by == threading.get_ident() for made_by in disk.made_by] == [True, False, True]


@pytest.mark.parametrize("quick_below", [1000, 0], ids=["on the loop", "on the thread"])
async def test_only_a_commit_of_what_may_be_lost_alone_is_not_flushed(disk: Disk, quick_below: int) -> None:
    """How SQLite was told to commit stands in the file beside each number."""
    disk.execute("ALTER TABLE number ADD COLUMN synchronous")

    def note(connection: sqlite3.Connection, numbers: Sequence[int]) -> Sequence[int]:
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
        connection.executemany("INSERT INTO number VALUES (?, ?)", [(number, level) for number in numbers])
        return numbers

    commits: GroupCommit[int, int] = GroupCommit(
        disk,
        note,
        name="numbers",
        is_quick=lambda number: number < quick_below,
        may_be_lost=lambda number: number % 2 == 0,
    )
    for batch in ((1,), (2,), (4, 6), (3,), (8, 5)):
        await asyncio.gather(*map(commits.submit, batch))
    written = disk.execute("SELECT value, synchronous FROM number ORDER BY rowid").fetchall()
    await commits.close()

    assert written == [(1, FULL), (2, NORMAL), (4, NORMAL), (6, NORMAL), (3, FULL), (8, FULL), (5, FULL)]


async def test_a_disk_that_was_slow_to_flush_is_not_prompt_because_of_a_commit_without_a_flush(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.commits.PROMPT", PROMPT)
    commits: GroupCommit[int, int] = GroupCommit(
        disk, apply, name="numbers", is_quick=lambda _: True, may_be_lost=lambda number: number == 0
    )
    disk.seconds = SLOW
    await commits.submit(1)
    disk.seconds = 0.0
    for number in (0, 1, 1):
        await commits.submit(number)
    await commits.close()

    assert [made_by == threading.get_ident() for made_by in disk.made_by] == [True, True, False, True]


async def test_jobs_that_are_not_gathered_are_done_when_they_are_put(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.commits.PROMPT", PROMPT)
    commits: GroupCommit[int, int] = GroupCommit(disk, apply, name="numbers", is_quick=lambda _: True, gathers=False)

    first, second = commits.submit(1), commits.submit(2)

    assert first.done()
    assert second.done()
    assert len(disk.made_by) == 2
    await commits.close()


async def test_jobs_that_are_gathered_share_a_commit(disk: Disk, commits: GroupCommit[int, int]) -> None:
    first, second = commits.submit(1), commits.submit(2)

    assert not first.done()
    assert list(await asyncio.gather(first, second)) == [-1, -2]
    assert len(disk.made_by) == 1


async def test_jobs_gather_for_the_pause_before_a_batch(disk: Disk, commits: GroupCommit[int, int]) -> None:
    async def put_in_turn(*jobs: int) -> None:
        under_way = []
        for job in jobs:
            under_way.append(commits.submit(job))
            await turns()
        await asyncio.gather(*under_way)

    await put_in_turn(1, 2)
    assert len(disk.made_by) == 2, "control: without one each has a commit"
    commits.pause = SLOW
    await put_in_turn(3, 4)

    assert len(disk.made_by) == 3


async def test_jobs_that_come_while_a_batch_is_away_gather_for_the_pause_after_it(
    disk: Disk, commits: GroupCommit[int, int]
) -> None:
    first = commits.submit(1000)
    await asyncio.sleep(0)  # it is away, and its end is told in a later turn of the loop at the earliest
    commits.pause = SLOW
    second = commits.submit(2)
    await first
    third = commits.submit(3)
    await asyncio.gather(second, third)

    assert len(disk.made_by) == 2


@pytest.mark.parametrize("count", [1, FEW + 1], ids=["on the loop", "on the thread"])
async def test_a_commit_that_fails_once_is_made_again_and_nothing_twice(
    disk: Disk, commits: GroupCommit[int, int], count: int
) -> None:
    disk.failing = 1

    await asyncio.gather(*map(commits.submit, range(count)))

    assert stored(disk) == list(range(count))


@pytest.mark.parametrize("count", [1, FEW + 1], ids=["on the loop", "on the thread"])
async def test_a_commit_that_goes_on_failing_is_told_and_leaves_nothing(
    disk: Disk, commits: GroupCommit[int, int], count: int
) -> None:
    disk.failing = 2

    results = await asyncio.gather(*map(commits.submit, range(count)), return_exceptions=True)

    assert [str(result) for result in results] == ["disk I/O error"] * count
    assert stored(disk) == []
    assert await commits.submit(7) == -7


@pytest.mark.parametrize("count", [1, FEW + 1], ids=["on the loop", "on the thread"])
async def test_what_is_queued_when_it_is_closed_is_committed_first(commits: GroupCommit[int, int], count: int) -> None:
    queued = [commits.submit(number) for number in range(count)]

    async with asyncio.timeout(5):
        await commits.close()

    assert await asyncio.gather(*queued) == [-number for number in range(count)]


@pytest.mark.parametrize("is_quick", [True, False])
async def test_after_a_batchs_results_it_says_so_once_and_only_then_comes_the_next(
    disk: Disk, *, is_quick: bool
) -> None:
    order: list[object] = []

    def note_and_apply(connection: sqlite3.Connection, numbers: Sequence[int]) -> Sequence[int]:
        order.append(list(numbers))
        return apply(connection, numbers)

    def told(number: int, _result: int | BaseException) -> None:
        order.append(number)
        if number == 1:
            one.put(3, told)

    one: GroupCommit[int, int] = GroupCommit(
        disk,
        note_and_apply,
        name="numbers",
        is_quick=lambda _number: is_quick,
        handed_out=lambda: order.append("handed out"),
    )
    one.put(1, told)
    one.put(2, told)
    await until(lambda: 3 in order, "the third is stored")
    await one.close()

    assert order == [[1, 2], 1, 2, "handed out", [3], 3, "handed out"]


@pytest.mark.parametrize("torn_at", ["a result", "the end"])
async def test_one_that_is_torn_away_while_it_hears_does_not_hold_the_next_batch_up(disk: Disk, torn_at: str) -> None:
    def hear(_number: int, _result: int | BaseException) -> None:
        if torn_at == "a result":
            raise asyncio.CancelledError

    def end() -> None:
        if torn_at == "the end" and len(stored(disk)) == 1:
            raise asyncio.CancelledError

    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    commits: GroupCommit[int, int] = GroupCommit(
        disk, apply, name="numbers", is_quick=lambda _number: True, handed_out=end
    )
    commits.put(1, hear)
    await asyncio.sleep(0)

    assert await asyncio.wait_for(commits.submit(2), 10) == -2
    await commits.close()


async def test_what_fails_between_two_commits_is_told_and_the_next_is_made(disk: Disk) -> None:
    def fails(_count: int) -> None:
        raise MemoryError

    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    commits: GroupCommit[int, int] = GroupCommit(disk, apply, name="numbers", is_due=lambda: True, afterwards=fails)
    assert [await asyncio.wait_for(commits.submit(number), 10) for number in (1, 2, 3)] == [-1, -2, -3]
    await commits.close()

    assert {type(context["exception"]) for context in told} == {MemoryError}
