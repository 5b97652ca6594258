"""A batch of any size is a handful of statements, and none of its rows is left out."""

import sqlite3

import pytest

from gateway.statements import chunks, run_on_rows


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 31, 63, 64, 65, 127, 300])
def test_every_row_is_in_one_chunk_and_in_its_order(count: int) -> None:
    rows = list(range(count))

    assert [row for chunk in chunks(rows) for row in chunk] == rows


def test_many_rows_take_few_statements() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE pair (a, b)")
    statements: list[str] = []
    connection.set_trace_callback(statements.append)

    run_on_rows(connection, "INSERT INTO pair (a, b) VALUES {rows}", [(number, "x") for number in range(100)])

    inserts = [text for text in statements if text.startswith("INSERT")]
    assert len(inserts) == 3  # 64, 32 and 4
    assert connection.execute("SELECT count(*), min(a), max(a) FROM pair").fetchone() == (100, 0, 99)
