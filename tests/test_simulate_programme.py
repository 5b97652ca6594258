"""Claims about who plays what, and about what goes wrong on the way, on values alone."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from gateway.events import MessagesUpsert, decode
from gateway.simulate import Cast, Mischief, Post, Programme, Target, Troubled, choose_steps, crowd
from gateway.simulate.mischief import BEHIND, HUGE, LATE

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def programme(
    word: str = "messages.upsert", *, chats: int = 1, instances: int = 1, group: str | None = None
) -> Programme:
    cast = crowd(Cast(group=group), instances=instances, chats=chats)
    steps = choose_steps(word, in_group=group is not None)
    return Programme(steps, cast, clock=lambda: NOON, random=Random(7))  # noqa: S311


def posts(kind: Mischief | None, share: float = 1.0, count: int = 40) -> list[Post]:
    shares = {kind: share} if kind else {}
    troubled = Troubled(programme(chats=4), Target(url="http://h/webhook"), shares, Random(7))  # noqa: S311
    return list(troubled.posts(count))


def envelope(body: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(body)
    return decoded


def test_everybody_plays_a_step_before_anybody_plays_the_next() -> None:
    play = programme("conversation", chats=2)

    events = [play.body(number)[0] for number in range(len(play))]

    assert events[::2] == events[1::2]
    assert events[:6] == ["presence.update"] * 2 + ["contacts.update"] * 2 + ["messages.upsert"] * 2
    assert len(events) == 20


def test_in_a_conversation_events_are_about_its_own_messages() -> None:
    play = programme("conversation", chats=2)
    of_bia = [envelope(play.body(number)[1])["data"] for number in range(len(play))][1::2]

    text, acknowledged, photo, poll, vote, reply, reaction = of_bia[3], *of_bia[4:]

    assert acknowledged["keyId"] == text["key"]["id"]
    assert vote["message"]["pollUpdateMessage"]["pollCreationMessageKey"]["id"] == poll["key"]["id"]
    assert reply["contextInfo"]["stanzaId"] == photo["key"]["id"]
    assert reaction["message"]["reactionMessage"]["key"]["id"] == text["key"]["id"]


def test_people_differ_in_number_name_and_lid() -> None:
    people = crowd(Cast(phone="5511999990002"), chats=20)

    assert (
        len({each.phone for each in people})
        == len({each.name for each in people})
        == len({each.lid for each in people})
        == 20
    )
    assert people[0].phone == "5511999990002"


@pytest.mark.parametrize(
    ("first", "names"), [("shop-1", ["shop-1", "shop-2", "shop-3"]), ("loja", ["loja", "loja-2", "loja-3"])]
)
def test_instances_are_counted_on_from_the_first(first: str, names: list[str]) -> None:
    assert [each.instance for each in crowd(Cast(instance=first), instances=3)] == names


def test_in_a_group_several_people_write() -> None:
    play = programme(chats=3, group="120363499999999999@g.us")

    events = [decode("messages.upsert", envelope(play.body(number)[1])) for number in range(3)]

    messages = [event.message for event in events if isinstance(event, MessagesUpsert)]
    assert {message.chat for message in messages} == {"120363499999999999@g.us"}
    assert len({message.sender.phone for message in messages}) == 3


def test_no_two_bodies_are_equal() -> None:
    play = programme("conversation", chats=3, instances=2)

    assert len({play.body(number)[1] for number in range(300)}) == 300


def test_without_mischief_everything_comes_once_in_its_order() -> None:
    made = posts(None)

    assert len({post.body for post in made}) == len(made) == 40
    assert all(post.expected is None for post in made)


def test_a_duplicate_has_the_same_bytes() -> None:
    made = posts(Mischief.DUPLICATE)

    assert made[::2] == made[1::2]
    assert len(made) == 80


def test_a_reordered_event_comes_after_later_ones_and_none_is_lost() -> None:
    usual = [post.body for post in posts(None)]
    dates = [envelope(post.body)["date_time"] for post in posts(Mischief.REORDER, 0.3)]

    assert len(dates) == len(usual)
    assert dates != sorted(dates)
    late_by = [at - sorted(dates).index(date) for at, date in enumerate(dates)]
    assert 0 < max(late_by) <= BEHIND


def test_a_late_event_is_dated_when_it_happened() -> None:
    stamped = [envelope(post.body)["data"]["messageTimestamp"] for post in posts(Mischief.LATE)]

    ages = [NOON.timestamp() - each for each in stamped]
    assert all(LATE[0] - 1 <= age <= LATE[1] + 1 for age in ages)


def test_a_flipped_person_is_the_same_person_by_lid() -> None:
    usual, flipped = (
        decode("messages.upsert", envelope(post.body)) for post in (posts(None)[0], posts(Mischief.LID_FLIP)[0])
    )

    assert isinstance(usual, MessagesUpsert)
    assert isinstance(flipped, MessagesUpsert)
    assert str(usual.message.chat).endswith("@s.whatsapp.net")
    assert str(flipped.message.chat).endswith("@lid")
    assert usual.message.sender.phone == flipped.message.sender.phone


def test_a_huge_one_carries_a_video() -> None:
    (post,) = posts(Mischief.HUGE, count=1)

    assert len(post.body) > HUGE
    assert envelope(post.body)["data"]["message"]["base64"]


def test_a_malformed_one_is_no_json_and_expects_a_400() -> None:
    made = posts(Mischief.MALFORMED, count=3)

    assert {post.expected for post in made} == {400}
    with pytest.raises(json.JSONDecodeError):
        json.loads(made[0].body)


def test_a_share_of_the_events_goes_wrong() -> None:
    troubled = Troubled(programme(), Target(url="http://h"), {Mischief.LATE: 0.2}, Random(7))  # noqa: S311

    list(troubled.posts(500))

    assert 70 <= troubled.counts[Mischief.LATE] <= 130


def test_the_clock_goes_on_through_a_late_event() -> None:
    play = programme()

    late, usual = (envelope(play.body(number, late=late)[1])["date_time"] for number, late in ((0, 600.0), (1, 0.0)))

    assert datetime.fromisoformat(usual) - datetime.fromisoformat(late) >= timedelta(seconds=599)
