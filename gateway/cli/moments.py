"""Points in time as people write them on a command line."""

import re
import time
from datetime import datetime
from typing import Final

import click

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_TODAY: Final = re.compile(r"(\d{1,2}):(\d{2})")


def moment(given: str) -> float:
    """Unix seconds out of `90s`, `15m`, `2h`, `1d` (ago), `15:07` (today), or a date with or without a time.

    Raises:
        click.BadParameter: it is none of these.
    """
    text = given.strip()
    if found := _AGO.fullmatch(text):
        return time.time() - float(found[1]) * _UNITS[found[2]]
    try:
        if found := _TODAY.fullmatch(text):
            return datetime.now().astimezone().replace(hour=int(found[1]), minute=int(found[2]), second=0).timestamp()
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{given!r} is no time: write 15m, 2h, 1d, 15:07, 2026-01-31 or '2026-01-31 15:07'"
        ) from None
