"""What each filter lets through."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PluginError
from gateway.events import Event, MessagesUpsert
from gateway.plugins import filters as f
from gateway.plugins.filters.base import Found
from gateway.plugins.filters.texts import fold

Arrived = Callable[..., MessagesUpsert]
Happened = Callable[..., Event]


def passes(filter_: f.Filter[Any], event: Event) -> bool:
    answer = filter_.ask(event, Found())
    assert isinstance(answer, bool)
    return answer


@pytest.mark.parametrize("said", ["olá", "OLÁ", " ola ", "Óla", "o\u0301la", "\uff4f\uff4c\uff41", "olá\u200e"])
def test_text_ignores_case_accents_width_and_blanks(arrived: Arrived, said: str) -> None:
    assert passes(f.text("Olá"), arrived(said))


@pytest.mark.parametrize("said", ["olá!", "ol", "", "olá mundo"])
def test_text_is_the_whole_text(arrived: Arrived, said: str) -> None:
    assert not passes(f.text("olá"), arrived(said))


def test_text_takes_any_of_several(arrived: Arrived) -> None:
    assert passes(f.text("sim", "não"), arrived("NAO"))


def test_text_keeps_letters_apart_that_are_not_accented_in_their_script(arrived: Arrived) -> None:
    assert not passes(f.text("か"), arrived("が"))
    assert not passes(f.text("कि"), arrived("क"))


def test_text_compares_emoji_whether_or_not_they_ask_for_colour(arrived: Arrived) -> None:
    assert passes(f.text("❤"), arrived("❤️"))


def test_text_of_a_message_without_text_is_empty_and_matches_nothing(arrived: Arrived) -> None:
    photo = arrived(message={"imageMessage": {"mimetype": "image/jpeg"}})

    assert not passes(f.text("ping"), photo)
    assert not passes(f.prefix("p"), photo)


@pytest.mark.parametrize("make", [f.text, f.prefix, f.instance, f.chat, f.from_sender, f.kind, f.connection])
@pytest.mark.parametrize("values", [(), ("",)])
def test_comparing_with_nothing_is_refused(make: Callable[..., object], values: tuple[str, ...]) -> None:
    with pytest.raises(PluginError, match=r"test_filters.py:\d+: \w+\(.*\)( compares with nothing|: '' is neither)"):
        make(*values)


@given(text=st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_blank_text_is_nothing_to_compare_with() -> None:
    with pytest.raises(PluginError, match="give it texts that are not blank"):
        f.text("ok", "  ")


def test_prefix_is_how_the_text_begins(arrived: Arrived) -> None:
    starts = f.prefix("preço", "/price")

    assert passes(starts, arrived("PRECO da pizza"))
    assert passes(starts, arrived(" /price 3"))
    assert not passes(starts, arrived("o preço"))


def test_regex_is_found_anywhere_whatever_the_case(arrived: Arrived) -> None:
    assert passes(f.regex(r"order \d+"), arrived("my Order 12, please"))


def test_a_compiled_regex_has_its_own_flags(arrived: Arrived) -> None:
    assert not passes(f.regex(re.compile("order")), arrived("Order"))


def test_regex_keeps_the_named_groups_that_took_part(arrived: Arrived) -> None:
    found = Found()

    f.regex(r"order (?P<number>\d+)(?P<note> .+)?").ask(arrived("order 12"), found)

    assert found.groups == {"number": "12"}


def test_a_broken_regex_is_refused_where_it_stands() -> None:
    with pytest.raises(PluginError, match=r"test_filters.py:\d+: regex\('\('\) is no regular expression"):
        f.regex("(")


@pytest.mark.parametrize(
    ("chat", "private", "group", "inbound"),
    [
        ("5511999990002@s.whatsapp.net", True, False, True),
        ("201110000000002@lid", True, False, True),
        ("120363400000000001@g.us", False, True, True),
        ("status@broadcast", False, False, False),
        ("1700000000@broadcast", False, False, False),
        ("120363400000000009@newsletter", False, False, False),
    ],
)
def test_chats_are_told_apart(arrived: Arrived, chat: str, *, private: bool, group: bool, inbound: bool) -> None:
    event = arrived(chat=chat, participant="5511999990002@s.whatsapp.net")

    assert (passes(f.private, event), passes(f.group, event), passes(f.inbound, event)) == (private, group, inbound)


def test_own_messages_are_from_me_and_not_inbound(arrived: Arrived) -> None:
    own = arrived(from_me=True)

    assert passes(f.from_me, own)
    assert not passes(f.inbound, own)


def test_chat_takes_a_number_as_people_write_it(arrived: Arrived) -> None:
    assert passes(f.chat("+55 11 99999-0002"), arrived())
    assert passes(f.chat("120363400000000001@g.us"), arrived(chat="120363400000000001@g.us"))
    assert not passes(f.chat("+55 11 99999-0003"), arrived())


def test_from_sender_knows_a_person_by_jid_and_number(arrived: Arrived) -> None:
    in_group = arrived(chat="120363400000000001@g.us", participant="5511999990002@s.whatsapp.net")

    assert passes(f.from_sender("+55 (11) 99999-0002"), in_group)
    assert passes(f.from_sender("5511999990002@s.whatsapp.net"), in_group)
    assert not passes(f.from_sender("120363400000000001@g.us"), in_group)


def test_an_address_that_is_none_is_refused_where_it_stands() -> None:
    with pytest.raises(PluginError, match=r"test_filters.py:\d+: chat\('ana'\): 'ana' is neither"):
        f.chat("ana")


def test_kind_is_what_the_message_is(arrived: Arrived) -> None:
    photo = arrived(message={"imageMessage": {"mimetype": "image/jpeg", "caption": "look"}})

    assert passes(f.kind("image", "video"), photo)
    assert not passes(f.kind("text"), photo)


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PluginError, match="there is no kind 'imagen'"):
        f.kind("imagen")  # type: ignore[arg-type]


def test_instance_and_connection_ask_about_where_and_how(happened: Happened) -> None:
    event = happened("connection.update", {"instance": "shop-1", "state": "close", "statusReason": 401})

    assert passes(f.instance("shop-1", "shop-2") & f.connection("close"), event)
    assert not passes(f.instance("shop-2"), event)
    assert not passes(f.connection("open", "connecting"), event)


def test_connection_refuses_a_state_that_does_not_exist() -> None:
    with pytest.raises(PluginError, match="no connection 'closed'; there are open, connecting, close, refused"):
        f.connection("closed")  # type: ignore[arg-type]
