"""A file that is there whole or not at all: written under another name, and given its own once it is complete."""

import contextlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PREFIX: Final = ".part-"
"""How the name begins of a file that is not complete."""


class PartFile:
    """Written beside where it will stand, mode 0600; gone at the end of its block unless it was kept."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError when the folder can't be written."""
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, dir=folder)
        self._file = os.fdopen(descriptor, "w+b")
        self._path: Path | None = Path(name)

    @classmethod
    def beside(cls, target: Path) -> Self:
        """One in the folder of `target`, which is made where it is missing."""
        target.parent.mkdir(parents=True, exist_ok=True)
        return cls(target.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    def write(self, piece: bytes) -> int:
        """Append."""
        return self._file.write(piece)

    def keep(self, target: Path) -> None:
        """It is complete: give it its name, in place of what stands there. Must be in the same folder."""
        self._file.flush()
        if self._path is not None:
            self._path.replace(target)
            self._path = None
