"""Welcomes whoever joins a group, and takes links away that no admin has sent."""

from typing import Final

from gateway import Context, GroupParticipantsUpdate, MessagesUpsert, Plugin
from gateway import filters as f

plugin = Plugin()

PATIENCE: Final = 3
"""Links after which the admins are asked to look."""


@plugin.on(GroupParticipantsUpdate, f.joined)
async def welcome(event: GroupParticipantsUpdate, ctx: Context) -> None:
    """A mention rings at those it names; its text has to name them the way WhatsApp does."""
    people = event.change.participants
    names = ", ".join(each.mention for each in people)
    ctx.reply(f"Welcome {names}! No links here, please.", mentions=people)


@plugin.message(f.group & f.text("rules"))
async def rules(event: MessagesUpsert, ctx: Context) -> None:
    """Anybody may ask."""
    ctx.quote("No links. Be kind.")


@plugin.message(f.group & f.has_link & ~f.from_admin)
async def link(event: MessagesUpsert, ctx: Context) -> None:
    """Deleting what others wrote takes an admin: make the bot one."""
    links = ctx.state["links"] = ctx.state.get("links", 0) + 1
    ctx.delete()
    sender = event.message.sender
    asked = " Admins, please have a look." if links >= PATIENCE else ""
    ctx.reply(f"{sender.mention}, no links here, please ({links}).{asked}", mentions=[sender])
