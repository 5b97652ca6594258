"""`ctx.api` calls Evolution at once, from both kinds of handler, and never in a dry run."""

from typing import Any

from gateway import Context, EventContext, MessagesUpsert, Plugin
from gateway.errors import GatewayError
from gateway.events import Event
from gateway.testing import Bot
from tests.worker.conftest import Bench, message
from tests.worker.test_questions import answer

ANA = "+55 11 99999-0002"


async def test_an_async_handler_asks_evolution_and_uses_the_answer() -> None:
    plugin = Plugin("asks")

    @plugin.message()
    async def ask(_event: MessagesUpsert, ctx: Context) -> None:
        found = await ctx.api.check_numbers(ctx.instance, ["+55 11 99999-0003"])
        ctx.reply("yes" if found[0].exists else "no")

    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)
        await ana.send("is Bia on WhatsApp?")
        bot.evolution.absent.add("5511999990003")
        await ana.send("and now?")

        assert ana.replies == ["yes", "no"]
        assert bot.evolution.complaints == []


async def test_a_handler_on_a_thread_waits_for_it() -> None:
    plugin = Plugin("asks")

    @plugin.message()
    def ask(_event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply(str(ctx.wait(ctx.api.version())))

    async with Bot(plugin) as bot:
        ana = bot.chat(ANA)
        await ana.send("which?")

        assert ana.replies == ["2"]


def plugin_of(bench: Bench) -> Plugin[Any, Any]:
    """Notes what `ctx.api` says where it can't be had."""
    plugin = Plugin("asks")

    @plugin.on(Event)
    async def ask(_event: Event, ctx: EventContext) -> None:
        try:
            ctx.api  # noqa: B018 -- asking for it is what is tried
        except GatewayError as error:
            bench.note(str(error))

    return plugin


async def test_without_a_key_it_says_what_is_missing(bench: Bench) -> None:
    async with bench.worker(plugin_of(bench)):
        await bench.post(message("hi"))
        await bench.until(lambda: bench.seen)

    assert bench.seen == ["ctx.api in asks: there is no evolution.apikey in config.yaml to call Evolution with"]


async def test_a_dry_run_calls_nobody(bench: Bench) -> None:
    (seq,) = await bench.post(message("hi"))
    async with bench.worker(plugin_of(bench), apikey="key"):
        await bench.until(bench.outcomes)
        await answer(bench, "rehearse", seq)

    assert bench.seen == ["ctx.api in asks: a dry run calls nobody"]
