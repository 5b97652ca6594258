"""Bring a database file up to the schema this gateway knows, in one transaction.

`PRAGMA user_version` counts the steps a file has taken. A new file takes all of them, an old one those it lacks, so
there is one way to the newest schema and not two that drift apart. A process killed in between leaves the old schema.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.errors import GatewayError


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str]) -> None:
    """Take the steps that the file lacks: `steps[n]` is the SQL that leads from version n to n + 1.

    Raises:
        GatewayError: the file is of a newer gateway.
        sqlite3.Error: a step failed; the file is as it was.
    """
    if _version(connection, path, steps) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[_version(connection, path, steps) :]:
            for statement in statements(step):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def statements(script: str) -> Iterator[str]:
    """The single statements of a script. `executescript` would run it whole, but commits what was begun before."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    yield statement


def _version(connection: sqlite3.Connection, path: Path, steps: Sequence[str]) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        raise GatewayError(f"{path} has schema {version}; this gateway knows up to {len(steps)}: install a newer one")
    return version
