"""What a strict type checker says of handlers that read events: nothing of right uses, and each wrong one."""

import re
from pathlib import Path

from mypy import api

HANDLERS = Path(__file__).parent / "attributes.txt"  # no module, since its mistakes are meant to be mistakes
ERROR = re.compile(r"handlers\.py:(\d+): error: .*\[([a-z-]+)\]$", re.MULTILINE)
MARK = "  # error: "


def test_each_wrong_use_is_found_and_no_right_one(type_cache: Path, tmp_path: Path) -> None:
    source = HANDLERS.read_text()
    lines = enumerate(source.splitlines(), 1)
    marked = {(number, line.partition(MARK)[2]) for number, line in lines if MARK in line}
    file = tmp_path / "handlers.py"
    file.write_text(source)

    out, err, _ = api.run(["--strict", "--config-file=", f"--cache-dir={type_cache}", str(file)])

    assert err == ""
    assert {(int(line), code) for line, code in ERROR.findall(out)} == marked
    assert len(marked) > 20
