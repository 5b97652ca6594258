"""A file's schema is the old one or the new one, whatever happens on the way from one to the other."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.journal import Journal, JournalReader
from gateway.journal.files import STEPS as JOURNAL_STEPS
from gateway.migrations import migrate, statements
from gateway.sqlite import open_writer
from gateway.work import WorkStore
from gateway.work.store import STEPS as WORK_STEPS

FIRST = "CREATE TABLE pet (name TEXT); INSERT INTO pet VALUES ('Rex'); INSERT INTO pet VALUES ('Tom; Cat')"
SECOND = """
ALTER TABLE pet ADD COLUMN kind TEXT; -- dog; or cat
UPDATE pet SET kind = 'dog' WHERE name = 'Rex';
CREATE TRIGGER born AFTER INSERT ON pet BEGIN UPDATE pet SET kind = 'new'; SELECT 1; END;
"""
THIRD = "CREATE TABLE owner (name TEXT); INSERT INTO owner VALUES ('Ana')"
BROKEN = "ALTER TABLE pet ADD COLUMN kind TEXT; DELETE FROM pet; SELECT no_such_function()"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pets.db"


@pytest.fixture
def file(path: Path) -> Iterator[sqlite3.Connection]:
    """A file of version 1."""
    connection = open_writer(path)
    migrate(connection, path, [FIRST])
    yield connection
    connection.close()


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def schema(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


def test_an_old_file_takes_the_steps_it_lacks_and_keeps_its_rows(file: sqlite3.Connection, path: Path) -> None:
    migrate(file, path, [FIRST, SECOND, THIRD])

    assert version(file) == 3
    assert file.execute("SELECT name, kind FROM pet ORDER BY name").fetchall() == [("Rex", "dog"), ("Tom; Cat", None)]
    assert file.execute("SELECT name FROM owner").fetchall() == [("Ana",)]


def test_a_new_file_ends_with_the_same_schema_as_an_old_one(
    file: sqlite3.Connection, path: Path, tmp_path: Path
) -> None:
    new = open_writer(tmp_path / "new.db")

    migrate(file, path, [FIRST, SECOND, THIRD])
    migrate(new, path, [FIRST, SECOND, THIRD])

    assert schema(new) == schema(file)
    new.close()


def test_a_file_of_today_is_not_written_to(file: sqlite3.Connection, path: Path) -> None:
    file.execute("PRAGMA query_only = 1")

    migrate(file, path, [FIRST])

    assert version(file) == 1


@pytest.mark.parametrize("steps", [[FIRST, BROKEN], [FIRST, SECOND, THIRD, "SELECT no_such_function()"]])
def test_a_step_that_fails_leaves_the_old_schema_and_its_rows(
    file: sqlite3.Connection, path: Path, steps: list[str]
) -> None:
    before = schema(file)

    with pytest.raises(sqlite3.Error, match="no_such_function"):
        migrate(file, path, steps)

    assert (version(file), schema(file)) == (1, before)
    assert file.execute("SELECT count(*) FROM pet").fetchone() == (2,)
    assert not file.in_transaction


def test_control_a_script_run_whole_would_have_been_left_half_way(file: sqlite3.Connection) -> None:
    before = schema(file)

    with pytest.raises(sqlite3.Error, match="no_such_function"):
        file.executescript(BROKEN)

    assert schema(file) != before


KILLED = """
import os, signal, sys
from pathlib import Path
from gateway.migrations import migrate
from gateway.sqlite import open_writer

path = Path(sys.argv[1])
connection = open_writer(path)
connection.execute("PRAGMA cache_size = 1")  # changed pages go to the file before the commit
connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
migrate(connection, path, sys.argv[2:])
"""
MANY = """
ALTER TABLE pet ADD COLUMN kind TEXT;
WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) INSERT INTO pet SELECT i, i FROM n;
"""


def test_a_process_killed_half_way_leaves_the_old_schema_and_the_next_one_goes_on(
    file: sqlite3.Connection, path: Path
) -> None:
    before = schema(file)
    steps = [FIRST, MANY + "SELECT die()"]

    killed = subprocess.run([sys.executable, "-c", KILLED, str(path), *steps], check=False, env=dict(os.environ))

    assert killed.returncode == -signal.SIGKILL
    again = open_writer(path)
    assert (version(again), schema(again)) == (1, before)
    assert again.execute("SELECT count(*) FROM pet").fetchone() == (2,)
    migrate(again, path, [FIRST, SECOND])
    assert version(again) == 2
    again.close()


def test_two_that_open_an_old_file_at_once_take_each_step_once(file: sqlite3.Connection, path: Path) -> None:
    others = [open_writer(path) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, other, path, [FIRST, SECOND]) for other in others]:
            done.result()

    assert version(file) == 2
    for other in others:
        other.close()


def test_a_newer_file_is_refused_and_named(file: sqlite3.Connection, path: Path) -> None:
    migrate(file, path, [FIRST, SECOND])

    with pytest.raises(GatewayError, match=r"pets\.db has schema 2; this gateway knows up to 1: install a newer one"):
        migrate(file, path, [FIRST])


def test_a_semicolon_in_a_text_or_comment_or_trigger_ends_no_statement() -> None:
    found = [one.strip() for one in statements(FIRST + ";" + SECOND)]

    assert len([one for one in found if one.strip("; ")]) == 6
    assert any(one.startswith("CREATE TRIGGER") and one.endswith("END;") for one in found)


async def test_both_stores_open_at_their_newest_version_and_can_give_space_back(tmp_path: Path) -> None:
    journal, work = Journal(tmp_path), WorkStore(tmp_path)

    for name, newest in (("journal.db", len(JOURNAL_STEPS)), ("work.db", len(WORK_STEPS))):
        connection = sqlite3.connect(tmp_path / name)
        assert version(connection) == newest
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)  # incremental
        connection.close()
    await journal.close()
    await work.close()


async def test_each_journal_has_a_generation_of_its_own(tmp_path: Path) -> None:
    found = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        journal = Journal(tmp_path / name)
        found |= {journal.generation, JournalReader(tmp_path / name).generation()}
        await journal.close()

    assert len(found) == 2
