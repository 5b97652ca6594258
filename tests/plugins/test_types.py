"""What a strict type checker says of handlers: nothing of right ones, and where each wrong one is wrong.

The handlers stand in text files, since the project itself is type checked and the wrong ones are meant to be wrong.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
ROUTES = HERE.parents[1] / "routes"

ERROR = re.compile(r"handlers\.py:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)

Found = set[tuple[int, str]]


def mypy(source: str, folder: Path) -> Found:
    """Line and code of each error that a bot author with an empty configuration is shown."""
    file = folder / "handlers.py"
    file.write_text(source)
    out, err, _ = api.run(["--strict", "--config-file=", f"--cache-dir={folder / 'cache'}", str(file)])
    assert err == ""
    return {(int(line), code) for line, code in ERROR.findall(out)}


def planted(source: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), 1):
        _, marked, codes = line.partition("  # error: ")
        yield from ((number, code) for code in codes.split() if marked)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("types")


def test_every_planted_mistake_is_found_and_nothing_else(folder: Path) -> None:
    source = (HERE / "handlers_wrong.txt").read_text()
    expected = set(planted(source))

    assert mypy(source, folder) == expected
    assert len(expected) > 40


def test_right_handlers_have_no_errors(folder: Path) -> None:
    assert mypy((HERE / "handlers_right.txt").read_text(), folder) == set()


@pytest.mark.parametrize("name", ["ping", "log_everything", "connection_alert"])
def test_the_plugins_that_come_along_pass(folder: Path, name: str) -> None:
    assert mypy((ROUTES / f"{name}.py").read_text(), folder) == set()
