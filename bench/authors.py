"""What a bot's author waits for: tests of a bot, and an edit that takes effect."""

import statistics
import time
from functools import partial
from typing import Final

from bench.accept import folder
from bench.result import Goal, Result
from bench.scale import Scale
from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f
from gateway.log import configure
from gateway.testing import Bot
from tests.support.gateway import Gateway
from tests.support.waiting import until

COLUMNS: Final = ("what", "median s", "lowest s", "highest s")
TESTS: Final = 100
VERSION: Final = """
@plugin.on(Event)
async def note(event, ctx):
    record(ctx, note="{0}")
"""


async def authors(scale: Scale) -> Result:
    """A hundred chats with a bot, each on a fresh one; edits of a plugin while the gateway runs."""
    configure("json", "error")
    chats = [await _chats() for _ in range(scale.starts)]
    edits = await _edits(scale.starts)
    times = {f"{TESTS} tests of a bot": chats, "an edit, until the new version has handled an event": edits}
    return Result(
        title="Authors",
        columns=COLUMNS,
        rows=[[what, statistics.median(all_), min(all_), max(all_)] for what, all_ in times.items()],
        goals=[
            Goal(name=f"{TESTS} tests of a bot, in seconds", value=statistics.median(chats), goal=5, at_most=True),
            Goal(name="an edit takes effect, in seconds", value=statistics.median(edits), goal=2, at_most=True),
        ],
    )


async def _chats() -> float:
    plugin = Plugin("ping")

    @plugin.message(f.text("ping"))
    async def ping(_event: MessagesUpsert, ctx: Context) -> None:
        ctx.reply("pong")

    began = time.monotonic()
    for _ in range(TESTS):
        async with Bot(plugin) as bot:
            await bot.chat("+55 11 99999-0002").send("ping")
    return time.monotonic() - began


async def _edits(count: int) -> list[float]:
    took: list[float] = []
    async with folder() as where, Gateway(where / "edited") as gateway:
        gateway.plugin("bot", VERSION.format("first"))
        await gateway.start()
        for number in range(count):
            began = time.monotonic()
            gateway.plugin("bot", VERSION.format(number))
            await until(partial(_is_loaded, gateway, number + 1), "the edit is loaded")
            await gateway.accept(b'{"event": "presence.update", "instance": "shop-1", "data": {"n": %d}}' % number)
            await gateway.settled()
            took.append(time.monotonic() - began)
    return took


def _is_loaded(gateway: Gateway, edits: int) -> bool:
    return len(gateway.logged("plugins_reloaded")) >= edits
