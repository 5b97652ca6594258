"""Read what plugins remember, from their own threads, as it is committed."""

import sqlite3
import threading
from pathlib import Path

from gateway.plugins.state import StateKey
from gateway.sqlite import open_reader
from gateway.work.store import WORK


class StateReader:
    """A `StateSource` over `work.db`. Opened when it is first asked, for most plugins remember nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / WORK
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()  # `def` handlers of one plugin run in several threads

    def read(self, key: StateKey) -> tuple[bytes | None, int]:
        """The JSON under a key and its revision; (None, 0) where there never was anything.

        Raises:
            sqlite3.Error: it can't be read just now; the attempt fails and is tried again.
        """
        with self._lock:
            if self._connection is None:
                self._connection = open_reader(self._path)
            row = self._connection.execute(
                "SELECT value, revision FROM state WHERE plugin = ? AND instance = ? AND scope = ?",
                (key.plugin, key.instance, key.scope),
            ).fetchone()
        return (row[0], row[1]) if row else (None, 0)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
