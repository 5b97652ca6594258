"""A view of `work.db` that is opened when it is first asked, for most are never asked; usable from any thread."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

from gateway.sqlite import open_reader


class LateReader:
    """Reads what is committed. Close it with `close()`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()  # `def` handlers of one plugin run in several threads

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _read(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """The rows; raises `sqlite3.Error` when they can't be read just now."""
        with self._lock:
            if self._connection is None:
                self._connection = open_reader(self._path)
            return self._connection.execute(sql, values).fetchall()
