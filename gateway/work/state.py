"""Read what plugins remember, from their own threads, as it is committed."""

from pathlib import Path

from gateway.plugins.state import StateKey
from gateway.work.late import LateReader
from gateway.work.store import WORK


class StateReader(LateReader):
    """A `StateSource` over `work.db`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / WORK)

    def read(self, key: StateKey) -> tuple[bytes | None, int]:
        """The JSON under a key and its revision; (None, 0) where there never was anything.

        Raises:
            sqlite3.Error: it can't be read just now; the attempt fails and is tried again.
        """
        rows = self._read(
            "SELECT value, revision FROM state WHERE plugin = ? AND instance = ? AND scope = ?",
            (key.plugin, key.instance, key.scope),
        )
        return rows[0] if rows else (None, 0)
