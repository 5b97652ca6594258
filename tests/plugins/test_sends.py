"""What each kind of send records, and what it refuses where it is asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.events import MessagesUpsert
from gateway.plugins import Card, Context, EventContext, Queued, Row
from gateway.plugins import filters as f
from gateway.plugins.filters.base import Look
from gateway.plugins.outgoing import LIMIT, summary

Arrived = Callable[..., MessagesUpsert]
Opened = Callable[..., EventContext]

GROUP = "120363400000000001@g.us"
ANA = "5511999990002@s.whatsapp.net"
QUEUED = "41.ping.0.1"


def in_chat(event: MessagesUpsert, opened: Opened) -> Context:
    ctx = opened(event)
    assert isinstance(ctx, Context)
    return ctx


def only(ctx: EventContext) -> tuple[str, dict[str, object]]:
    [send] = ctx.take_effects()
    return send.kind, send.payload


def test_every_kind_of_send_gives_an_id_for_later(ctx: Context, tmp_path: Path) -> None:
    photo = tmp_path / "menu.jpg"
    photo.write_bytes(b"\xff\xd8")

    queued = [
        ctx.reply("a"),
        ctx.quote("b"),
        ctx.react("👍"),
        ctx.media(photo),
        ctx.audio(b"OggS"),
        ctx.sticker("https://example.com/s.webp"),
        ctx.location(-23.5, -46.6),
        ctx.contact(Card("Bia", "+55 11 99999-0003")),
        ctx.poll("When?", ["now", "later"]),
        ctx.buttons("Yes?", {"y": "Yes"}),
        ctx.list("Pick", {"Food": [Row("1", "Pizza")]}, button="Open"),
        ctx.edit("c", QUEUED),
        ctx.delete(QUEUED),
        ctx.read(),
        ctx.typing(1.5),
    ]

    assert [each.id for each in queued] == [f"41.ping.0.{n}" for n in range(1, 16)]
    sends = ctx.take_effects()
    assert {send.to for send in sends} == {ANA}
    assert [send.kind for send in sends] == [
        *("text", "text", "reaction", "media", "audio", "sticker", "location", "contact", "poll", "buttons", "list"),
        *("edit", "delete", "read", "typing"),
    ]


def test_a_file_is_read_when_it_is_queued(ctx: Context, tmp_path: Path) -> None:
    photo = tmp_path / "menu.jpg"
    photo.write_bytes(b"first")

    ctx.media(photo, caption="today")
    photo.unlink()

    [send] = ctx.take_effects()
    assert send.data == b"first"
    assert send.payload == {"media": "image", "caption": "today", "name": "menu.jpg", "mimetype": "image/jpeg"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a.jpg", "image"), ("a.png", "image"), ("a.mp4", "video"), ("a.pdf", "document"), ("a.unheard", "document")],
)
def test_a_file_is_shown_as_what_its_name_tells(ctx: Context, name: str, shown: str) -> None:
    ctx.media(b"x", name=name)

    assert only(ctx)[1]["media"] == shown


def test_a_url_is_left_to_evolution(ctx: Context) -> None:
    ctx.media("https://example.com/files/price%20list.pdf?x=1", kind="document", name="prices.pdf")

    [send] = ctx.take_effects()
    assert send.data is None
    assert send.payload["url"] == "https://example.com/files/price%20list.pdf?x=1"
    assert (send.payload["name"], send.payload["mimetype"]) == ("prices.pdf", "application/pdf")


def test_a_quote_in_a_group_names_its_author(arrived: Arrived, opened: Opened) -> None:
    ctx = in_chat(arrived("hi", chat=GROUP, participant=ANA), opened)

    ctx.quote("you said hi")

    _, payload = only(ctx)
    assert payload["quote"] == {"id": "3EB0A1", "from_me": False, "participant": ANA, "text": "hi"}


def test_a_reaction_to_the_events_message_and_to_a_queued_one(ctx: Context) -> None:
    first = ctx.reply("pong")

    ctx.react("👍")
    ctx.react("", first)
    ctx.react("🎉", first.id)

    about = [send.payload["message"] for send in ctx.take_effects()[1:]]
    assert about[0]["from_me"] is False
    assert about[1:] == [{"queued": first.id}, {"queued": first.id}]


def test_an_id_of_unknown_origin_says_that_its_author_is_unknown(ctx: Context) -> None:
    ctx.delete("3EB0AAAA")

    assert only(ctx)[1]["message"] == {"id": "3EB0AAAA", "from_me": None}


def test_a_message_to_another_chat_can_be_of_any_kind(ctx: Context) -> None:
    ctx.to("+55 11 99999-0003").location(-23.5, -46.6, name="Shop")
    ctx.to(GROUP).text("hello", mentions=[ANA])

    place, text = ctx.take_effects()
    assert (place.to, place.kind) == ("5511999990003", "location")
    assert (text.to, text.payload) == (GROUP, {"text": "hello", "mentions": [ANA]})


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda ctx: ctx.media("photo.jpg"), r"is no URL; a file on this machine is given as Path\('photo.jpg'\)"),
        (lambda ctx: ctx.media(Path("/nowhere/a.jpg")), "/nowhere/a.jpg can't be read: No such file"),
        (lambda ctx: ctx.media(b""), "the file is empty"),
        (lambda ctx: ctx.media(b"x"), "bytes don't say what they are"),
        (lambda ctx: ctx.audio(bytes(LIMIT + 1)), f"has {LIMIT + 1} bytes; Evolution takes {LIMIT}"),
        (lambda ctx: ctx.location(91, 0), "91, 0 is no place"),
        (lambda ctx: ctx.contact(), "no contact to send"),
        (lambda ctx: ctx.contact(Card("Bia", "0800")), "0 that is dialled at home"),
        (lambda ctx: ctx.poll("?", ["one"]), "2 to 10 different options"),
        (lambda ctx: ctx.poll("?", ["one", "one"]), "2 to 10 different options"),
        (lambda ctx: ctx.poll("?", "yes"), "takes a list of texts"),
        (lambda ctx: ctx.poll("?", ["a", "b"], pick=3), "pick=3 of 2"),
        (lambda ctx: ctx.buttons("?", {}), "1 to 3 buttons, got 0"),
        (lambda ctx: ctx.list("?", {"Food": []}, button="Open"), "no row to pick"),
        (lambda ctx: ctx.typing(0), "typing lasts up to 60 s"),
        (lambda ctx: ctx.edit("new"), "can't change what somebody else wrote"),
        (lambda ctx: ctx.react("👍", 5), "a int is no message"),
        (lambda ctx: ctx.delete(" "), "an empty id names no message"),
        (lambda ctx: ctx.to("nobody"), "neither a jid nor a telephone number"),
    ],
)
def test_what_could_not_be_sent_is_refused_where_it_is_asked_for(
    ctx: Context, ask: Callable[[Context], Queued], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        ask(ctx)

    assert ctx.take_effects() == ()


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda ctx: ctx.reply("pong"), '"pong"'),
        (lambda ctx: ctx.media(b"x", name="a.jpg", caption="hi"), 'image a.jpg "hi"'),
        (lambda ctx: ctx.audio(b"x"), "audio"),
        (lambda ctx: ctx.location(1.5, 2), "location 1.5, 2"),
        (lambda ctx: ctx.contact(Card("Bia", "+55 11 99999-0003")), "contact Bia"),
        (lambda ctx: ctx.poll("When?", ["a", "b"]), 'poll "When?"'),
        (lambda ctx: ctx.react("👍"), "reaction 👍"),
        (lambda ctx: ctx.react(""), "reaction taken back"),
        (lambda ctx: ctx.edit("new", QUEUED), 'edit "new"'),
        (lambda ctx: ctx.typing(2), "typing 2 s"),
        (lambda ctx: ctx.read(), "read"),
    ],
)
def test_a_send_is_told_in_a_few_words(ctx: Context, ask: Callable[[Context], Queued], said: str) -> None:
    ask(ctx)

    assert summary(*only(ctx)) == said


SIZES = {"s": "Small", "l": "Large"}


def test_a_menu_is_numbered_text_that_every_phone_shows(ctx: Context) -> None:
    ctx.menu("Which size?", SIZES)

    (send,) = ctx.take_effects()
    assert (send.kind, send.payload) == ("text", {"text": "Which size?\n\n1. Small\n2. Large"})


def test_a_menu_is_buttons_on_the_business_channel_whose_buttons_phones_show(arrived: Arrived, opened: Opened) -> None:
    ctx = in_chat(arrived(message_id="wamid.HBgM"), opened)
    ctx.menu("Which size?", SIZES)
    ctx.menu("Which one?", {str(n): f"No. {n}" for n in range(4)})
    ctx.menu("Which size?", SIZES, style="text")

    assert [send.kind for send in ctx.take_effects()] == ["buttons", "text", "text"]


def test_an_authors_own_style_counts(ctx: Context) -> None:
    ctx.menu("Which size?", SIZES, style="buttons")

    assert ctx.take_effects()[0].payload["options"][0] == {"id": "s", "label": "Small"}


@pytest.mark.parametrize("number", [1, 2])
def test_the_numbers_of_a_menu_are_those_that_choice_reads(ctx: Context, arrived: Arrived, number: int) -> None:
    ctx.menu("Which size?", SIZES)
    line = ctx.take_effects()[0].payload["text"].splitlines()[1 + number]
    size, look = f.choice(SIZES), Look()

    for said in (str(number), line, line.partition(" ")[2]):
        assert size.ask(arrived(said), look)
        assert look.values[size] == list(SIZES)[number - 1]


def test_a_menu_without_options_is_refused(ctx: Context) -> None:
    with pytest.raises(ValueError, match="a menu has at least one option"):
        ctx.menu("Which?", {})


def test_a_menu_of_an_unknown_style_is_refused(ctx: Context) -> None:
    with pytest.raises(ValueError, match="a menu's style is one of auto, buttons, text, got 'butons'"):
        ctx.menu("Which size?", SIZES, style="butons")  # type: ignore[arg-type]
