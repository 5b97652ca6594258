"""Claims about how a chat on the terminal shows what a bot does, and about what a person may type."""

from collections.abc import AsyncIterator
from pathlib import Path

import click
import pytest

from gateway.cli.chat import lines_of
from gateway.cli.talk import Refusal, Talk
from gateway.events import MessagesUpsert, decode
from gateway.evolution import Evolution, MessageKey
from gateway.pieces import Button, Row
from gateway.testing import EvolutionServer, Happening, Person

ANA = "+1 202 555 0142"
YES_NO = [Button(label="Yes", value="y"), Button(label="No", value="n")]


class Phone:
    """A person's phone, and the bot's side of the line."""

    def __init__(self, server: EvolutionServer, bot: Evolution) -> None:
        self.server = server
        self.bot = bot
        self.ana: Person = server.person(ANA, name="Ana")
        self.talk = Talk(server, self.ana)

    def shows(self) -> list[str]:
        """What the bot did, line by line, without colours."""
        known = {each.id: each for each in self.server.happenings if each.kind in ("wrote", "sent")}
        done = [each for each in self.server.happenings if each.kind not in ("wrote", "typing", "read")]
        return [click.unstyle(line) for each in done for line in lines_of(each, self.ana.chat, known)]

    def last(self) -> Happening:
        return self.server.happenings[-1]


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    async with EvolutionServer(version="2.3.7", typing_scale=0) as server:
        bot = Evolution(server.url, server.apikey)
        yield Phone(server, bot)
        await bot.close()


async def test_a_text_has_its_lines_below_each_other(phone: Phone) -> None:
    await phone.bot.send_text("shop-1", ANA, "one\ntwo 👋")

    assert phone.shows() == ["  bot  one", "       two 👋"]


async def test_nothing_a_bot_writes_steers_the_terminal(phone: Phone) -> None:
    await phone.bot.send_text("shop-1", ANA, "\x1b[2J\rfake")

    (line,) = phone.shows()
    assert "\x1b" not in line
    assert "\r" not in line


async def test_media_are_named_with_their_size(phone: Phone) -> None:
    await phone.bot.send_media("shop-1", ANA, b"x" * 5000, kind="document", filename="report.pdf", caption="here")

    assert phone.shows() == ["  bot  (document report.pdf, 5 KiB) here"]


async def test_a_quote_shows_what_it_answers(phone: Phone) -> None:
    written = await phone.ana.write("what time?")

    await phone.bot.send_text("shop-1", ANA, "at nine", quoted=written.id)

    assert phone.shows() == ["  bot  ▏what time?", "       at nine"]


async def test_a_reaction_an_edit_and_a_deletion_say_of_what(phone: Phone) -> None:
    written = await phone.ana.write("thanks")
    sent = await phone.bot.send_text("shop-1", ANA, "tpyo")
    key = MessageKey(id=str(sent.id), chat=ANA, from_me=True)

    await phone.bot.send_reaction("shop-1", MessageKey(id=written.id, chat=ANA), "👍")
    await phone.bot.edit_message("shop-1", key, "typo")
    await phone.bot.delete_message("shop-1", key)

    assert phone.shows() == [
        "  bot  tpyo",
        '  bot  reacts 👍 "thanks"',
        "  bot  typo edited",
        '  bot  deleted "tpyo"',
    ]


async def test_what_can_be_picked_is_listed(phone: Phone) -> None:
    await phone.bot.send_poll("shop-1", ANA, "Lunch?", ["Pizza", "Sushi"])
    await phone.bot.send_buttons("shop-1", ANA, "Sure?", YES_NO)

    assert phone.shows() == [
        "  bot  (poll) Lunch?",
        "       [Pizza]",
        "       [Sushi]",
        "  bot  (buttons) *Sure?*",
        "       [Yes]",
        "       [No]",
    ]


async def test_a_message_to_somebody_else_names_whom(phone: Phone) -> None:
    await phone.bot.send_text("shop-1", "+1 202 555 0199", "psst")

    assert phone.shows() == ["  bot  → +12025550199  psst"]


async def test_a_person_picks_from_what_the_bot_offers(phone: Phone) -> None:
    rows = {"Food": [Row("p", "Pizza"), Row("s", "Sushi")]}
    await phone.bot.send_list("shop-1", ANA, "Menu", rows, button="Open")

    await phone.talk.do(":pick 2")

    picked = phone.last().data["message"]["listResponseMessage"]
    assert (picked["title"], picked["singleSelectReply"]["selectedRowId"]) == ("Sushi", "s")
    assert phone.last().data["contextInfo"]["stanzaId"] == phone.server.sent[0].id


async def test_a_person_presses_a_button_and_votes(phone: Phone) -> None:
    await phone.bot.send_buttons("shop-1", ANA, "Sure?", YES_NO)
    pressed = await phone.talk.do(":pick 1")
    await phone.bot.send_poll("shop-1", ANA, "Lunch?", ["Pizza", "Sushi"])
    voted = await phone.talk.do(":pick 2")

    assert pressed.data["message"]["buttonsResponseMessage"]["selectedButtonId"] == "y"
    event = decode("messages.upsert", {"event": "messages.upsert", "instance": "shop-1", "data": voted.data})
    assert isinstance(event, MessagesUpsert)
    assert (event.message.text, event.problems) == ("Sushi", ())


async def test_a_person_sends_a_file_of_any_kind(phone: Phone, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"\x89PNG")
    (tmp_path / "notes.txt").write_bytes(b"hello")

    shapes = [(await phone.talk.do(f":send {tmp_path / name}")).shape for name in ("cat.png", "notes.txt")]

    assert shapes == ["image", "document"]


async def test_a_person_reacts_and_quotes(phone: Phone) -> None:
    await phone.bot.send_text("shop-1", ANA, "hi")

    reacted = await phone.talk.do(":react 👍")
    quoted = await phone.talk.do(":quote hi yourself")

    assert reacted.data["message"]["reactionMessage"]["key"]["id"] == phone.server.sent[0].id
    assert (quoted.text, quoted.data["contextInfo"]["stanzaId"]) == ("hi yourself", phone.server.sent[0].id)


async def test_words_offer_nothing_to_pick_and_it_says_what_to_do_instead(phone: Phone) -> None:
    await phone.bot.send_text("shop-1", ANA, "Which size?\n\n1. Small\n2. Large")

    with pytest.raises(Refusal, match="no buttons, rows or options to pick: type your answer"):
        await phone.talk.do(":pick 2")


@pytest.mark.parametrize("line", ["/price", ":)", ":-( sad", "::", ":sendme"])
async def test_what_is_no_command_of_the_terminals_reaches_the_bot(phone: Phone, line: str) -> None:
    assert (await phone.talk.do(line)).text == line


@pytest.mark.parametrize(
    ("line", "said"),
    [(":react 👍", "no message of the bot's"), (":pick 1", "no message"), (":send /nowhere", "can't be read")],
)
async def test_what_can_not_be_done_is_said(phone: Phone, line: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        await phone.talk.do(line)
