"""How the gateway opens its SQLite files: one connection that writes, any number that read."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

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
