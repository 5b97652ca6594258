"""Whom a message mentions, and what a handler may raise."""

import pytest

from gateway.events import Participant, Person
from gateway.plugins import Drop, Retry
from gateway.plugins.outgoing import mentioned


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
