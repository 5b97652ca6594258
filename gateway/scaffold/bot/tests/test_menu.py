"""What routes/menu.py does, as a chat."""

import pytest

from gateway.testing import Bot

pytestmark = pytest.mark.bot("menu")


async def test_an_order_is_taken_step_by_step(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002", name="Ana")

    await ana.send("menu")
    await ana.choose("Pizza")
    await ana.choose("Large")

    assert ana.replies[-1] == "Large Pizza, coming up!"


async def test_a_number_and_a_name_are_answers_too(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002")

    await ana.send("menu")
    await ana.send("2")

    assert await ana.send("small") == ["Small Pasta, coming up!"]


async def test_the_last_order_is_remembered(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002")
    assert await ana.send("again") == ["You have ordered nothing yet. Write: menu"]

    for text in ("menu", "salad", "large"):
        await ana.send(text)
    await bot.advance(30 * 24 * 3600)

    assert await ana.send("again") == ["Large Salad, once more!"]
    assert ana.state == {"order": "Large Salad"}


async def test_two_people_order_at_the_same_time(bot: Bot) -> None:
    ana, bia = bot.chat("+55 11 99999-0002"), bot.chat("+55 11 99999-0003")

    await ana.send("menu")
    await bia.send("menu")
    await ana.choose("Pasta")
    await bia.choose("Salad")

    assert (ana.state["dish"], bia.state["dish"]) == ("pasta", "salad")


async def test_whoever_writes_something_else_is_helped(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002")

    await ana.send("menu")

    assert await ana.send("do you have fish?") == ["Please pick one of the options, or write: menu"]
