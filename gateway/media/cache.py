"""Files kept under the digest of their bytes, so that a name is a promise of what stands there."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from gateway.errors import MediaError
from gateway.partfile import PREFIX, PartFile

_ABANDONED: Final = 86_400.0
"""Seconds after which a draft is one that a killed process left."""


class Draft(PartFile):
    """A file on its way into the cache; it knows its digest so far."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._digest = sha256()
        self.size = 0

    def write(self, piece: bytes) -> int:
        """Append."""
        self._digest.update(piece)
        self.size += len(piece)
        return super().write(piece)

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was written."""
        return self._digest.digest()


class Cache:
    """A folder of files, up to a number of bytes; those used longest ago go first. Usable from any thread."""

    def __init__(self, folder: Path, limit: int, min_free: int = 0) -> None:
        """`min_free`: bytes that must stay free on the disk, for the journal needs them more."""
        self._folder = folder
        self._limit = limit
        self._min_free = min_free

    def find(self, digest: bytes | None) -> BinaryIO | None:
        """The file with that digest, open."""
        if digest is None:
            return None
        path = self._folder / digest.hex()
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        with contextlib.suppress(OSError):
            path.touch()
        return file

    def draft(self) -> Draft:
        """A new file to write.

        Raises:
            MediaError: the folder can't be written, or the disk has too little room.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if shutil.disk_usage(self._folder).free < self._min_free:
                raise MediaError(f"the disk of {self._folder} has less than data_min_free left; make room")
            return Draft(self._folder)
        except OSError as error:
            raise MediaError(f"{self._folder} can't be written: {error.strerror}") from error

    def add(self, draft: Draft) -> BinaryIO:
        """Keep a complete file, drop what is too much, and give it open: readable even if it was itself too much."""
        path = self._folder / draft.digest.hex()
        draft.keep(path)
        file = path.open("rb")
        self._trim()
        return file

    def _trim(self) -> None:
        kept, now = 0, time.time()
        for path, seen in sorted(self._files(), key=lambda file: file[1].st_mtime, reverse=True):
            is_draft = path.name.startswith(PREFIX)
            kept += 0 if is_draft else seen.st_size
            if seen.st_mtime < now - _ABANDONED if is_draft else kept > self._limit:
                path.unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another thread dropped it
                yield path, path.stat()
