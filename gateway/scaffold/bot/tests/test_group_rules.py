"""What routes/group_rules.py does, as a group chat."""

import pytest

from gateway.testing import Bot

pytestmark = pytest.mark.bot("group_rules")


async def test_whoever_joins_is_welcomed_by_name(bot: Bot) -> None:
    ana, bia = bot.chat("+55 11 99999-0002"), bot.chat("+55 11 99999-0003")
    neighbours = bot.group("Neighbours", ana)

    [welcome] = await neighbours.add(bia)

    assert welcome.startswith("Welcome @")
    assert welcome.mentions


async def test_a_link_is_taken_away_and_counted(bot: Bot) -> None:
    ana, bia = bot.chat("+55 11 99999-0002"), bot.chat("+55 11 99999-0003")
    neighbours = bot.group("Neighbours", ana, bia)

    [first] = await bia.send("buy now https://example.com", to=neighbours)
    await bia.send("really: https://example.com", to=neighbours)
    [third] = await bia.send("last chance: https://example.com", to=neighbours)

    assert "no links here, please (1)." in first
    assert third.endswith("Admins, please have a look.")
    assert [each.id for each in neighbours.sent if each.kind == "delete"] == bia.messages


async def test_an_admin_may_send_links(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002")
    neighbours = bot.group("Neighbours", ana)  # whoever is named first has made it, and is its admin

    assert await ana.send("our page: https://example.com", to=neighbours) == []


async def test_the_rules_are_quoted_to_whoever_asks(bot: Bot) -> None:
    ana = bot.chat("+55 11 99999-0002")
    neighbours = bot.group("Neighbours", ana)

    [rules] = await ana.send("rules", to=neighbours)

    assert rules.quotes == ana.messages[-1]
