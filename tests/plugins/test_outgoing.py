"""Addresses as people write them, and what a handler may raise."""

import pytest

from gateway.events import Participant, Person
from gateway.plugins import Drop, Retry
from gateway.plugins.outgoing import address, mentioned


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("+55 11 99999-0002", "5511999990002"),
        ("55 (11) 99999.0002", "5511999990002"),
        (" 5511999990002 ", "5511999990002"),
        ("+55\u00a011\u00a099999\u20110002", "5511999990002"),
        ("5511999990002@s.whatsapp.net", "5511999990002@s.whatsapp.net"),
        ("201110000000002@lid", "201110000000002@lid"),
        ("120363400000000001@g.us", "120363400000000001@g.us"),
        ("5511999990002-1600000000@g.us", "5511999990002-1600000000@g.us"),
    ],
)
def test_an_address_is_a_jid_or_a_number_in_digits(written: str, meant: str) -> None:
    assert address(written) == meant


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


def test_people_are_mentioned_by_the_address_in_use_each_once() -> None:
    ana = Person(jid="201110000000002@lid", phone="5511999990002")
    joined = Participant(jid="201110000000002@lid")
    assert mentioned([joined, ana]) == ("201110000000002@lid",)

    assert mentioned([ana, "201110000000002@lid", "+55 11 99999-0003"]) == ("201110000000002@lid", "5511999990003")


def test_one_text_is_no_list_of_people() -> None:
    with pytest.raises(ValueError, match="takes a list of people"):
        mentioned("5511999990002")


def test_a_person_without_address_cannot_be_mentioned() -> None:
    with pytest.raises(ValueError, match="neither a jid nor"):
        mentioned([Person(name="Ana")])


def test_retry_says_after_how_long() -> None:
    assert Retry(after=30).after == 30
    assert Retry().after is None
    assert str(Retry(after=0.5)) == "retry asked for after 0.5 s"


@pytest.mark.parametrize("after", [-1, float("inf"), float("nan")])
def test_retry_refuses_what_is_no_time_to_wait(after: float) -> None:
    with pytest.raises(ValueError, match="takes seconds from 0 on"):
        Retry(after=after)


def test_drop_gives_its_reason() -> None:
    assert Drop("spam").reason == str(Drop("spam")) == "spam"
