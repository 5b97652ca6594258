"""What can be seen of the machine, and of processes from outside."""

import os
import platform
from pathlib import Path

from tests.support.gateway import Gateway

_PAGE = os.sysconf("SC_PAGE_SIZE")


def megabytes(gateway: Gateway) -> dict[str, float]:
    """Resident memory of a gateway's processes, in MiB."""
    return {"receiver": _resident(gateway.process.pid), "worker": _resident(gateway.worker or 0)}


def describe() -> str:
    """One line about this machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * _PAGE / 2**30
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, {python}"


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 2**20
    except OSError:  # it has just ended
        return 0.0
