"""Where a thread is right now, in the words of the plugin's author: function, file and line of their own code."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import msgspec

from gateway.plugins import Handler


class Place(msgspec.Struct, frozen=True):
    """A line of code under way."""

    function: str
    file: str
    line: int
    handler: str | None
    """Name of the handler that led there; None if that was a task it left behind."""

    def __str__(self) -> str:
        return f"{self.function} ({Path(self.file).name}:{self.line})"


def place_of(thread: int, file: str, handlers: Sequence[Handler] = ()) -> Place | None:
    """The innermost line of a plugin's file that a thread is in; None for a thread that has ended.

    If it is nowhere in that file it is in one beside it; and if not there, then wherever it is.
    """
    frames = list(_frames(thread))
    if not frames:
        return None
    own = (each for each in frames if each.f_code.co_filename == file)
    beside = (each for each in frames if Path(each.f_code.co_filename).parent == Path(file).parent)
    frame = next(own, None) or next(beside, None) or frames[0]
    codes = {each.f_code for each in frames}
    handler = next((each.name for each in handlers if getattr(each.function, "__code__", None) in codes), None)
    return Place(frame.f_code.co_name, frame.f_code.co_filename, frame.f_lineno, handler)


def _frames(thread: int) -> Iterator[FrameType]:
    """From the innermost outwards."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 -- documented, and the only way to ask another thread
    while frame is not None:
        yield frame
        frame = frame.f_back
