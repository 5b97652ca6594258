"""Each encoding of a number, of bytes and of a time reads the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.events.numbers import from_base64, instant, integer, iso_instant, octets, real


def long(value: int, *, unsigned: bool) -> dict[str, Any]:
    """A number as JavaScript's `Long` writes it: two signed halves."""
    low, high = value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF
    return {"low": low - (low >> 31 << 32), "high": high - (high >> 31 << 32), "unsigned": unsigned}


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_of_64_bits_read_the_same_in_every_form(number: int) -> None:
    assert [integer(form) for form in (number, str(number), long(number, unsigned=False))] == [number] * 3


@given(st.integers(0, 2**64 - 1))
def test_unsigned_numbers_of_64_bits_read_the_same_in_every_form(number: int) -> None:
    assert [integer(form) for form in (number, str(number), long(number, unsigned=True))] == [number] * 3


@pytest.mark.parametrize(
    "value",
    [None, True, 1.5, 2**64, -(2**63) - 1, 1e30, "", "1e3", "٣", "--1", "9" * 5000, [1], {}, {"low": 1}, {"low": "1"}],
)
def test_what_is_no_whole_number_of_64_bits_reads_as_none(value: object) -> None:
    assert integer(value) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1.0), (-23.5, -23.5), ("-23.5", -23.5), ("7", 7.0), ("x", None), ("1.2.3", None), ([], None), (False, None)],
)
def test_real_numbers_come_as_numbers_or_text(value: object, number: float | None) -> None:
    assert real(value) == number


@given(st.binary(min_size=1, max_size=64))
def test_bytes_read_the_same_in_every_form(data: bytes) -> None:
    indexes = {str(at): octet for at, octet in enumerate(data)}

    assert octets(list(data)) == data
    assert octets(indexes) == data
    assert octets({"type": "Buffer", "data": list(data)}) == data


@pytest.mark.parametrize("value", [None, 7, {"0": 256}, {"0": -1}, {"1": 1}, {"0": "x"}, {}, [True], {"data": ["x"]}])
def test_what_is_no_bytes_reads_as_none(value: object) -> None:
    assert octets(value) is None


@pytest.mark.parametrize("text", ["aGk=", "aGk", " aG\nk=\n", "data:text/plain;base64,aGk="])
def test_base64_is_read_with_or_without_padding_and_prefix(text: str) -> None:
    assert from_base64(text) == b"hi"


@pytest.mark.parametrize("text", ["%", "a", "é", "aGk=aGk="])
def test_what_is_not_base64_reads_as_none(text: str) -> None:
    assert from_base64(text) is None


def test_instants_are_aware() -> None:
    assert instant(1761300300) == datetime(2025, 10, 24, 10, 5, tzinfo=UTC)
    assert iso_instant("2025-10-24T07:05:00-03:00") == datetime(2025, 10, 24, 10, 5, tzinfo=UTC)
    assert iso_instant("2025-10-24T10:05:00") == datetime(2025, 10, 24, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, 2**63, -(2**63)])
def test_seconds_beyond_the_calendar_are_no_instant(value: int | None) -> None:
    assert instant(value) is None


@pytest.mark.parametrize("text", [None, "", "tomorrow", "0001-01-01T00:00:00+23:59"])
def test_text_that_is_no_time_is_no_instant(text: str | None) -> None:
    assert iso_instant(text) is None
