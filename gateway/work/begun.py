"""Attempts that have begun, noted beside `work.db` until a commit says so, or says that they have ended.

A commit costs a hundred times what overwriting a line does, and most of what begins has ended by the next one. Like a
commit that is not flushed, the line outlives a worker that is killed; a power cut may take it.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from gateway.work.batch import Delivery

MOST: Final = 64
"""Attempts noted at a time at most, for the line is written as a whole."""
_FILE: Final = "work.begun"


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """An attempt that had begun, or had ended already: the commits know, for the line is emptied after them."""

    delivery: int
    seq: int
    plugin: str


class Begun:
    """The writer of that line. One per data folder, as of `work.db`."""

    def __init__(self, folder: Path) -> None:
        self._noted: list[Noted] = []
        self._is_empty = False
        self._file = -1
        with contextlib.suppress(OSError):  # then nothing is noted, and each attempt waits for a commit
            self._file = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o600)

    @staticmethod
    def read(folder: Path) -> list[Noted]:
        """What is noted there; nothing where there is no such line, or none that makes sense."""
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            line = (folder / _FILE).read_bytes().partition(b"\n")[0]
            return msgspec.json.decode(line, type=list[Noted])
        return []

    def note(self, deliveries: Sequence[Delivery]) -> bool:
        """Have it in the file that these begin. False: it can't be said of one of them, so a commit must say it of all.

        A note is for the first attempt of an event that came as it comes: of all others, `work.db` has more to say.
        """
        if not deliveries:
            return True
        noted = self._noted + [Noted(each.id, each.seq, each.plugin) for each in deliveries]
        if len(noted) > MOST or not all(each.is_new for each in deliveries):
            return False
        self._is_empty = False
        if not self._write(noted):
            self._write(self._noted)
            return False
        self._noted = noted
        return True

    def forget(self) -> None:
        """A commit has said it all, what an earlier worker noted included."""
        self._noted = []
        self._is_empty = self._is_empty or self._write(self._noted)

    def close(self) -> None:
        """Let go of the file. Closing twice does no harm."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, noted: Sequence[Noted]) -> bool:
        line = msgspec.json.encode(noted) + b"\n"
        with contextlib.suppress(OSError):
            return os.pwrite(self._file, line, 0) == len(line)
        return False
