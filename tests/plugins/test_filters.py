"""What each filter lets through."""

import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PluginError
from gateway.events import Event, MessagesUpsert, Participant
from gateway.events.message import Origin
from gateway.plugins import filters as f
from gateway.plugins.filters.base import Look
from gateway.plugins.filters.texts import fold
from gateway.plugins.state import Memory, Nothing

Arrived = Callable[..., MessagesUpsert]
Happened = Callable[..., Event]


def passes(filter_: f.Filter[Any], event: Event) -> bool:
    answer = filter_.ask(event, Look())
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
    found = Look()

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


def quoting(sender: str) -> dict[str, Any]:
    context = {"stanzaId": "3EB0B2", "participant": sender, "quotedMessage": {"conversation": "hi"}}
    return {"extendedTextMessage": {"text": "yes", "contextInfo": context}}


def test_quoted_and_replies_to_me_tell_whose_message_is_answered(arrived: Arrived) -> None:
    plain, mine = arrived(), arrived(message=quoting("5511999990001@s.whatsapp.net"))
    hers = arrived(message=quoting("5511999990002@s.whatsapp.net"))

    assert [passes(f.quoted, event) for event in (plain, mine, hers)] == [False, True, True]
    assert [passes(f.replies_to_me, event) for event in (plain, mine, hers)] == [False, True, False]


def test_mentions_me_and_forwarded_read_what_stands_around_the_message(arrived: Arrived) -> None:
    context = {"mentionedJid": ["5511999990001@s.whatsapp.net"], "isForwarded": True}
    event = arrived(message={"extendedTextMessage": {"text": "@5511999990001", "contextInfo": context}})

    assert passes(f.mentions_me & f.forwarded, event)
    assert not passes(f.mentions_me | f.forwarded, arrived())


@pytest.mark.parametrize(
    ("mimetype", "types", "expected"),
    [
        ("image/jpeg", ("image/jpeg",), True),
        ("image/jpeg", ("image/*",), True),
        ("IMAGE/JPEG; q=1", ("video/*", "image/jpeg"), True),
        ("image/jpeg", ("image/jp",), False),
        ("image/jpeg", ("video/*",), False),
    ],
)
def test_mimetype_is_whole_or_a_family(
    arrived: Arrived, mimetype: str, types: tuple[str, ...], *, expected: bool
) -> None:
    assert passes(f.mimetype(*types), arrived(message={"imageMessage": {"mimetype": mimetype}})) is expected


def test_has_media_is_any_file(arrived: Arrived) -> None:
    assert passes(f.has_media, arrived(message={"stickerMessage": {"mimetype": "image/webp"}}))
    assert not passes(f.has_media | f.mimetype("image/*"), arrived("photo"))


@pytest.mark.parametrize("said", ["see https://example.com", "www.example.com", "WA.me/5511", "loja.com.br!", "(x.io)"])
def test_has_link_finds_what_a_phone_makes_a_link_of(arrived: Arrived, said: str) -> None:
    assert passes(f.has_link, arrived(said))


@pytest.mark.parametrize("said", ["thanks.me too", "ana@example.com", "3.5/4", "e.g. this", "http://", "v1.2.3"])
def test_has_link_leaves_other_texts_alone(arrived: Arrived, said: str) -> None:
    assert not passes(f.has_link, arrived(said))


@pytest.mark.parametrize(
    ("action", "came", "went"), [("add", True, False), ("remove", False, True), ("promote", False, False)]
)
def test_joined_and_left_tell_who_comes_and_goes(happened: Happened, action: str, *, came: bool, went: bool) -> None:
    data = {"id": "1203630@g.us", "action": action, "participants": ["5511999990002@s.whatsapp.net"]}
    event = happened("group-participants.update", data)

    assert (passes(f.joined, event), passes(f.left, event)) == (came, went)


def test_state_compares_what_is_remembered(arrived: Arrived) -> None:
    memory = Memory(plugin="p", instance="i", chats=["c"], people=["ana"], source=Nothing())
    memory.state["step"] = "size"
    memory.chat_state["open"] = True

    def asks(filter_: f.Filter[Any]) -> bool:
        return filter_.ask(arrived(), Look(lambda: memory)) is True

    assert asks(f.state(step="size"))
    assert asks(f.state(step="size", other=None))
    assert asks(f.chat_state(open=True))
    assert not asks(f.state(step="name") | f.state(step=None) | f.chat_state(step="size"))
    assert passes(f.state(step=None), arrived())


@pytest.mark.parametrize(
    ("make", "written"),
    [
        (lambda: f.command("/price", "/p"), "command('/price', '/p')"),
        (lambda: f.choice({"a": "A"}), "choice({'a': 'A'})"),
        (lambda: f.mimetype("image/*"), "mimetype('image/*')"),
        (lambda: f.state(step="size", n=None), "state(step='size', n=None)"),
        (lambda: ~f.has_link & f.mentions_me, "(~has_link & mentions_me)"),
    ],
)
def test_filters_read_as_they_are_written(make: Callable[[], object], written: str) -> None:
    assert repr(make()) == written


@pytest.mark.parametrize("make", [f.state, f.chat_state, f.mimetype, lambda: f.mimetype("jpeg")])
def test_filters_that_can_never_match_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(PluginError, match="compares with"):
        make()


@pytest.mark.parametrize(("from_me", "expected"), [(False, "contact"), (True, "phone")])
def test_origin_tells_who_wrote(arrived: Arrived, *, from_me: bool, expected: Origin) -> None:
    event = arrived(from_me=from_me)
    others = [each for each in get_args(Origin) if each != expected]

    assert passes(f.origin(expected), event)
    assert not passes(f.origin(*others), event)


async def test_from_admin_asks_nobody_about_a_private_chat(arrived: Arrived) -> None:
    async def members(_instance: str, _group: str) -> list[Participant]:
        raise AssertionError("asked in vain")

    assert f.from_admin.ask(arrived(), Look(members=members)) is False


@pytest.mark.parametrize(("admin", "expected"), [("admin", True), ("superadmin", True), (None, False)])
async def test_from_admin_knows_a_sender_by_number_and_by_lid(
    arrived: Arrived, admin: str | None, *, expected: bool
) -> None:
    async def members(_instance: str, _group: str) -> list[Participant]:
        return [
            Participant(jid="2011@lid", phone="5511999990002", admin=admin),
            Participant(jid="9@lid", admin="admin"),
        ]

    for sender in ("2011@lid", "5511999990002@s.whatsapp.net"):
        event = arrived(chat="120363@g.us", participant=sender)
        answer = f.from_admin.ask(event, Look(members=members))
        assert not isinstance(answer, bool)
        assert await answer is expected
