"""What a person at the terminal may type in a play: words, and a few things that a phone has a button for.

They begin with a colon, for what begins with a slash belongs to the bot.
"""

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from gateway.cli.chat import choices
from gateway.errors import GatewayError
from gateway.testing import EvolutionServer, Happening, Person

HELP: Final = (
    ":send FILE      a photo, a voice note, any file",
    ":react 👍       to the bot's last message",
    ":quote TEXT     answer the bot's last message",
    ":pick 2         the second button, row or option of the bot's last message",
)
_SHAPES: Final = {"image": "image", "video": "video", "audio": "audio"}


class Refusal(GatewayError):
    """What was typed can't be done; the text says why."""


class Talk:
    """Turns lines into what a person does."""

    def __init__(self, server: EvolutionServer, person: Person, group: str | None = None) -> None:
        """`group`: the jid of the group they write in; None: the private chat."""
        self.server = server
        self.person = person
        self.group = group
        self._commands: dict[str, Callable[[str], Awaitable[Happening]]] = {
            ":send": self._send,
            ":react": self._react,
            ":quote": self._quote,
            ":pick": self._pick,
        }

    @property
    def chat(self) -> str:
        """Where they write."""
        return self.group or self.person.chat

    async def do(self, line: str) -> Happening:
        """Do it; gives what happened, once the gateway has it.

        Raises:
            Refusal: it can't be done.
        """
        word, _, rest = line.partition(" ")
        command = self._commands.get(word)
        return await (command(rest.strip()) if command else self.person.write(line, group=self.group))

    async def _send(self, name: str) -> Happening:
        path, data = _read(name)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        shape = _SHAPES.get(kind.partition("/")[0], "document")
        return await self.person.send(shape, data, mimetype=kind, file_name=path.name, group=self.group)

    async def _react(self, emoji: str) -> Happening:
        return await self.person.react(self._last().id, emoji, group=self.group)

    async def _quote(self, text: str) -> Happening:
        return await self.person.write(text, quote=self._last().id, group=self.group)

    async def _pick(self, number: str) -> Happening:
        offered = choices(self._last())
        if not offered:
            raise Refusal("the bot's last message has no buttons, rows or options to pick: type your answer")
        if not number.isdecimal() or not 0 < int(number) <= len(offered):
            raise Refusal(f"the bot's last message offers {len(offered)} choices")
        return await self.person.choose(self._last().id, offered[int(number) - 1], group=self.group)

    def _last(self) -> Happening:
        """The bot's last message in this chat."""
        here = self.server.transcript(self.chat, instance=self.person.instance.name)
        kept = (each for each in reversed(here) if each.kind == "sent" and self.person.instance.find(each.id))
        last = next(kept, None)
        if last is None:
            raise Refusal("there is no message of the bot's")
        return last


def _read(name: str) -> tuple[Path, bytes]:
    path = Path(name).expanduser()
    try:
        return path, path.read_bytes()
    except OSError as error:
        raise Refusal(f"{name or 'no file'} can't be read: {error.strerror}") from None
