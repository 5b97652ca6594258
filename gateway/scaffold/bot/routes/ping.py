"""Answers "ping" with "pong": the smallest plugin, and the one to copy."""

from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f

plugin = Plugin()


@plugin.message(f.text("ping"))
async def ping(event: MessagesUpsert, ctx: Context) -> None:
    """Queue the answer; it leaves once this has returned."""
    ctx.reply("pong")
