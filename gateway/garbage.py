"""How often Python looks for objects that only hold each other: of its own, because both processes want it alike."""

import gc
from typing import Final

OFTEN: Final = 20_000
"""Objects made and not yet freed, above which it looks; its own 700 are a few events."""


def settle_down() -> None:
    """Call it once a process has what it keeps for good: that is not looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OFTEN)
