"""Keeps the files that people send, in a folder a chat.

In config.yaml:  plugins: {media_saver: {settings: {folder: /srv/files}}}
"""

from pathlib import Path

import msgspec

from gateway import Context, MessagesUpsert, Plugin
from gateway import filters as f


class Settings(msgspec.Struct, frozen=True):
    """Where files go."""

    folder: Path = Path("data/files")
    """Made when it is missing."""


plugin = Plugin(settings=Settings)


@plugin.message(f.has_media)
async def save(event: MessagesUpsert, ctx: Context[Settings]) -> None:
    """A file that can't be fetched raises, so it is tried again later; saving twice leaves one file."""
    message = event.message
    if message.media is None or event.chat is None:
        return
    chat = event.chat.partition("@")[0]
    name = f"{message.id}.{message.media.extension}"
    path = await message.media.save(ctx.settings.folder / chat / name)
    ctx.log.info("file_saved", name=path.name, bytes=path.stat().st_size)
    ctx.react("💾")
