"""Every fault, in the order of importance."""

from collections.abc import Sequence
from typing import Final

from torture.fault import Fault
from torture.faults import answers, crowds, disks, files, handlers, kills, life

ALL: Final[Sequence[Fault]] = (
    *kills.FAULTS,
    *answers.FAULTS,
    *crowds.FAULTS,
    *handlers.FAULTS,
    *disks.FAULTS,
    *files.FAULTS,
    *life.FAULTS,
)
