"""Attempts are noted as a line in a file, which outlives a worker that is killed."""

import os
from pathlib import Path

import msgspec
import pytest

from gateway.work import Delivery
from gateway.work.begun import MOST, Begun, Noted


def delivery(number: int) -> Delivery:
    return Delivery(id=number, seq=10 * number, plugin="p", lane="lane")


def test_what_was_noted_is_read_until_it_is_forgotten(tmp_path: Path) -> None:
    begun = Begun(tmp_path)

    assert begun.note([delivery(1)])
    assert begun.note([delivery(2), delivery(3)])
    both = Begun.read(tmp_path)
    begun.forget()
    assert begun.note([delivery(4)])

    assert both == [Noted(1, 10, "p"), Noted(2, 20, "p"), Noted(3, 30, "p")]
    assert Begun.read(tmp_path) == [Noted(4, 40, "p")]
    assert (tmp_path / "work.begun").stat().st_mode & 0o777 == 0o600


def test_a_next_worker_reads_what_the_last_one_noted_until_it_has_noted_or_forgotten_itself(tmp_path: Path) -> None:
    Begun(tmp_path).note([delivery(1)])

    begun = Begun(tmp_path)
    found = Begun.read(tmp_path)
    begun.forget()

    assert found == [Noted(1, 10, "p")]
    assert Begun.read(tmp_path) == []


@pytest.mark.parametrize("field", ["failures", "retries", "deaths", "alone", "run", "control"])
def test_only_the_first_attempt_of_what_came_as_it_comes_can_be_noted(tmp_path: Path, field: str) -> None:
    begun = Begun(tmp_path)
    begun.note([delivery(1)])

    assert not begun.note([delivery(2), msgspec.structs.replace(delivery(3), **{field: 1})])
    assert Begun.read(tmp_path) == [Noted(1, 10, "p")]


def test_no_more_are_noted_than_a_short_line_holds(tmp_path: Path) -> None:
    begun = Begun(tmp_path)

    assert begun.note([delivery(n) for n in range(MOST)])
    assert not begun.note([delivery(MOST)])
    assert len(Begun.read(tmp_path)) == MOST


def test_where_nothing_can_be_written_nothing_is_noted(tmp_path: Path) -> None:
    (tmp_path / "work.begun").mkdir()
    begun = Begun(tmp_path)

    assert begun.note([])
    assert not begun.note([delivery(1)])
    assert Begun.read(tmp_path) == []


def test_what_is_not_written_as_a_whole_is_not_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Begun(tmp_path)
    begun.note([delivery(1)])
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, line, at: pwrite(file, line[:20], at))

    assert not begun.note([delivery(2)])
    assert Begun.read(tmp_path) == [Noted(1, 10, "p")]


@pytest.mark.parametrize(
    "line", [b"", b"[[1,10", b"nonsense\n", b'[[1,"x","p"]]\n', b'{"a":1}\n', b"\xff\n", b"\0" * 99]
)
def test_a_line_that_a_power_cut_spoilt_says_nothing(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "work.begun").write_bytes(line)

    assert Begun.read(tmp_path) == []


def test_without_a_file_nothing_has_begun(tmp_path: Path) -> None:
    assert Begun.read(tmp_path) == []


def test_closing_twice_does_no_harm_and_nothing_is_noted_afterwards(tmp_path: Path) -> None:
    begun = Begun(tmp_path)
    begun.close()
    begun.close()

    assert not begun.note([delivery(1)])
