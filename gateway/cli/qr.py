"""A QR code as text: two rows of it in one line of half blocks, light on dark whatever the terminal's own colours."""

import io
from collections.abc import Iterator

import click
import segno

_BORDER = 2
"""Light modules around it; the standard asks for four, phones need less, and a terminal has few lines."""


def qr_lines(text: str) -> Iterator[str]:
    """The code, a line at a time."""
    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True, border=_BORDER)
    for line in drawn.getvalue().splitlines():
        yield click.style(line, fg="bright_white", bg="black")
