"""Notice that a file changed: by looking, for no notification reaches across every container's mounts."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

LOOK_EVERY: Final = 0.25
"""Seconds between looks. An edit is seen after two at most, which leaves a busy machine the time to load it."""

_Seen = dict[Path, tuple[int, int]]


class Watch:
    """Iterate over it to get the names of changed files, once they have stopped changing for one look."""

    def __init__(self, folder: Path, also: Sequence[Path] = ()) -> None:
        """The Python files of a folder, and some others, which may not be there."""
        self._folder = folder
        self._also = also

    async def __aiter__(self) -> AsyncIterator[list[str]]:
        """Go on until the consumer stops."""
        acted = seen = self._look()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            before, seen = seen, self._look()
            if seen == before and seen != acted:
                changed = {path for path, _ in seen.items() ^ acted.items()}
                acted = seen
                yield sorted(path.name for path in changed)

    def _look(self) -> _Seen:
        try:
            paths = [*sorted(self._folder.rglob("*.py")), *self._also]
        except OSError:  # a folder that vanished while it was read: the next look sees what is there then
            return {}
        return {path: (stat.st_mtime_ns, stat.st_size) for path in paths if (stat := _stat(path))}


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
