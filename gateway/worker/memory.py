"""How much memory the worker holds: a plugin that leaks has its process replaced before it takes the machine's."""

import asyncio
import os
import resource
import sys
from pathlib import Path
from typing import Final

LOOK_EVERY: Final = 1.0  # seconds
_STATM: Final = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of memory this process holds; where the system doesn't say so, the most it ever held."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


async def until_above(limit: int) -> int:
    """Return once more than `limit` bytes are held, with how many; never, where `limit` is 0."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if limit and (held := resident()) > limit:
            return held
