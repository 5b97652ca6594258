"""People in a test: what they write to the bot, and what they see of it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from gateway.plugins.outgoing import read_file
from gateway.plugins.state import Memory, State
from gateway.testing.evolution import EvolutionServer, Group, Happening, Person
from gateway.testing.reply import Reply

__tracebackhide__ = True  # pytest shows the test and the handler, not what is between them
Shape = Literal["image", "video", "audio", "voice", "document", "sticker"]
Act = Callable[[], Awaitable[object]]


class Scene(Protocol):
    """Where chats take place; the `Bot`."""

    @property
    def evolution(self) -> EvolutionServer:
        """The other side."""
        ...

    async def act(self, act: Act, /) -> None:
        """Have something happen, and return when all that it causes has settled."""
        ...

    def remembered(
        self, which: Callable[[Memory], State], instance: str, chats: Sequence[str] = (), people: Sequence[str] = ()
    ) -> dict[str, Any]:
        """What the plugins remember of people in a chat, both by all their addresses."""
        ...


class Conversation:
    """What was said in one chat."""

    def __init__(self, scene: Scene, *jids: str, instance: str) -> None:
        self._scene = scene
        self._jids = jids
        self.jid = jids[0]
        """The chat's address."""
        self.instance = instance
        """The account that it is a chat with."""

    @property
    def replies(self) -> list[Reply]:
        """The bot's messages as the chat shows them now: edited ones with their new words, deleted ones gone."""
        shown: dict[str, Reply] = {}
        for each in self._happenings():
            if each.kind == "sent":
                shown[each.id] = Reply.of(each)
            elif each.kind == "edited" and each.id in shown:
                shown[each.id] = shown[each.id].reworded(each.text)
            elif each.kind == "deleted":
                shown.pop(each.id, None)
        return list(shown.values())

    @property
    def reactions(self) -> list[Reply]:
        """The emojis that the bot put under messages here."""
        return [Reply.of(each) for each in self._happenings() if each.kind == "reacted"]

    @property
    def sent(self) -> list[Reply]:
        """Everything the bot did here, in its order: messages, reactions, edits, deletions, reads, typing."""
        return [Reply.of(each) for each in self._happenings()]

    @property
    def chat_state(self) -> dict[str, Any]:
        """What the bot remembers of this chat, as `ctx.chat_state`."""
        return self._scene.remembered(lambda memory: memory.chat_state, self.instance, self._jids)

    async def does(self, act: Act) -> list[Reply]:
        """Have something happen, and give the messages that the bot answered it with here."""
        before = {each.id for each in self.replies}
        await self._scene.act(act)
        return [each for each in self.replies if each.id not in before]

    def _happenings(self) -> list[Happening]:
        """The bot's part of what happened."""
        server = self._scene.evolution
        return [each for each in server.transcript(self.jid, instance=self.instance) if not each.by]


class GroupChat(Conversation):
    """A group with the bot in it. `bot.group(...)` makes one."""

    def __init__(self, scene: Scene, group: Group, instance: str) -> None:
        super().__init__(scene, group.id, instance=instance)
        self._group = group

    def __repr__(self) -> str:
        return f"GroupChat({self._group.subject!r})"

    async def add(self, *people: "Chat", by: "Chat | None" = None) -> list[Reply]:
        """People join, by themselves or brought in by somebody."""
        return await self._change("add", people, by)

    async def remove(self, *people: "Chat", by: "Chat | None" = None) -> list[Reply]:
        """People leave, or are shown out by somebody."""
        return await self._change("remove", people, by)

    async def promote(self, *people: "Chat", by: "Chat | None" = None) -> list[Reply]:
        """People become admins."""
        return await self._change("promote", people, by)

    async def demote(self, *people: "Chat", by: "Chat | None" = None) -> list[Reply]:
        """People are no longer admins."""
        return await self._change("demote", people, by)

    async def _change(
        self, action: Literal["add", "remove", "promote", "demote"], people: "Sequence[Chat]", by: "Chat | None"
    ) -> list[Reply]:
        who = [each.person for each in people]
        author = by.person if by else None
        server = self._scene.evolution
        return await self.does(lambda: server.change_group(self._group, action, who, by=author, instance=self.instance))


class Chat(Conversation):
    """A person and their private chat with the bot. `bot.chat(...)` makes one.

    Whatever they do returns when all that it caused has settled: handlers, memory, messages. It gives the messages that
    the bot answered with. With `to=`, a group, it is done there.
    """

    def __init__(self, scene: Scene, person: Person) -> None:
        super().__init__(scene, person.chat, person.jid, instance=person.instance.name)
        self.person = person
        """The same one at the fake Evolution's end."""

    def __repr__(self) -> str:
        return f"Chat({self.person.phone!r}, name={self.person.name!r})"

    async def send(
        self,
        text: str,
        *,
        quote: "Reply | str | None" = None,
        mentions: "Sequence[Chat]" = (),
        to: GroupChat | None = None,
    ) -> list[Reply]:
        """Write a text. `quote` is a message that it answers, the bot's or one of `messages`."""
        about = _id(quote) if quote else None
        people = [each.person.lid if to else each.person.jid for each in mentions]
        return await self._in(to, lambda group: self.person.write(text, group=group, quote=about, mentions=people))

    async def send_media(
        self,
        source: Path | bytes,
        kind: Shape = "image",
        *,
        caption: str = "",
        name: str = "",
        mimetype: str = "",
        to: GroupChat | None = None,
    ) -> list[Reply]:
        """Send a file, with its bytes in the event."""
        file = read_file(source, name=name, mimetype=mimetype)
        return await self._in(
            to,
            lambda group: self.person.send(
                kind, file.data or b"", caption=caption, mimetype=file.mimetype, file_name=file.name, group=group
            ),
        )

    async def send_location(
        self, latitude: float, longitude: float, *, name: str = "", to: GroupChat | None = None
    ) -> list[Reply]:
        """Send a place."""
        return await self._in(to, lambda group: self.person.show(latitude, longitude, name=name, group=group))

    async def react(
        self, emoji: str, message: Reply | str | None = None, *, to: GroupChat | None = None
    ) -> list[Reply]:
        """Put an emoji under a message, the bot's last one if none is named; "" takes it back."""
        about = _id(message or self._offer(to))
        return await self._in(to, lambda group: self.person.react(about, emoji, group=group))

    async def edit(self, text: str, message: str | None = None) -> list[Reply]:
        """Change one of their own messages, the last one if none is named."""
        return await self.does(lambda: self.person.edit(message or self.messages[-1], text))

    async def delete(self, message: str | None = None) -> list[Reply]:
        """Delete one of their own messages for everybody, the last one if none is named."""
        return await self.does(lambda: self.person.delete(message or self.messages[-1]))

    async def choose(self, option: str, *, of: Reply | None = None) -> list[Reply]:
        """Pick what the bot's last message offers: a button or row by label or id, a numbered line by label or number.

        Raises:
            ValueError: nothing of this name is offered.
        """
        offer = of or self._offer(None)
        if not offer.options:
            return await self.send(_number(offer, option))
        key = next((key for key, label in offer.options.items() if option in (key, label)), None)
        if key is None:
            raise ValueError(f"{option!r} is not among what the bot offers: {', '.join(offer.options.values())}")
        return await self.does(lambda: self.person.choose(offer.id, offer.options[key], key))

    @property
    def messages(self) -> list[str]:
        """Ids of what they wrote, in its order, to name a message by."""
        server = self._scene.evolution
        return [each.id for each in server.happenings if each.by == self.person.name and each.kind == "wrote"]

    @property
    def state(self) -> dict[str, Any]:
        """What the bot remembers of them in their private chat, as `ctx.state`."""
        return self._scene.remembered(lambda memory: memory.state, self.instance, self._jids)

    def state_in(self, group: GroupChat) -> dict[str, Any]:
        """What the bot remembers of them in a group, as `ctx.state`."""
        people = (self.person.phone, self.person.lid, self.person.jid)
        return self._scene.remembered(lambda memory: memory.state, self.instance, [group.jid], people)

    def _offer(self, to: GroupChat | None) -> Reply:
        replies = (to or self).replies
        if not replies:
            raise ValueError(f"the bot has said nothing to {self.person.name} yet")
        return replies[-1]

    async def _in(self, to: GroupChat | None, act: Callable[[str | None], Awaitable[object]]) -> list[Reply]:
        return await (to or self).does(lambda: act(to.jid if to else None))


def _id(message: Reply | str) -> str:
    return message.id if isinstance(message, Reply) else message


def _number(offer: Reply, option: str) -> str:
    """The number before an option in a menu that is a text."""
    lines: list[tuple[str, str]] = re.findall(r"^\W*(\d+)\W+(.+?)\W*$", offer, re.MULTILINE)
    found = next((number for number, label in lines if option in (number, label.strip())), None)
    if found is None:
        raise ValueError(f"{option!r} is not among what the bot offers: {str(offer)!r}")
    return found
