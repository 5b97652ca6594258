"""How often Python looks for objects that only hold each other: of its own, because every process wants it alike."""

import gc
from typing import Final

OFTEN: Final = 20_000
"""Objects made and not yet freed, above which it looks; its own 700 are a few events."""


def look_seldom() -> None:
    """Call it first: what a start imports stays, and looking through it again and again is a fifth of the start."""
    gc.set_threshold(OFTEN)


def settle_down() -> None:
    """Call it once a process has what it keeps for good: that is not looked through again."""
    gc.collect()
    gc.freeze()
    look_seldom()
