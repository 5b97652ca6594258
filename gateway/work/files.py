"""The files that queued messages bring, kept beside `work.db` under the hash of their bytes until nothing names them.

On disk before the delivery is settled, so a committed message never lacks its file; a file that a crash left without
its message is removed by retention.
"""

import os
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = "outgoing"
YOUNG: Final = 3600.0
"""Seconds in which a file may still be waiting for its delivery to be settled."""


class OutgoingFiles:
    """The folder. Usable from any thread."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def keep(self, content: bytes) -> str:
        """Store a file, flushed to disk; gives the name to ask for it by.

        Raises:
            OSError: it can't be written.
        """
        name = sha256(content).hexdigest()
        path = self._folder / name
        if path.exists():
            os.utime(path)  # young again: retention must not take it from the message that now names it
            return name
        self._folder.mkdir(mode=0o700, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 -- a mode
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        _flush(self._folder)
        return name

    def read(self, name: str) -> bytes:
        """The file's bytes.

        Raises:
            OSError: it is gone, or can't be read.
        """
        return (self._folder / name).read_bytes()

    def old(self, now: float) -> Iterator[str]:
        """The names of files that have been there for so long that some message must name them, if one ever will."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path.stat().st_mtime < now - YOUNG:
                    yield path.name

    def remove(self, name: str) -> None:
        """Let a file go."""
        (self._folder / name).unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
