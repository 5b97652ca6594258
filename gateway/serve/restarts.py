"""How long to wait until the worker is started again, by how the last ones ended."""

from typing import Final

PAUSES: Final = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds, by how many ended too soon in a row: short for the few deaths that one poison delivery costs everybody."""
CALM: Final = 30.0
"""Seconds of life after which a worker's end begins a new row."""


class Restarts:
    """Counts ends in a row. No clock: the caller says how long a worker lived."""

    def __init__(self) -> None:
        self.deaths = 0
        """In a row; an end that was asked for is none."""
        self._outgrown = 0

    @property
    def pause(self) -> float:
        """Seconds to wait before the next start."""
        return PAUSES[min(max(self.deaths, self._outgrown), len(PAUSES) - 1)]

    def died(self, lived: float) -> None:
        """It ended by itself."""
        self.deaths = 1 if lived > CALM else self.deaths + 1

    def outgrew(self, lived: float) -> None:
        """It held too much memory: no death, but where a plugin leaks fast there must be a pause, too."""
        self._outgrown = 0 if lived > CALM else self._outgrown + 1

    def replaced(self) -> None:
        """Another one took over."""
        self.deaths = self._outgrown = 0
