"""The plugin that every tortured gateway runs: it leaves effects that can be counted, and a line for every call."""

from typing import Final

NAME: Final = "bot"
SOURCE: Final = """
import asyncio
import random

@plugin.message()
async def count(event, ctx):
    record(ctx)
    ctx.chat_state["count"] = ctx.chat_state.get("count", 0) + 1
    await asyncio.sleep(random.uniform(0, 0.004))
    ctx.reply(str(ctx.chat_state["count"]))
"""
"""The n-th message of a chat is answered with n: an effect that is lost or doubled shifts all that follow."""
