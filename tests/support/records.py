"""What handlers under test did: each writes one line a call into one file, with O_APPEND, whatever dies afterwards."""

from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "records.jsonl"
VARIABLE: Final = "GATEWAY_TEST_RECORDS"
"""Environment variable that holds the file's path."""

PRELUDE: Final = f"""
import json
import os
import time

_file = os.open(os.environ["{VARIABLE}"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def record(ctx, stage="ran", note=""):
    seq, plugin, run = ctx.delivery.id.split(".")
    line = {{
        "seq": int(seq),
        "plugin": plugin,
        "attempt": ctx.delivery.attempt,
        "stage": stage,
        "note": note,
        "at": time.monotonic(),
    }}
    os.write(_file, (json.dumps(line) + "\\n").encode())
"""
"""`routes/_record.py`, which plugins under test import `record` from."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    seq: int
    plugin: str
    attempt: int
    stage: str
    note: str
    at: float
    """Seconds of the machine's monotonic clock."""


def read(folder: Path) -> list[Record]:
    """Every line so far, in the order they were written."""
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Record) for line in lines]
