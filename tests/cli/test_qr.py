"""What the terminal shows is the code that a phone has to read."""

import click
import segno

from gateway.cli.qr import qr_lines

CODE = "2@abcdefghijklmnopqrstuvwxyz0123456789,ABCDEFGH,IJKLMNOP,QRSTUVWX"
ROWS = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
"""Light above, light below."""


def test_blocks_are_the_modules_of_the_code_with_a_light_border() -> None:
    lines = [click.unstyle(line) for line in qr_lines(CODE)]

    light = [[ROWS[block][half] for block in line] for line in lines for half in (0, 1)]
    modules = segno.make(CODE, error="l", micro=False).matrix
    size = len(modules)
    inner = [row[2 : 2 + size] for row in light[2 : 2 + size]]
    assert inner == [[not module for module in row] for row in modules]
    assert all(row[:2] == [True, True] and row[2 + size : 4 + size] == [True, True] for row in light[: size + 4])
    assert all(all(row) for row in (*light[:2], *light[2 + size : 4 + size]))
    assert max(map(len, lines)) <= 80


def test_colours_do_not_depend_on_the_terminals() -> None:
    assert all(line.startswith("\x1b[97m\x1b[40m") for line in qr_lines(CODE))
