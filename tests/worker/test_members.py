"""Who is an admin is asked of Evolution, seldom, and by filters alone that need it."""

from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f
from gateway.config import Config, Evolution, Secret
from gateway.testing import Bot
from gateway.testing.evolution import EvolutionServer
from gateway.worker.members import FRESH, Members


def moderator() -> Plugin:
    plugin = Plugin("moderator")

    @plugin.message(f.from_admin)
    async def obey(event: MessagesUpsert, ctx: Context) -> None:
        del event
        ctx.reply("Yes, chief")

    return plugin


async def test_a_groups_admin_is_known_and_other_members_are_not() -> None:
    async with Bot(moderator()) as bot:
        ana, bia = bot.chat("+55 11 99999-0002", name="Ana"), bot.chat("+55 11 99999-0003", name="Bia")
        group = bot.group("Friends", ana, bia)

        await bia.send("clear", to=group)
        await ana.send("clear", to=group)
        await ana.send("clear")

        assert group.replies == ["Yes, chief"]
        assert ana.replies == []


async def test_evolution_is_asked_once_for_a_group_until_the_answer_is_old() -> None:
    now = 0.0
    async with EvolutionServer() as server:
        group = server.group("Friends", [server.person("+55 11 99999-0002", name="Ana")])
        config = Config(evolution=Evolution(url=server.url, apikey=Secret(server.apikey)))
        members = Members(config, clock=lambda: now)

        async def asked() -> int:
            await members.of("shop-1", group.id)
            return sum("participants" in request.path for request in server.requests)

        first, again = await asked(), await asked()
        now = FRESH + 1
        later = await asked()

    assert (first, again, later) == (1, 1, 2)
