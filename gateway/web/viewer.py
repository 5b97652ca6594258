"""One open page, and what waits to be written to it: a few frames, and then it is told to come back and let go."""

import asyncio
from collections.abc import Callable
from typing import Final

WAITING: Final = 25
"""Frames; five seconds of a page that does not read."""
PATIENCE: Final = 10.0
"""Seconds that a dropped page gets to read what is on its way, the note at its end included."""
_DROPPED: Final = (
    b"retry: 1000\nevent: dropped\n"
    b'data: {"reason": "This page read too slowly, so its stream was ended. It comes back by itself."}\n\n'
)


class Viewer:
    """Frames are shared between viewers; only the waiting for them is each one's own."""

    def __init__(self, let_go: Callable[[], object]) -> None:
        """`let_go` cuts the connection of a page that does not even read that it was dropped."""
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)
        self._let_go = let_go
        self._cut: asyncio.TimerHandle | None = None

    def put(self, frame: bytes | None) -> bool:
        """Hand over a frame (None: the end); False when too many wait already, and this is a viewer no more."""
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self._drop()
            return False
        return True

    async def get(self) -> bytes | None:
        """The next frame; None at the end."""
        return await self._frames.get()

    def leave(self) -> None:
        """The connection has ended."""
        if self._cut is not None:
            self._cut.cancel()

    def _drop(self) -> None:
        """What it missed it will ask for when it comes back, so none of that is kept."""
        while not self._frames.empty():
            self._frames.get_nowait()
        self._frames.put_nowait(_DROPPED)
        self._frames.put_nowait(None)
        self._cut = asyncio.get_running_loop().call_later(PATIENCE, self._let_go)
