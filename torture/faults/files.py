"""Damage to the journal's files while nothing runs: it starts, says what is missing, and never numbers backwards.

All that was acknowledged before has been handled, unless a fault says otherwise; what the damage destroys is therefore
told apart from what the gateway loses. After each damage new messages must get higher numbers, and be handled.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from torture.fault import Fault
from torture.stage import Stage

BEFORE: Final = 150
AFTER: Final = 50
"""Messages posted before and after each damage."""
FRAME: Final = 4096 + 24
"""Bytes of one page in SQLite's log."""

Damage = Callable[[Stage, Path], None]


def torn_tail(stage: Stage, data: Path) -> None:
    """A write that was cut off: the beginning of one more frame."""
    with (data / "journal.db-wal").open("ab") as log:
        log.write(stage.random.randbytes(stage.random.randrange(1, FRAME)))


def garbage_tail(stage: Stage, data: Path) -> None:
    """Several frames of nonsense."""
    with (data / "journal.db-wal").open("ab") as log:
        log.write(stage.random.randbytes(5 * FRAME))


def missing_log(_: Stage, data: Path) -> None:
    """SQLite's log is gone, and all that was only there."""
    (data / "journal.db-wal").unlink()


def flipped_bit_in_log(stage: Stage, data: Path) -> None:
    """One bit in SQLite's log: it ends there, whatever was acknowledged after."""
    _flip(stage, data / "journal.db-wal", 32)


def flipped_bit(stage: Stage, data: Path) -> None:
    """One bit somewhere in the database."""
    _checkpoint(data)
    _flip(stage, data / "journal.db", 0)


def corrupt_file(stage: Stage, data: Path) -> None:
    """The database begins with nonsense."""
    _checkpoint(data)
    with (data / "journal.db").open("r+b") as file:
        file.write(stage.random.randbytes(8192))


def pruned(_: Stage, data: Path) -> None:
    """Every row is gone."""
    with closing(sqlite3.connect(data / "journal.db")) as journal, journal:
        journal.execute("DELETE FROM event")
        journal.execute("DELETE FROM sorted")
        journal.execute("DELETE FROM fresh")


def restored_copy(_: Stage, data: Path) -> None:
    """Somebody puts back the copy that was made before the first message."""
    _copy_journal(data.parent / "backup", data)


class Victim:
    """A gateway that is damaged, started again and looked at."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._gateway = stage.gateway
        self._backup = stage.gateway.folder / "backup"
        self._said = 0
        self._destroyed = 0

    async def begin(self) -> None:
        """Let it handle a little, and make a copy of its journal."""
        await self._gateway.start()
        await self._stage.post(AFTER)
        await self._kill()
        _copy_journal(self._gateway.data, self._backup)

    async def suffer(self, damage: Damage) -> None:
        """One round."""
        stage = self._stage
        await self._gateway.start()
        await stage.post(BEFORE)
        await self._kill()
        stage.keep()
        highest = max(stage.kept)
        damage(stage, self._gateway.data)
        await self._gateway.start()
        self._look_what_is_missing()
        before = set(stage.sender.acknowledged)
        await stage.post(AFTER)
        lowest = min(answer.id for body, answer in stage.sender.acknowledged.items() if body not in before)
        stage.expect(lowest > highest, f"numbers went back from {highest} to {lowest}")
        await self._kill()

    async def end(self) -> None:
        """Leave it running."""
        await self._gateway.start()
        self._stage.notes.append(f"{self._destroyed} rows destroyed, which was said {self._said} times")

    def _look_what_is_missing(self) -> None:
        """Rows that were there before this damage."""
        said = len(self._gateway.logged("journal_rows_missing")) + len(self._gateway.logged("journal_set_aside"))
        missing = len(self._stage.kept.keys() - {summary.seq for summary in self._gateway.summaries()})
        destroyed = missing - self._destroyed
        self._stage.expect(not destroyed or said > self._said, f"{destroyed} rows are missing and nobody said so")
        self._said, self._destroyed = said, missing

    async def _kill(self) -> None:
        for pid in self._gateway.processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self._gateway.ended(within=5)


def damaged(damage: Damage) -> Callable[[Stage], Awaitable[None]]:
    """Do it again and again, with messages before and after."""

    async def happen(stage: Stage) -> None:
        victim = Victim(stage)
        await victim.begin()
        for _ in range(stage.rounds):
            await victim.suffer(damage)
        await victim.end()

    return happen


def _checkpoint(data: Path) -> None:
    """Have all that SQLite's log holds written into the database itself, as happens every thousand pages."""
    with closing(sqlite3.connect(data / "journal.db")) as journal:
        journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _flip(stage: Stage, file: Path, first: int) -> None:
    content = bytearray(file.read_bytes())
    at = stage.random.randrange(first, len(content))
    content[at] ^= 1 << stage.random.randrange(8)
    file.write_bytes(content)


def _copy_journal(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (target / name).unlink(missing_ok=True)
        if (source / name).exists():
            shutil.copy(source / name, target / name)


FAULTS: Final = tuple(
    Fault(f"journal: {name}", 5, damaged(damage))
    for name, damage in (
        ("torn tail", torn_tail),
        ("garbage tail", garbage_tail),
        ("missing log", missing_log),
        ("flipped bit in the log", flipped_bit_in_log),
        ("flipped bit", flipped_bit),
        ("corrupt file", corrupt_file),
        ("all rows pruned", pruned),
        ("restored copy", restored_copy),
    )
)
