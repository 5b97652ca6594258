"""Claims about what people see of a bot in a test, and how they answer what it offers."""

import pytest

from gateway import Card, Context, MessagesUpsert, Plugin, Row
from gateway import filters as f
from gateway.testing import Bot

ANA = "+55 11 99999-0002"
BIA = "+55 11 99999-0003"
SIZES = {"s": "Small", "l": "Large"}
SIZE = f.choice(SIZES)


plugin = Plugin("sender")


@plugin.message(f.text("photo"))
async def photo(event: MessagesUpsert, ctx: Context) -> None:
    ctx.media(b"\x89PNG", name="menu.png", caption="Our menu")


@plugin.message(f.text("voice"))
async def voice(event: MessagesUpsert, ctx: Context) -> None:
    ctx.audio(b"sound")


@plugin.message(f.text("link"))
async def link(event: MessagesUpsert, ctx: Context) -> None:
    ctx.media("https://example.com/menu.pdf")


@plugin.message(f.text("card"))
async def card(event: MessagesUpsert, ctx: Context) -> None:
    ctx.contact(Card(name="The shop", phone="+55 11 98888-0000"))


@plugin.message(f.text("buttons"))
async def buttons(event: MessagesUpsert, ctx: Context) -> None:
    ctx.buttons("Which size?", SIZES)


@plugin.message(f.text("rows"))
async def rows(event: MessagesUpsert, ctx: Context) -> None:
    ctx.list("Which size?", {"Sizes": [Row("s", "Small"), Row("l", "Large")]}, button="Choose")


@plugin.message(f.text("menu"))
async def menu(event: MessagesUpsert, ctx: Context) -> None:
    ctx.menu("Which size?", SIZES)


@plugin.message(SIZE)
async def size(event: MessagesUpsert, ctx: Context) -> None:
    ctx.reply(f"{event.message.kind}: {ctx.captured(SIZE)}")


@plugin.message(f.text("mention"))
async def mention(event: MessagesUpsert, ctx: Context) -> None:
    ctx.quote("you!", mentions=[event.message.sender])


@plugin.message(f.text("change"))
async def change(event: MessagesUpsert, ctx: Context) -> None:
    ctx.state["id"] = ctx.reply("frist").id
    ctx.reply("second")


@plugin.message(f.text("mend"))
async def mend(event: MessagesUpsert, ctx: Context) -> None:
    ctx.edit("first", ctx.state["id"])


@plugin.message(f.text("forget"))
async def forget(event: MessagesUpsert, ctx: Context) -> None:
    ctx.delete(ctx.state["id"])


@plugin.message(f.text("manners"))
async def manners(event: MessagesUpsert, ctx: Context) -> None:
    ctx.read()
    ctx.typing(2)
    ctx.react("👍")
    ctx.reply("done")


async def test_a_file_is_seen_with_its_words_and_its_bytes() -> None:
    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)

        [photo] = await ana.send("photo")
        [voice] = await ana.send("voice")
        [link] = await ana.send("link")

    assert (photo, photo.kind, photo.data) == ("Our menu", "image", b"\x89PNG")
    assert (voice.kind, voice.data) == ("voice", b"sound")
    assert (link.kind, link.data) == ("document", None)
    assert repr(photo) == "image('Our menu')"


async def test_a_contact_is_seen_by_its_name() -> None:
    async with Bot(plugin) as bot:
        [card] = await bot.chat(ANA).send("card")

    assert (card, card.kind) == ("The shop", "contact")


@pytest.mark.parametrize(
    ("offer", "answer"), [("buttons", "button_reply: l"), ("rows", "list_reply: l"), ("menu", "text: l")]
)
@pytest.mark.parametrize("option", ["Large", "l"])
async def test_what_is_offered_can_be_chosen_by_its_label_or_its_id(offer: str, answer: str, option: str) -> None:
    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)
        await ana.send(offer)

        if offer == "menu" and option == "l":  # lines of text have no ids
            with pytest.raises(ValueError, match="'l' is not among what the bot offers"):
                await ana.choose(option)
        else:
            assert await ana.choose(option) == [answer]


async def test_what_is_not_offered_cannot_be_chosen() -> None:
    async with Bot(plugin) as bot:
        ana = bot.chat(ANA, name="Ana")

        with pytest.raises(ValueError, match="the bot has said nothing to Ana yet"):
            await ana.choose("Large")
        await ana.send("buttons")
        with pytest.raises(ValueError, match="'Huge' is not among what the bot offers: Small, Large"):
            await ana.choose("Huge")


async def test_a_reply_says_whom_it_mentions_and_what_it_answers() -> None:
    async with Bot(plugin) as bot:
        ana, bia = bot.chat(ANA), bot.chat(BIA)
        family = bot.group("Family", ana, bia)

        [reply] = await bia.send("mention", to=family)

    assert reply.quotes == bia.messages[0]
    assert reply.mentions == (bia.person.lid,)


async def test_replies_are_what_the_chat_shows_and_sent_is_what_was_done() -> None:
    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)

        await ana.send("change")
        assert ana.replies == ["frist", "second"]
        await ana.send("mend")
        assert ana.replies == ["first", "second"]
        await ana.send("forget")
        assert ana.replies == ["second"]

        assert [each.kind for each in ana.sent] == ["text", "text", "edit", "delete"]


async def test_reading_typing_and_reacting_are_no_replies() -> None:
    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)

        assert await ana.send("manners") == ["done"]
        assert ana.reactions == ["👍"]
        assert [each.kind for each in ana.sent] == ["read", "typing", "reaction", "text"]
