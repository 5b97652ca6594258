"""What a fault came to, as a row of the table."""

from collections.abc import Sequence
from typing import Final

import msgspec

COLUMNS: Final = ("fault", "rounds", "acknowledged", "lost", "handled", "out of order", "repeated effects", "note")
SHOWN: Final = 5
"""Complaints of one kind that are printed."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, survived or not."""

    fault: str = ""
    rounds: int = 1
    acknowledged: int
    handled: int
    lost: Sequence[str] = ()
    """What was acknowledged and is gone, or was never handled, or never settled; a sentence each."""
    out_of_order: Sequence[str] = ()
    repeated: Sequence[str] = ()
    """Effects that are there twice, or not at all."""
    failures: Sequence[str] = ()
    """All else that must not be: an exit code, an answer, a process left behind."""
    note: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Nothing is wrong."""
        return not (self.lost or self.out_of_order or self.repeated or self.failures)

    @property
    def complaints(self) -> list[str]:
        """Some of what is wrong, in words."""
        kinds = (self.failures, self.lost, self.out_of_order, self.repeated)
        return [text for kind in kinds for text in kind[:SHOWN]]

    def cells(self) -> tuple[str, ...]:
        """Its values, in the order of the columns."""
        counts = (self.rounds, self.acknowledged, len(self.lost), self.handled)
        note = self.note if not self.failures else f"FAILED. {self.note}"
        return self.fault, *map(str, (*counts, len(self.out_of_order), len(self.repeated))), note


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The whole, as Markdown."""
    lines = [columns, ["---" for _ in columns], *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    filler = "-" if cells[0] == "---" else " "
    return f"| {' | '.join(cell.ljust(width, filler) for cell, width in zip(cells, widths, strict=True))} |"
