"""What handlers under test did: each writes one line a call into one file, with O_APPEND, whatever dies afterwards.

Handlers that are measured, of one plugin at a time, keep it in memory until there is a pause, for the line would be
measured with them.
"""

from pathlib import Path
from typing import Final

import msgspec

FILE: Final = "records.jsonl"
VARIABLE: Final = "GATEWAY_TEST_RECORDS"
"""Environment variable that holds the file's path."""

PRELUDE: Final = f"""
import asyncio
import json
import os
import time

_file = os.open(os.environ["{VARIABLE}"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


PAUSE = 0.3
_noted = []


def record(ctx, stage="ran", note=""):
    _write(ctx.delivery, stage, note, time.monotonic())


def note(ctx):
    _noted.append((ctx.delivery, time.monotonic()))
    if len(_noted) == 1:
        _write_in_a_pause(asyncio.get_running_loop())


def _write_in_a_pause(loop):
    if time.monotonic() - _noted[-1][1] < PAUSE:
        loop.call_later(PAUSE, _write_in_a_pause, loop)
        return
    for delivery, at in _noted:
        _write(delivery, "ran", "", at)
    _noted.clear()


def _write(delivery, stage, note, at):
    seq, plugin, run = delivery.id.split(".")
    line = {{
        "seq": int(seq),
        "plugin": plugin,
        "attempt": delivery.attempt,
        "stage": stage,
        "note": note,
        "at": at,
    }}
    os.write(_file, (json.dumps(line) + "\\n").encode())
"""
"""`routes/_record.py`, which plugins under test import `record` and `note` from."""


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
    """Every line so far, in the order they were written; one that is being written is none yet."""
    try:
        lines = (folder / FILE).read_bytes().rpartition(b"\n")[0].splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Record) for line in lines]
