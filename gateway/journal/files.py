"""Open `journal.db` whatever state it was left in, and keep its high-water mark.

A file that is not a database, or a broken one, is set aside and never deleted. Everything else that can go wrong
(permissions, descriptors, a full disk) passes, so it is reported and the file is left alone.
"""

import contextlib
import os
import sqlite3
import time
from importlib.resources import files
from pathlib import Path
from typing import Final

from gateway.errors import GatewayError
from gateway.journal.keys import KEY
from gateway.log import log
from gateway.migrations import migrate
from gateway.sqlite import open_writer

JOURNAL: Final = "journal.db"
STEPS: Final = ("schema.sql", "instances.sql", "fresh.sql", "runs.sql", "sorted.sql")
"""Files with the SQL from one version to the next, the first from an empty file."""
_BROKEN: Final = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


def open_journal(folder: Path, floor: int) -> tuple[sqlite3.Connection, str, int]:
    """The writing connection, the journal's generation, and the number above which the next event is numbered."""
    path = folder / JOURNAL
    try:
        connection = _open(path)
        last = _last(connection)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _BROKEN:
            raise GatewayError(f"{path} can't be opened: {error}") from error
        _set_aside(path, error)
        connection = _open(path)
        last = 0
    generation = _generation(connection)
    marked = Mark.read(folder)
    if marked > last:
        log.error("journal_rows_missing", after=last, up_to=marked, file=str(path))
    return connection, generation, max(last, marked, floor)


class Mark:
    """The highest number ever committed, in a small file beside the journal.

    Written after the commit, so it may lag behind the journal and never leads. It outlives a journal that was set
    aside, pruned or restored from a copy, and keeps the numbers from running backwards.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "journal.mark", os.O_RDWR | os.O_CREAT, 0o600)

    @staticmethod
    def read(folder: Path) -> int:
        """The number in the file; 0 without a file or where it can't be read."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int((folder / "journal.mark").read_text().split()[0])
        return 0

    def write(self, generation: str, seq: int) -> None:
        """Overwrite in place; no flush is needed, for a lagging mark does no harm."""
        with contextlib.suppress(OSError):
            os.pwrite(self._file, f"{seq:020d} {generation}\n".encode(), 0)

    def close(self) -> None:
        """Let go of the file. Closing twice does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _open(path: Path) -> sqlite3.Connection:
    connection = open_writer(path)
    migrate(connection, path, [files("gateway.journal").joinpath(name).read_text() for name in STEPS])
    return connection


def _last(connection: sqlite3.Connection) -> int:
    events, keys = connection.execute(
        "SELECT (SELECT coalesce(max(seq), 0) FROM event), "
        f"(SELECT coalesce(max(seq + step * (length(keys) / {KEY} - 1)), 0) FROM fresh)"
    ).fetchone()
    return int(max(events, keys))


def _generation(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()[0])


def _set_aside(path: Path, error: sqlite3.DatabaseError) -> None:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(f"{path.name}.broken-{stamp}{suffix}"))
    log.error("journal_set_aside", file=str(path), kept_as=f"{path.name}.broken-{stamp}", error=str(error))
