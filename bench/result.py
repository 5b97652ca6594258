"""What a measurement comes to: tables, and ratios with the goal each was given."""

import statistics
from collections.abc import Sequence

import msgspec

from torture.table import table


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was to be reached."""

    name: str
    value: float
    goal: float
    at_most: bool = False
    """The value is to stay under the goal; else above it."""

    @property
    def is_met(self) -> bool:
        """Whether it was reached."""
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        side = "at most" if self.at_most else "at least"
        return f"{'met   ' if self.is_met else 'MISSED'}  {self.value:8.2f}  {side} {self.goal:g}  {self.name}"


class Result(msgspec.Struct, kw_only=True):
    """One section of the report."""

    title: str
    columns: Sequence[str]
    rows: list[list[str | float]] = msgspec.field(default_factory=list)
    goals: list[Goal] = msgspec.field(default_factory=list)

    def __str__(self) -> str:
        cells = [[_write(value) for value in row] for row in self.rows]
        return f"### {self.title}\n\n{table(self.columns, cells)}"


def spread(values: Sequence[float], digits: int) -> str:
    """The median, and the lowest and the highest."""
    median, low, high = (f"{each:.{digits}f}" for each in (statistics.median(values), min(values), max(values)))
    return f"{median} ({low} to {high})"


def _write(value: str | float) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) or value.is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"  # noqa: PLR2004 -- digits that say something
