"""What was found somewhere: as it should be, doubtful, or wrong, and then what to do."""

from typing import Literal

import msgspec

Level = Literal["ok", "warning", "failure"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    level: Level
    about: str
    """Where: `gateway`, `evolution`, `webhook shop-1`, `disk`, ..."""
    found: str
    """What is the case, as a sentence without its full stop."""
    fix: str = ""
    """The one thing to do; empty when nothing is wrong."""


def ok(about: str, found: str) -> Finding:
    """It is as it should be."""
    return Finding(level="ok", about=about, found=found)


def warning(about: str, found: str, fix: str) -> Finding:
    """It works, or might; sooner or later somebody will wonder."""
    return Finding(level="warning", about=about, found=found, fix=fix)


def failure(about: str, found: str, fix: str) -> Finding:
    """Events or answers are lost because of it."""
    return Finding(level="failure", about=about, found=found, fix=fix)
