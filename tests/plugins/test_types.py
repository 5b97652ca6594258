"""What strict type checkers say of handlers: nothing of right ones, and where each wrong one is wrong.

The handlers stand in text files, since the project itself is type checked and the wrong ones are meant to be wrong.
Each wrong line names what mypy says of it and, after `|`, what pyright does: half of the authors would never hear of a
mistake that only one of them finds.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mypy import api

from tests.support.blocks import ROOT, blocks

HERE = Path(__file__).parent
SHOWN = sorted((*ROOT.glob("routes/[!_]*.py"), *ROOT.glob("gateway/scaffold/bot/*/*.py")))

ERROR = re.compile(r"(\w+)\.py:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)
PLANTED = re.compile(r"  # error: ([\w -]+) \| ([\w ]+)$")

Found = set[tuple[str, int, str]]
"""File, line, and code of an error."""


Check = Callable[[Path, Path], Found]
"""Gets the folder of the files to check, and one to keep what it knows of others in."""


def mypy(folder: Path, cache: Path) -> Found:
    """What a bot author with an empty configuration is told."""
    files = [str(file) for file in folder.glob("*.py")]
    out, err, _ = api.run(["--strict", "--config-file=", f"--cache-dir={cache}", *files])
    assert err == ""
    return {(name, int(line), code) for name, line, code in ERROR.findall(out)}


def pyright(folder: Path, cache: Path) -> Found:
    """What an author is shown whose editor checks strictly. basedpyright is pyright as a package that is complete."""
    del cache  # it keeps nothing
    strict = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["*.py"]}
    (folder / "pyrightconfig.json").write_text(json.dumps(strict))
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "CI": "1"}
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {
        (Path(each["file"]).stem, each["range"]["start"]["line"] + 1, each.get("rule", each["message"]))
        for each in found
        if each["severity"] == "error"
    }


CHECKERS = pytest.mark.parametrize("check", [mypy, pyright])


def planted(which: int) -> Iterator[tuple[str, int, str]]:
    """The errors that mypy (0) or pyright (1) is to find."""
    for number, line in enumerate((HERE / "handlers_wrong.txt").read_text().splitlines(), 1):
        if mark := PLANTED.search(line):
            yield from (("wrong", number, code) for code in mark.groups()[which].split())


@CHECKERS
def test_every_planted_mistake_is_found_and_nothing_else(check: Check, type_cache: Path, tmp_path: Path) -> None:
    expected = set(planted(0 if check is mypy else 1))
    (tmp_path / "wrong.py").write_text((HERE / "handlers_wrong.txt").read_text())

    assert check(tmp_path, type_cache) == expected
    assert len({line for _, line, _ in expected}) > 70


@CHECKERS
def test_right_handlers_and_all_plugins_and_tests_that_authors_are_shown_have_no_errors(
    check: Check, type_cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "right.py").write_text((HERE / "handlers_right.txt").read_text())
    for number, file in enumerate(SHOWN):
        (tmp_path / f"{file.stem}_{number}.py").write_text(file.read_text())
    for block in blocks("python"):
        if block.file or "plugin = Plugin" in block.text:
            (tmp_path / f"{block.name.replace('-', '_')}.py").write_text(block.text)

    assert check(tmp_path, type_cache) == set()
