"""Processes of one gateway: found by a mark in their environment, so that a test leaves none of them behind."""

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

MARK: Final = "GATEWAY_TEST_MARK"
"""Environment variable that a gateway under test and all its children carry."""


def marked(mark: str) -> list[int]:
    """The living processes that carry a mark."""
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in _all() if wanted in _read(pid, "environ").split(b"\0")]


def kill_marked(mark: str) -> None:
    """End them all at once, and whatever they start meanwhile."""
    while found := marked(mark):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def worker_among(mark: str) -> int | None:
    """The worker under `gateway serve`, which has a line to its receiver."""
    found = [pid for pid in marked(mark) if {b"work", b"--link"} <= set(_read(pid, "cmdline").split(b"\0"))]
    return found[0] if found else None


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    """A file of a process; empty for one that has ended, is a zombie, or is somebody else's."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
