"""Says when somebody will answer to whoever writes outside the hours, once a day and chat.

In config.yaml:  plugins: {support_hours: {settings: {zone: Europe/Lisbon, opens: 8}}}
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f


class Settings(msgspec.Struct, frozen=True):
    """When there is somebody."""

    zone: str = "America/Sao_Paulo"
    """Time zone of the hours."""
    opens: int = 9
    """Hour of the day, on working days."""
    closes: int = 18
    """The first hour in which nobody is there any more."""
    away: str = "We are out until {opens}:00 and answer then."
    """What is said outside the hours."""


plugin = Plugin(settings=Settings)
SATURDAY = 5


@plugin.message(f.private)
async def away(event: MessagesUpsert, ctx: Context[Settings]) -> None:
    """Tell, unless it was told today; within the hours people answer, not the bot."""
    here = ctx.now.astimezone(ZoneInfo(ctx.settings.zone))
    today = f"{here:%Y-%m-%d}"
    if is_open(here, ctx.settings) or ctx.chat_state.get("told") == today:
        return
    ctx.chat_state["told"] = today
    ctx.reply(ctx.settings.away.format(opens=ctx.settings.opens))


def is_open(here: datetime, hours: Settings) -> bool:
    """Whether somebody is there at that moment."""
    return here.weekday() < SATURDAY and hours.opens <= here.hour < hours.closes
