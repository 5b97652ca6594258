"""Addresses as people write them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.address import address


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("+55 11 99999-0002", "5511999990002"),
        ("55 (11) 99999.0002", "5511999990002"),
        (" 5511999990002 ", "5511999990002"),
        ("+55\u00a011\u00a099999\u20110002", "5511999990002"),
        ("5511999990002@s.whatsapp.net", "5511999990002@s.whatsapp.net"),
        ("5511999990002:75@s.whatsapp.net", "5511999990002@s.whatsapp.net"),
        ("201110000000002@lid", "201110000000002@lid"),
        ("120363400000000001@g.us", "120363400000000001@g.us"),
        ("5511999990002-1600000000@g.us", "5511999990002-1600000000@g.us"),
    ],
)
def test_an_address_is_a_jid_or_a_number_in_digits(written: str, meant: str) -> None:
    assert address(written) == meant


NUMBERS = st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True)
BETWEEN = st.text(" .-/\u00a0\u2011\u200e", max_size=2)


@given(number=NUMBERS, data=st.data())
def test_a_number_means_its_digits_however_it_is_spaced(number: str, data: st.DataObject) -> None:
    written = "".join(digit + data.draw(BETWEEN) for digit in number)

    assert address(f" +{written}") == address(written) == number
    assert address(address(written)) == number


@given(number=NUMBERS, server=st.sampled_from(["s.whatsapp.net", "lid", "g.us"]))
def test_a_jid_means_itself(number: str, server: str) -> None:
    assert address(f"{number}@{server}") == f"{number}@{server}"


@given(text=st.text())
def test_no_text_gives_anything_but_an_address_or_a_refusal(text: str) -> None:
    with contextlib.suppress(ValueError):
        found = address(text)
        assert found.isdigit() or "@" in found


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "neither a jid nor a telephone number"),
        ("ana", "neither a jid nor a telephone number"),
        ("+", "neither a jid nor a telephone number"),
        ("55 11 99999 0002 ext 3", "neither a jid nor a telephone number"),
        ("٥٥١١٩٩٩٩٩٠٠٠٢", "neither a jid nor a telephone number"),
        ("123", "has 3 digits"),
        ("120363400000000001", "has 18 digits; .* a group is written ...@g.us"),
        ("011 99999-0002", "a 0 that is dialled at home only"),
        ("+44 (0)20 7946 0958", "a 0 that is dialled at home only"),
        ("ana@example.com", "no jid of WhatsApp"),
        ("@s.whatsapp.net", "no jid of WhatsApp"),
        ("55 11@s.whatsapp.net", "no jid of WhatsApp"),
        ("1@2@g.us", "no jid of WhatsApp"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(written: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        address(written)


def test_an_address_is_text() -> None:
    with pytest.raises(ValueError, match="a int is no address") as refused:
        address(5511999990002)
    assert "5511999990002" not in str(refused.value), "an error text ends in the log"
