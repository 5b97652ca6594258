"""What routes/ping.py does, as a chat."""

import pytest

from gateway.testing import Bot

pytestmark = pytest.mark.bot("ping")


async def test_ping_is_answered(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002", name="Ana")

    await ana.send("ping")

    assert ana.replies == ["pong"]


async def test_nothing_else_is_answered(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002", name="Ana")

    await ana.send("good morning")

    assert ana.replies == []
