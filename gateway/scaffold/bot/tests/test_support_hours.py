"""What routes/support_hours.py does, as a chat."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.testing import Bot

HERE = ZoneInfo("America/Sao_Paulo")
THURSDAY_NIGHT = datetime(2026, 11, 26, 22, tzinfo=HERE)
AWAY = "We are out until 9:00 and answer then."


@pytest.mark.bot("support_hours", now=THURSDAY_NIGHT)
async def test_at_night_people_are_told_once(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002")

    assert await ana.send("hello?") == [AWAY]
    assert await ana.send("anybody there?") == []


@pytest.mark.bot("support_hours", now=THURSDAY_NIGHT)
async def test_by_day_people_answer_and_not_the_bot(bot: Bot) -> None:
    await bot.advance(to=datetime(2026, 11, 27, 9, tzinfo=HERE))

    assert await bot.chat("+55 11 99999-0002").send("hello?") == []


@pytest.mark.bot("support_hours", now=THURSDAY_NIGHT)
async def test_on_a_saturday_it_is_told_again(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002")
    await ana.send("hello?")

    await bot.advance(to=datetime(2026, 11, 28, 12, tzinfo=HERE))

    assert await ana.send("hello?") == [AWAY]


@pytest.mark.bot("support_hours", now=THURSDAY_NIGHT, settings={"opens": 7, "away": "Back at {opens}!"})
async def test_the_words_are_a_setting(bot: Bot) -> None:
    assert await bot.chat("+55 11 99999-0002").send("hello?") == ["Back at 7!"]
